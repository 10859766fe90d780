#!/usr/bin/env node
/**
 * `npm run bench:gpu -- [--only fashion,resnet34] [--steps N]`: training steps and inference on a real card, in float32,
 * TF32, bfloat16 and float16, with and without CUDA graphs, each in a fresh process. Prints a Markdown table and writes a
 * report into runs/; without a card `skipped: no CUDA device (reason)`.
 */
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { gpu, root, surroundings, writeReport } from './gpu.mjs';

/** Names of bench/workload.ts with a batch that fills a card. */
const ROWS = [
  { workload: 'fashion', batch: 128, steps: 200 },
  { workload: 'resnet34', batch: 64, steps: 30 },
  { workload: 'vgg16', batch: 32, steps: 20 },
  { workload: 'alexnet', batch: 128, steps: 50 },
  { workload: 'xception', batch: 32, steps: 20 },
  { workload: 'infer-resnet50', batch: 32, steps: 50 },
];
const VARIANTS = [
  { name: 'f32', dtype: 'f32', env: {} },
  { name: 'f32, not recorded', dtype: 'f32', env: { FOVEA_CUDA_GRAPHS: '0' } },
  { name: 'f32, timed', dtype: 'f32', env: { FOVEA_CUDA_AUTOTUNE: '1' } },
  { name: 'TF32', dtype: 'f32', env: { FOVEA_CUDA_TF32: '1' } },
  { name: 'bf16', dtype: 'bf16', env: {} },
  { name: 'f16', dtype: 'f16', env: {} },
];

const words = process.argv.slice(2);
const option = (name) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
const only = option('--only')?.split(',');

const device = gpu();
console.log(`${device.name}: ${device.description}\n`);
console.log('| workload | batch | variant | ms a step | examples a second |\n|---|---|---|---|---|');
const results = [];
for (const { workload, batch, steps } of ROWS.filter((row) => only?.includes(row.workload) ?? true)) {
  for (const { name, dtype, env } of VARIANTS) {
    const script = [path.join('bench', 'workload.ts'), workload, '--dtype', dtype, '--batch', String(batch)];
    const run = spawnSync(
      process.execPath,
      ['--import', 'tsx', ...script, '--steps', option('--steps') ?? String(steps)],
      { cwd: root, encoding: 'utf8', env: { ...process.env, FOVEA_DEVICE: device.name, ...env } },
    );
    const lines = (run.stdout ?? '').split('\n').filter((line) => line.startsWith('{'));
    const timing = Object.assign({}, ...lines.map((line) => JSON.parse(line)));
    const failed = run.status !== 0 || timing.ms === undefined;
    const error = failed ? run.stderr.trim().split('\n').slice(-8).join('\n') : undefined;
    results.push({ workload, batch, variant: name, ...timing, ...(failed ? { error } : {}) });
    const ms = failed ? 'failed' : timing.ms.toFixed(2);
    console.log(
      `| ${workload} | ${batch} | ${name} | ${ms} | ${failed ? '' : Math.round((batch * 1000) / timing.ms)} |`,
    );
  }
}
writeReport('gpu-bench', { ...surroundings(device), results });
process.exit(results.some(({ error }) => error) ? 1 : 0);
