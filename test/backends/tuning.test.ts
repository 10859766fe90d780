import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { devices } from '../../lib/index.js';
import { program } from '../support/program.js';

describe.skipIf(!devices().present.some((d) => d.name === 'cpu'))('remembered choices of convolutions', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'fovea-tuning-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function digest(tuning: string): string {
    const run = spawnSync(process.execPath, [program(path.join(import.meta.dirname, 'tuning-child.ts'))], {
      encoding: 'utf8',
      env: { ...process.env, FOVEA_TUNING: tuning },
    });
    expect(run.stderr).toBe('');
    return run.stdout.trim();
  }
  const files = (): string[] => readdirSync(folder);
  const lines = (): string[] => readFileSync(path.join(folder, files()[0]!), 'utf8').trim().split('\n');

  test('a later process chooses as the first did', () => {
    const first = digest(folder);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(files()).toHaveLength(1);
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toMatch(/^conv2d .*2 20 20 64 .*\t\w+/);
    expect(digest(folder)).toBe(first);
    expect(lines()).toHaveLength(1);
  });

  test('the file decides: another name gives the other implementation', () => {
    const file = path.join(folder, files()[0]!);
    const [key, name] = lines()[0]!.split('\t') as [string, string];
    const before = digest(folder);
    writeFileSync(file, `${key}\t${name.startsWith('winograd') ? 'onednn' : 'winograd'}\n`);
    expect(digest(folder)).not.toBe(before);
  });

  test('a damaged file, or none, does no harm', () => {
    writeFileSync(path.join(folder, files()[0]!), '\u0000\t\njunk\n\tno key\nconv2d\t\n');
    expect(digest(folder)).toMatch(/^[0-9a-f]{64}$/);
    expect(digest('')).toMatch(/^[0-9a-f]{64}$/);
    expect(digest(path.join(folder, 'missing'))).toMatch(/^[0-9a-f]{64}$/);
  });
});
