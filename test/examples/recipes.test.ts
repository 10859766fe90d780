import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { program } from '../support/program.js';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

test.each(['alexnet', 'googlenet', 'resnet', 'xception'])('the recipe of %s runs', { timeout: 180_000 }, (name) => {
  const flags = ['--images', '16', '--batch-size', '8', '--epochs', '1'];
  const recipe = program(path.join(ROOT, 'examples/recipes', `${name}.ts`));
  const result = spawnSync(process.execPath, [recipe, ...flags], { cwd: ROOT, encoding: 'utf8' });
  expect(result.stderr).not.toMatch(/Error/);
  expect(result.status).toBe(0);
  expect(result.stdout).toMatch(/val_(predictions_)?accuracy: \d/);
});
