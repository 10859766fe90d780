/**
 * Times the workloads of `rows.ts`. With `--peers` PyTorch, Keras and onnxruntime do the same in turn, each time in a
 * fresh process, and the ratio of the medians is printed as a Markdown table. The peers' environments are made by
 * `bash bench/peers/setup.sh .peers`; `--python` or `FOVEA_PEERS` names another folder. Peers without environment are
 * left out.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from '../lib/util/atomic-file.js';
import { program } from '../test/support/program.js';
import { firstPrediction } from './first.js';
import { median, options } from './measure.js';
import { markdown, PRECISIONS, ROWS, type Peer, type Precision, type Result, type Row } from './rows.js';

const USAGE = `npm run bench -- [options]
  --only NAMES       workloads, with commas: ${[...new Set(ROWS.map((row) => row.workload))].join(',')}
  --batch B          images of a step, in place of the table's
  --precision NAMES  of ${PRECISIONS.join(',')}; f32 unless told
  --peers [NAMES]    in turn with torch,torch-compile,keras,onnxruntime,tfjs; all that a workload has unless named
  --pairs N          how many times in turn; 7 unless told
  --steps N          steps timed in one process
  --floor            the convolutions and dense layers alone, too
  --ops              our side in plain ops
  --json FILE        the table as JSON as well
  --python FOLDER    where the peers' environments are; .peers unless told`;

/** Rounds of first predictions that do not count: they fill the file cache, and the caches of compiled code. */
const WARMING = 3;

interface Timing {
  peer: string;
  version?: string;
  ms: number;
  peak_mb?: number;
  floor_ms?: number;
}

/** Where each peer's interpreter and script are, and what its script is told. */
const PEERS: Record<Peer, { environment: string; script: string; label: string; extra: readonly string[] }> = {
  torch: { environment: 'torch', script: 'torch_bench.py', label: 'PyTorch', extra: [] },
  'torch-compile': {
    environment: 'torch',
    script: 'torch_bench.py',
    label: 'PyTorch compiled',
    extra: ['--compile'],
  },
  keras: { environment: 'keras', script: 'keras_bench.py', label: 'Keras', extra: [] },
  onnxruntime: { environment: 'torch', script: 'ort_bench.py', label: 'onnxruntime', extra: [] },
  tfjs: { environment: 'tfjs', script: '', label: 'tfjs in Node', extra: [] },
};

const here = path.dirname(fileURLToPath(import.meta.url));
const flags = options(process.argv.slice(2));
const folder = path.resolve(flags.get('python') ?? process.env['FOVEA_PEERS'] ?? path.join(here, '../.peers'));
const pairs = Number(flags.get('pairs') ?? 7);
const unknown = [...flags.keys()].find((flag) => !USAGE.includes(`  --${flag} `));
if (unknown !== undefined) {
  (unknown === 'help' ? console.log : console.error)(unknown === 'help' ? USAGE : `no option --${unknown}\n${USAGE}`);
  process.exit(unknown === 'help' ? 0 : 2);
}

/** Runs a program and merges the JSON objects it prints, one a line. */
function timed(command: string, args: readonly string[]): Timing {
  const result = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = result.stdout.split('\n').filter((line) => line.startsWith('{'));
  if (result.status !== 0 || lines.length === 0) throw new Error(`${command} ${args.join(' ')} failed`);
  return Object.assign({}, ...lines.map((line) => JSON.parse(line) as object)) as Timing;
}

const stepsOf = (row: Row): string => flags.get('steps') ?? String(row.steps);

function ours(row: Row, precision: Precision, floor: boolean): Timing {
  // In one file, as the package is published: what compiles TypeScript at a start would count as our memory.
  const script = [program(path.join(here, 'workload.ts')), row.workload, '--dtype', precision];
  script.push('--steps', stepsOf(row), '--batch', String(row.batch));
  if (floor) script.push('--floor');
  if (flags.has('ops')) script.push('--ops');
  return timed(process.execPath, script);
}

const rounded = (n: number): number => Number(n.toFixed(2));
const environmentOf = (peer: Peer): string => path.join(folder, PEERS[peer].environment);
const interpreterOf = (peer: Peer): string =>
  peer === 'tfjs' ? process.execPath : path.join(environmentOf(peer), 'bin/python');

function theirs(row: Row, precision: Precision, peer: Peer): Timing {
  const { script, extra } = PEERS[peer];
  const args = [path.join(here, 'peer.py'), path.join(here, 'peers', script)];
  if (peer !== 'onnxruntime') args.push(row.workload, '--dtype', precision);
  return timed(interpreterOf(peer), [...args, '--steps', stepsOf(row), '--batch', String(row.batch), ...extra]);
}

