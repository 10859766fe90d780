import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { devices } from '../../lib/index.js';
import { convolutionsOf, goldenConvolutions, line, residualConvolutionsOf } from './convolutions.js';

const card = process.env['FOVEA_TEST_EMULATOR'] === undefined && devices().present.some(({ kind }) => kind === 'cuda');
const root = path.resolve(import.meta.dirname, '../..');
/** The emulated device works late: no matter to programs that find none. */
const late = (process.env['FOVEA_EMU_ASYNC'] ?? 'eager') !== 'eager';

describe.skipIf(late).each(['test-gpu.mjs', 'bench-gpu.mjs'])('scripts/%s', (script) => {
  const run = (env: Record<string, string>): { status: number | null; stdout: string } =>
    spawnSync(process.execPath, [path.join(root, 'scripts', script)], {
      cwd: root,
      env: { ...process.env, FOVEA_DEVICE: undefined, ...env },
      encoding: 'utf8',
    });

  // On a card the last of these would run the script in earnest.
  test.each([
    ['CUDA is turned off', { FOVEA_CUDA: '0' }],
    ['the addon is not there', { FOVEA_ADDON: path.join(root, 'no addon.node') }],
    ...(card ? [] : [['there is no driver', { FOVEA_CUDA: '1', FOVEA_EMU_NO_DRIVER: '1' }] as const]),
  ] as const)('says that it is skipped and why where %s', { timeout: 60_000 }, (_name, env) => {
    const { status, stdout } = run(env);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^skipped: no CUDA device \(.{10,}\)\n$/);
    expect(stdout).not.toMatch(/passed/);
  });
});

describe('the list for npm run test:cudnn-plans', () => {
  test('has every convolution of a network, and once more those that add a residual', { timeout: 60_000 }, () => {
    const [all, residual] = [convolutionsOf('resnet50', 8), residualConvolutionsOf('resnet50', 8)];
    expect(all).toHaveLength(53);
    // The last convolution of a block adds the shortcut.
    expect(residual).toHaveLength(16);
    const plain = new Set(all.map(line));
    for (const c of residual) {
      expect(c.padding).toEqual([0, 0, 0, 0]);
      expect(plain).toContain(line({ ...c, residual: false }));
      expect(plain).not.toContain(line(c));
    }
  });

  test('has asymmetric paddings, strides, dilations, groups and a transposed convolution', () => {
    const cases = goldenConvolutions();
    expect(cases.length).toBeGreaterThan(20);
    expect(cases.some(({ padding: [top, bottom] }) => top !== bottom)).toBe(true);
    expect(cases.some(({ strides }) => strides[0] !== 1)).toBe(true);
    expect(cases.some(({ dilations }) => dilations[0] !== 1)).toBe(true);
    expect(cases.some(({ groups, x }) => groups > 1 && groups < x[3]!)).toBe(true);
    expect(cases.some(({ groups, x }) => groups > 1 && groups === x[3]!)).toBe(true);
  });
});
