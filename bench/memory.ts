/**
 * `npm run bench:memory -- [--workload resnet34] [--batch 32] [--dtype f32] [--steps 2] [--json FILE] [--python FOLDER]`
 *
 * The largest resident size of a process that trains (or, for `infer-...`, predicts), ours and PyTorch's eager mode in
 * turn: the same network, random images of one shape, SGD with momentum, warming up and then `--steps` steps. Fails when
 * ours is not the smaller one. PyTorch's environment is made by `bash bench/peers/setup.sh .peers`; `--python` or
 * `FOVEA_PEERS` names another folder.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from '../lib/util/atomic-file.js';
import { program } from '../test/support/program.js';
import { options } from './measure.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const flags = options(process.argv.slice(2));
const folder = path.resolve(flags.get('python') ?? process.env['FOVEA_PEERS'] ?? path.join(here, '../.peers'));
const python = path.join(folder, 'torch/bin/python');
if (!existsSync(python)) {
  console.error(`no PyTorch in ${folder}: run "bash bench/peers/setup.sh ${path.relative('.', folder) || '.'}" first`);
  process.exit(1);
}
const workload = flags.get('workload') ?? 'resnet34';
const common = ['--batch', flags.get('batch') ?? '32', '--dtype', flags.get('dtype') ?? 'f32'];
const args = [workload, ...common, '--steps', flags.get('steps') ?? '2'];

/** Runs a program to its end; what it prints as JSON, one object a line, together. */
function child(command: string, words: readonly string[]): { peak: number; version: string } {
  const result = spawnSync(command, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = (result.stdout ?? '').split('\n').filter((line) => line.startsWith('{'));
  const { peak_mb, version = '' } = Object.assign({}, ...lines.map((line) => JSON.parse(line) as object)) as Partial<
    Record<string, unknown>
  >;
  if (result.status === 0 && typeof peak_mb === 'number') return { peak: peak_mb, version: String(version) };
  throw new Error(`${command} ${words.join(' ')} failed`);
}

// In one file, as the package is published: what compiles TypeScript at a start would count as our memory.
const ours = child(process.execPath, [program(path.join(here, 'workload.ts')), ...args]);
const theirs = child(python, [path.join(here, 'peer.py'), path.join(here, 'peers/torch_bench.py'), ...args]);
const share = ours.peak / theirs.peak;
console.log(`${workload}, ${common.join(' ').replaceAll('--', '')}: largest resident size`);
console.log(`  Fovea ${ours.peak} MB`);
console.log(`  PyTorch ${theirs.version} ${theirs.peak} MB`);
console.log(`  share ${share.toFixed(2)}`);
const json = flags.get('json');
if (json) await writeFileAtomic(json, `${JSON.stringify({ workload, args, ours, theirs, share }, null, 2)}\n`);
if (share >= 1) process.exitCode = 1;
