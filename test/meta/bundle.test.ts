/** The published JavaScript: bundled, it must find what the sources find, and share one library among its entries. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

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

test('gives every class and function the name that it has in the sources', async () => {
  const namesOf = (module: Record<string, unknown>): [key: string, name: string][] =>
    Object.entries(module).flatMap(([key, value]) => [
      ...(typeof value === 'function' ? ([[key, value.name]] as [string, string][]) : []),
      ...Object.entries(typeof value === 'object' ? (value as object) : {}).map(([inner, part]): [string, string] => [
        `${key}.${inner}`,
        (part as { name?: string }).name ?? typeof part,
      ]),
    ]);
  const sources = [await import('../../lib/index.js'), await import('../../models/index.js')].map(namesOf);
  const program = `
    const namesOf = ${namesOf.toString()};
    const modules = [await import('./dist/lib/index.js'), await import('./dist/models/index.js')];
    console.log(JSON.stringify(modules.map(namesOf)));`;
  const { status, stdout, stderr } = node('--input-type=module', '--eval', program);
  expect(status, stderr).toBe(0);
  const published = JSON.parse(stdout) as typeof sources;
  published.forEach((names, i) => expect(new Map(names)).toEqual(new Map(sources[i])));
});

test('has a command line that knows its version', () => {
  const { status, stdout, stderr } = node('dist/lib/cli/main.js', '--version');
  expect(status, stderr).toBe(0);
  expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+/);
});

test('brings the licences of the code of others', () => {
  const text = readFileSync(path.join(ROOT, 'dist/lib/bundle.LICENSES.txt'), 'utf8');
  for (const name of ['env-paths', 'picocolors']) expect(text).toContain(`${name}\n`);
  expect(text).toContain('Permission is hereby granted');
});

describe('the cache of compiled code', () => {
  // Inside the clone: the bundle finds its dependencies in the folders above.
  mkdirSync(path.join(ROOT, 'build'), { recursive: true });
  const lib = mkdtempSync(path.join(ROOT, 'build/bundle-'));
  afterAll(() => rmSync(lib, { recursive: true, force: true }));

  beforeEach(() => {
    rmSync(lib, { recursive: true });
    for (const name of ['bundle.cjs', 'load.js', 'index.js']) {
      cpSync(path.join(ROOT, 'dist/lib', name), path.join(lib, name), { preserveTimestamps: true });
    }
    writeFileSync(path.join(lib, 'package.json'), '{ "type": "module" }');
  });

  const caches = (): string[] => readdirSync(lib).filter((name) => name.endsWith('.cache'));
  const cacheFile = (): string => path.join(lib, caches()[0]!);
  /** Runs a program; tells whether V8 took the library's code from the cache. */
  const run = (env: NodeJS.ProcessEnv = {}, ...flags: string[]): boolean => {
    const program = `
      import { ones } from '${lib}/index.js';
      import { cached } from '${lib}/load.js';
      console.log(JSON.stringify({ cached, shape: ones([2, 3], { device: 'reference' }).shape }));`;
    const child = { cwd: ROOT, encoding: 'utf8', env: { ...process.env, NODE_V8_COVERAGE: '', ...env } } as const;
    const args = [...flags, '--input-type=module', '--eval', program];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, child);
    expect(status, stderr).toBe(0);
    const result = JSON.parse(stdout) as { cached: boolean; shape: number[] };
    expect(result.shape).toEqual([2, 3]);
    return result.cached;
  };

  test('is written by the first program, added to by three more, and then left alone', () => {
    expect(run()).toBe(false);
    expect(caches()).toHaveLength(1);
    for (let i = 0; i < 3; i++) expect(run()).toBe(true);
    const before = statSync(cacheFile(), { bigint: true }).ino;
    expect(run()).toBe(true);
    expect(statSync(cacheFile(), { bigint: true }).ino).toBe(before);
    expect(readdirSync(lib)).toHaveLength(5);
  });

  test.each([
    ['one byte is another', (bytes: Buffer) => ((bytes[bytes.length >> 1]! ^= 1), bytes)],
    ['it ends early', (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
    ['it is empty', () => Buffer.alloc(0)],
    ['it is something else', () => Buffer.from('no code at all, but longer than a trailer is')],
  ])('is not used where %s, and made anew', (_, spoil) => {
    run();
    writeFileSync(cacheFile(), spoil(readFileSync(cacheFile())));
    expect(run()).toBe(false);
    expect(run()).toBe(true);
  });

  test('does no harm where it cannot be written', () => {
    run();
    const name = cacheFile();
    rmSync(name);
    mkdirSync(name);
    expect(run()).toBe(false);
    expect(readdirSync(lib)).toHaveLength(5);
  });

  test('is not used for a bundle that was changed', () => {
    run();
    utimesSync(path.join(lib, 'bundle.cjs'), 1, 1);
    expect(run()).toBe(false);
    expect(run()).toBe(true);
  });

  test('is one for each set of V8 flags', () => {
    run();
    expect(run({}, '--max-old-space-size=1000')).toBe(false);
    expect(caches()).toHaveLength(2);
    expect(run()).toBe(true);
    expect(run({}, '--max-old-space-size=1000')).toBe(true);
  });

  test('is named by V8 without flags, and refused where a program sets some by itself', () => {
    const program = path.join(lib, 'program.mjs');
    const start = (before = ''): boolean => {
      writeFileSync(program, `${before}\nconst { cached } = await import('./load.js');\nconsole.log(cached);`);
      const env = { ...process.env, NODE_V8_COVERAGE: '', NODE_OPTIONS: '' };
      const { status, stdout, stderr } = spawnSync(process.execPath, [program], { cwd: ROOT, encoding: 'utf8', env });
      expect(status, stderr).toBe(0);
      return stdout.trim() === 'true';
    };
    expect(start()).toBe(false);
    expect(caches()).toEqual([`bundle-${process.versions.v8}-${process.arch}.cache`]);
    expect(start()).toBe(true);
    expect(start(`import v8 from 'node:v8'; v8.setFlagsFromString('--no-opt');`)).toBe(false);
    expect(start()).toBe(false);
    expect(start()).toBe(true);
    expect(caches()).toHaveLength(1);
  });

  test('is neither read nor written where that is asked for, nor under coverage and with source maps', () => {
    const coverage = mkdtempSync(path.join(tmpdir(), 'fovea-coverage-'));
    for (const [env, ...flags] of [
      [{ FOVEA_CODE_CACHE: '0' }],
      [{ NODE_V8_COVERAGE: coverage }],
      [{}, '--enable-source-maps'],
    ] as const) {
      expect(run(env, ...flags)).toBe(false);
    }
    rmSync(coverage, { recursive: true });
    expect(caches()).toEqual([]);
  });

  test('is not published', () => {
    run();
    cpSync(cacheFile(), path.join(ROOT, 'dist/lib/bundle-0.cache'));
    const npm = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: ROOT, encoding: 'utf8' });
    rmSync(path.join(ROOT, 'dist/lib/bundle-0.cache'));
    expect(npm.status, npm.stderr).toBe(0);
    expect(npm.stdout).toContain('dist/lib/bundle.cjs');
    expect(npm.stdout).not.toContain('.cache"');
  });
});
