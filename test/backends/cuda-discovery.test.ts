import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { program } from '../support/program.js';

// What is said of CUDA where it does not work, on any machine: the addon lies in a folder of its own, beside files that
// are no plugins.

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const addon = path.resolve(process.env['FOVEA_ADDON'] ?? path.join(root, 'build/Release/fovea.node'));

interface Missing {
  readonly name: string;
  readonly reason: string;
  readonly remedy: string;
}

describe.skipIf(!existsSync(addon))('the search for CUDA', { timeout: 60_000 }, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'fovea-discovery-'));
    for (const sub of ['none', 'one', 'both', 'libraries']) mkdirSync(path.join(folder, sub));
    for (const sub of ['none', 'one', 'both']) copyFileSync(addon, path.join(folder, sub, 'fovea.node'));
    for (const name of ['one/fovea_cuda13.so', 'both/fovea_cuda13.so', 'both/fovea_cuda12.so']) {
      writeFileSync(path.join(folder, name), 'no plugin');
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The row of the device, and a step of training in the same process. */
  function child(sub: string, env: Record<string, string> = {}): Missing {
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [program(path.join(import.meta.dirname, 'cuda-discovery-child.ts'))],
      {
        encoding: 'utf8',
        env: {
          ...process.env,
          ...{ FOVEA_ADDON: path.join(folder, sub, 'fovea.node'), FOVEA_DEVICE: undefined, FOVEA_CUDA: '1' },
          ...{ FOVEA_CUDA_PATH: path.join(folder, 'libraries'), LD_LIBRARY_PATH: undefined, ...env },
        },
      },
    );
    expect(status, stderr).toBe(0);
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as Missing;
  }

  test('names the plugins of both versions where none was built', () => {
    const { reason, remedy } = child('none');
    expect(reason).toMatch(/the cuda plugin was not built: there is no .*none\/fovea_cuda13\.so, .*fovea_cuda12\.so/);
    expect(remedy).toMatch(/npm run cuda:sdk && npm run build:native/);
  });

  // Which library stops it depends on what the machine has; the plugins themselves never load.
  const STOPPED = String.raw`(lib\w+\.so\.\d+ (was not found \(looked in [^)]*libraries|does not load)|the plugin does not load)`;

  test('says for each version of CUDA what stopped it', () => {
    const { reason, remedy } = child('both');
    expect(reason).toMatch(new RegExp(`for CUDA 13: ${STOPPED}.*; for CUDA 12: ${STOPPED}`));
    expect(remedy).toMatch(/CUDA toolkit.*FOVEA_CUDA_PATH/);
  });

  test('and which version was not built', () => {
    const { reason } = child('one');
    expect(reason).toMatch(new RegExp(`for CUDA 13: ${STOPPED}.*; for CUDA 12: there is no .*fovea_cuda12\\.so`));
  });

  test('is left out where the user says so', () => {
    expect(child('both', { FOVEA_CUDA: '0' })).toEqual({
      name: 'cuda',
      reason: 'FOVEA_CUDA is 0',
      remedy: 'Unset FOVEA_CUDA',
    });
  });
});
