#!/usr/bin/env node
/**
 * `npm run test:cudnn-plans`: the real cuDNN, without a device, finalizes an execution plan for every convolution of the
 * zoo and of the golden cases, in all directions, and for those of the zoo's predictions that add a residual, for
 * float32, float16 and bfloat16, three compute capabilities, deterministic or not. `--full` adds four more and TF32. Prints
 * "N passed, N failed" for each type and in all, or "skipped: <reason>" where cuDNN or the toolkit is not there.
 */
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const full = process.argv.includes('--full');
const BATCH = '32';
const TYPES = ['float32', 'float16', 'bfloat16', ...(full ? ['tf32'] : [])];
const SMS = full ? ['75', '80', '86', '89', '90', '100', '120'] : ['75', '90', '120'];

const build = path.join(root, 'build', 'cudnn-plans');
const configured = spawnSync(
  'cmake',
  ['-S', root, '-B', build, '-DFOVEA_ADDON=OFF', '-DFOVEA_CUDNN_PLANS=ON', '-DFOVEA_CUDA_ARCHITECTURES=90'],
  { encoding: 'utf8' },
);
if (configured.error || configured.status !== 0) {
  console.error(configured.error?.message ?? configured.stdout + configured.stderr);
  process.exit(1);
}
const without = /Fovea: no cuda plugin: (.*)/.exec(configured.stdout)?.[1];
if (without !== undefined) {
  console.log(`skipped: ${without}`);
  process.exit(0);
}
run('cmake', ['--build', build, '--target', 'fovea_cudnn_plans', '--parallel', String(os.availableParallelism())]);

const list = path.join(build, 'convolutions.txt');
const listed = spawnSync(process.execPath, ['--import', 'tsx', 'test/cuda/list-convolutions.ts', BATCH], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 1 << 26,
  stdio: ['ignore', 'pipe', 'inherit'],
});
if (listed.status !== 0) process.exit(1);
fs.writeFileSync(list, listed.stdout);
console.log(`${listed.stdout.trim().split('\n').length} convolutions, ${SMS.map((sm) => `sm_${sm}`).join(' ')}`);

const start = Date.now();
const shards = Math.max(1, Math.min(4, os.availableParallelism()));
const results = await Promise.all(
  Array.from({ length: shards }, (_, i) =>
    shard([list, String(i), String(shards), TYPES.join(','), SMS.join(','), '1,0']),
  ),
);
const counts = new Map(TYPES.map((type) => [type, [0, 0, 0, 0]]));
let broken = false;
for (const { code, output } of results) {
  if (code !== 0 && code !== 1) broken = true;
  for (const line of output.split('\n')) {
    if (line.startsWith('failed')) console.log(line);
    const [word, type, ...numbers] = line.split(' ');
    if (word === 'count') counts.get(type).forEach((n, i, sums) => (sums[i] = n + Number(numbers[i])));
  }
}
let passed = 0;
let failed = 0;
for (const [type, [ok, not, padded, widened]] of counts) {
  passed += ok;
  failed += not;
  const notes = [padded && `${padded} with the input padded beforehand`, widened && `${widened} in float32`];
  console.log(
    `${type}: ${ok} passed, ${not} failed${notes.some(Boolean) ? ` (${notes.filter(Boolean).join(', ')})` : ''}`,
  );
}
console.log(`took ${Math.round((Date.now() - start) / 1000)} s`);
if (broken || passed === 0) failed += 1;
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function run(file, words) {
  const { status } = spawnSync(file, words, { stdio: ['ignore', 'ignore', 'inherit'], cwd: root });
  if (status !== 0) process.exit(status ?? 1);
}

function shard(words) {
  return new Promise((resolve) => {
    const child = spawn(path.join(build, 'bin', 'fovea_cudnn_plans'), words, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.on('error', (error) => resolve({ code: 2, output: error.message }));
    child.on('close', (code) => resolve({ code, output }));
  });
}
