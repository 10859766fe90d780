/** The published JavaScript: bundled, it must find what the sources find, and share one library among its entries. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const node = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });

beforeAll(() => {
  const { status, stdout, stderr } = node('scripts/build-ts.mjs');
  expect(status, stdout + stderr).toBe(0);
}, 180_000);

test('predicts with a model of the other entry, natively where there is an addon, under the names of the sources', () => {
  const program = `
    import { devices, FoveaError, Model, ones } from './dist/lib/index.js';
    import { createModel } from './dist/models/index.js';
    const model = createModel('lenet5');
    const scores = await model.predict(ones([1, 32, 32, 1]));
    const sum = (await scores.data()).reduce((a, b) => a + b, 0);
    const names = [model.constructor.name, model.layers[1].constructor.name, new FoveaError('ERR_X', 'x').name];
    console.log(JSON.stringify({ same: model instanceof Model, sum, names, devices: devices().present.map((d) => d.name) }));`;
  const { status, stdout, stderr } = node('--input-type=module', '--eval', program);
  expect(status, stderr).toBe(0);
  const result = JSON.parse(stdout) as { same: boolean; sum: number; names: string[]; devices: string[] };
  expect(result.same).toBe(true);
  expect(result.sum).toBeCloseTo(1, 5);
  expect(result.names).toEqual(['Sequential', 'AveragePooling2D', 'FoveaError']);
  expect(result.devices).toContain('cpu');
});

test('has a command line that knows its version', () => {
  const { status, stdout, stderr } = node('dist/lib/cli/main.js', '--version');
  expect(status, stderr).toBe(0);
  expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+/);
});
