#!/usr/bin/env node
/**
 * Compares the networks of models/ with the originals: `npm run test:zoo` as CI does, `npm run test:zoo -- --full` also
 * small ones on the reference device, ONNX export and loading of published weights for every network, and all once more
 * with exact convolutions (no Winograd). Other arguments go to
 * vitest: `npm run test:zoo -- -t ResNet50`.
 */
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const words = process.argv.slice(2).filter((word) => word !== '--full');
const full = process.argv.includes('--full');

/** Runs vitest over files whose names contain one of the words; ends the process when a test fails. */
function run(files, env) {
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const result = spawnSync(process.execPath, [vitest, 'run', ...files, ...words], {
    stdio: 'inherit',
    cwd: root,
    env: { ...process.env, ...env },
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

// Export and published weights of every network take minutes: the suite itself runs a few.
const whole = ['test/weights/onnx/zoo', 'test/weights/hub/pretrained'];
run(['test/models/', ...(full ? whole : [])], full ? { FOVEA_ZOO_FULL: '1' } : {});
if (full) {
  console.log('\n== exact convolutions');
  run(['test/models/keras-equality', 'test/models/torch-zoo'], { FOVEA_EXACT: '1' });
}