/** Our side and the peers' in turn; one result a peer, or one without. */
function measure(row: Row, precision: Precision, peers: readonly Peer[]): Result[] {
  const floors: number[] = [];
  const mine: Timing[] = [];
  const others = new Map<Peer, Timing[]>(peers.map((peer) => [peer, []]));
  for (let i = 0; i < pairs; i++) {
    const floor = i === 0 && (flags.has('floor') || peers.length > 0);
    const own = ours(row, precision, floor);
    mine.push(own);
    if (own.floor_ms !== undefined) floors.push(own.floor_ms);
    for (const peer of peers) others.get(peer)!.push(theirs(row, precision, peer));
    const seen = peers.map((peer) => `, ${PEERS[peer].label} ${others.get(peer)!.at(-1)!.ms} ms`);
    console.log(`  ${row.workload} ${precision} ${row.batch}, ${i + 1}: fovea ${own.ms} ms${seen.join('')}`);
  }
  const common: Result = {
    workload: row.workload,
    precision,
    batch: row.batch,
    ours_ms: rounded(median(mine.map((t) => t.ms))),
    peak_mb: median(mine.map((t) => t.peak_mb!)),
    ...(floors.length > 0 ? { floor_ms: Math.min(...floors) } : {}),
  };
  if (peers.length === 0) return [common];
  return peers.map((peer) => {
    const timings = others.get(peer)!;
    const peerMs = median(timings.map((t) => t.ms));
    return {
      ...common,
      peer: `${PEERS[peer].label} ${timings[0]!.version ?? ''}`.trim(),
      peer_ms: rounded(peerMs),
      ratio: Number((peerMs / common.ours_ms).toFixed(2)),
      peer_peak_mb: median(timings.map((t) => t.peak_mb!)),
    };
  });
}

/** Whole processes in turn. */
function measureFirst(row: Row, precision: Precision, peers: readonly Peer[]): Result[] {
  const sides = ['fovea', ...peers] as const;
  const programs = firstPrediction(sides, interpreterOf, environmentOf);
  try {
    const times = new Map<Peer | 'fovea', number[]>(sides.map((side) => [side, []]));
    for (let i = 0; i < WARMING + pairs; i++) {
      for (const side of sides) {
        const ms = programs.once(side);
        if (i >= WARMING) times.get(side)!.push(ms);
      }
    }
    const mine = rounded(median(times.get('fovea')!));
    const common: Result = { workload: row.workload, precision, batch: row.batch, ours_ms: mine };
    if (peers.length === 0) return [common];
    return peers.map((peer) => {
      const peerMs = rounded(median(times.get(peer)!));
      return { ...common, peer: PEERS[peer].label, peer_ms: peerMs, ratio: Number((peerMs / mine).toFixed(2)) };
    });
  } finally {
    programs.dispose();
  }
}

const asked = flags.get('peers');
const installed = (peer: Peer): boolean =>
  existsSync(peer === 'tfjs' ? path.join(environmentOf(peer), 'node_modules/@tensorflow/tfjs') : interpreterOf(peer));
const present = (Object.keys(PEERS) as Peer[]).filter(installed);
if (asked !== undefined && present.length === 0) {
  console.error(`no peers in ${folder}: run "bash bench/peers/setup.sh ${path.relative('.', folder) || '.'}" first`);
  process.exit(1);
}
const chosenPeers = (row: Row, precision: Precision): Peer[] => {
  if (asked === undefined) return [];
  const wanted = asked === '' ? row.peers : row.peers.filter((peer) => asked.split(',').includes(peer));
  // onnxruntime's script knows f32 only.
  return wanted.filter((peer) => present.includes(peer) && (precision === 'f32' || peer !== 'onnxruntime'));
};
const only = flags.get('only')?.split(',') ?? (asked === undefined ? ['fashion'] : undefined);
const batch = flags.get('batch');
let rows = ROWS.filter((row) => !only || only.includes(row.workload));
if (batch) rows = rows.filter((row, i) => i === rows.findIndex((r) => r.workload === row.workload));
// A first prediction is that of one image.
if (batch) rows = rows.map((row) => (row.workload === 'first-prediction' ? row : { ...row, batch: Number(batch) }));
const precisions = PRECISIONS.filter((p) => (flags.get('precision') ?? 'f32').split(',').includes(p));
const json = flags.get('json');
const results: Result[] = [];
for (const row of rows) {
  // What a process takes to start does not depend on the type of numbers.
  const first = row.workload === 'first-prediction';
  for (const p of first ? (['f32'] as const) : precisions) {
    results.push(...(first ? measureFirst : measure)(row, p, chosenPeers(row, p)));
    // After each row: a table takes an hour, and what it has is not lost where it ends early.
    if (json) await writeFileAtomic(json, `${JSON.stringify(results, null, 2)}\n`);
  }
}
console.log(`\n${markdown(results)}`);
