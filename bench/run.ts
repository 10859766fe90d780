/**
 * `npm run bench -- [--peers] [--pairs 7] [--steps 15] [--batch 32] [--json FILE] [--python FOLDER]`
 *
 * Times a training step of the chapter's Fashion-MNIST CNN (f32, SGD with momentum). With `--peers` PyTorch does the
 * same in turn, each time in a fresh process, and the ratio of the medians is printed. The peers' environments are made
 * by `bash bench/peers/setup.sh .peers`; `--python` or `FOVEA_PEERS` names another folder.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from '../lib/util/atomic-file.js';
import { median, options } from './measure.js';

interface Timing {
  peer: string;
  version?: string;
  ms: number;
  peak_mb?: number;
}

const here = path.dirname(fileURLToPath(import.meta.url));
const flags = options(process.argv.slice(2));
const pairs = Number(flags.get('pairs') ?? 7);
const steps = flags.get('steps') ?? '15';
const batch = flags.get('batch') ?? '32';
const folder = path.resolve(flags.get('python') ?? process.env['FOVEA_PEERS'] ?? path.join(here, '../.peers'));

function timed(command: string, args: readonly string[]): Timing {
  const result = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const line = result.stdout.trim().split('\n').at(-1) ?? '';
  if (result.status !== 0 || !line.startsWith('{')) throw new Error(`${command} ${args.join(' ')} failed`);
  return JSON.parse(line) as Timing;
}

const ours = (): Timing =>
  timed(process.execPath, [
    '--import',
    'tsx',
    path.join(here, 'workload.ts'),
    'fashion',
    '--steps',
    steps,
    '--batch',
    batch,
  ]);
const python = path.join(folder, 'torch/bin/python');
const torch = (): Timing =>
  timed(python, [path.join(here, 'peers/torch_bench.py'), 'fashion', '--steps', steps, '--batch', batch]);

const withPeers = flags.has('peers');
if (withPeers && !existsSync(python)) {
  console.error(`no PyTorch at ${python}: run "bash bench/peers/setup.sh ${path.relative('.', folder) || '.'}" first`);
  process.exit(1);
}
console.log(
  `Fashion-MNIST CNN, training step, batch ${batch}, f32; ${pairs} ${withPeers ? 'pairs in turn' : 'runs'}, medians of ${steps} steps`,
);
const mine: Timing[] = [];
const theirs: Timing[] = [];
for (let i = 0; i < pairs; i++) {
  mine.push(ours());
  if (withPeers) theirs.push(torch());
  console.log(`  ${i + 1}: fovea ${mine.at(-1)!.ms} ms${withPeers ? `, PyTorch ${theirs.at(-1)!.ms} ms` : ''}`);
}
const oursMs = median(mine.map((t) => t.ms));
const rows: Record<string, unknown>[] = [];
const common = {
  workload: 'fashion',
  precision: 'f32',
  batch: Number(batch),
  ours_ms: oursMs,
  peak_mb: median(mine.map((t) => t.peak_mb!)),
};
if (withPeers) {
  const peerMs = median(theirs.map((t) => t.ms));
  const ratio = Number((peerMs / oursMs).toFixed(2));
  rows.push({ ...common, peer: `torch ${theirs[0]!.version}`, peer_ms: peerMs, ratio });
  console.log(
    '\n| workload | precision | batch | fovea ms | peer | peer ms | ratio |\n| --- | --- | --- | --- | --- | --- | --- |',
  );
  console.log(`| fashion | f32 | ${batch} | ${oursMs} | PyTorch ${theirs[0]!.version} | ${peerMs} | ${ratio} |`);
} else {
  rows.push(common);
  console.log(`median ${oursMs} ms`);
}
const json = flags.get('json');
if (json) await writeFileAtomic(json, `${JSON.stringify(rows, null, 2)}\n`);
