#!/usr/bin/env node
/**
 * `npm run test:gpu`: the tests of the cuda backend on a real card. Runs the conformance suite, the golden ops (among
 * them what another card printed), the trajectories, optimizers and 16-bit training on cuda:0: with plans recorded as CUDA
 * graphs, without, and with timed convolutions. Writes a report into runs/. Prints `N passed, N failed`, or `skipped: no CUDA device (reason)`.
 */
import { spawnSync } from 'node:child_process';
import { gpu, root, surroundings, writeReport } from './gpu.mjs';

const FILES = [
  ...['test/conformance', 'test/ops', 'test/layers', 'test/cuda'],
  ...['test/training/trajectory', 'test/training/mixed-precision', 'test/optimizers'],
];
const RUNS = [
  { name: 'recorded', env: {} },
  { name: 'not recorded', env: { FOVEA_CUDA_GRAPHS: '0' } },
  {
    name: 'timed convolutions',
    env: { FOVEA_CUDA_AUTOTUNE: '1' },
    files: ['test/conformance/ops', 'test/ops/golden-ops'],
  },
];

const device = gpu();
console.log(`${device.name}: ${device.description}`);
const runs = [];
for (const { name, env, files = FILES } of RUNS) {
  console.log(`\n== ${name}`);
  const start = Date.now();
  const result = spawnSync('npx', ['vitest', 'run', ...files], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, FOVEA_TEST_DEVICES: device.name, ...env },
  });
  process.stdout.write(result.stdout);
  const count = [...result.stdout.matchAll(/^(\d+) passed, (\d+) failed/gm)].at(-1);
  runs.push({
    name,
    seconds: (Date.now() - start) / 1000,
    passed: Number(count?.[1] ?? 0),
    failed: Number(count?.[2] ?? (result.status === 0 ? 0 : 1)),
    // eslint-disable-next-line no-control-regex
    failures: [...result.stdout.replace(/\u001b\[[0-9;]*m/g, '').matchAll(/^ FAIL {2}(.*)$/gm)].map(
      (match) => match[1],
    ),
  });
}
writeReport('gpu-test', { ...surroundings(device), runs });
const sum = (key) => runs.reduce((total, run) => total + run[key], 0);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
process.exit(sum('failed') === 0 && sum('passed') > 0 ? 0 : 1);
