import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatCounts } from '../support/count-reporter.js';
import {
  buildFingerprint,
  firstErrors,
  headerFolders,
  nativeSources,
  which,
  whyNodeModulesAreStale,
} from '../../scripts/setup.mjs';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const SETUP = path.join(ROOT, 'scripts/setup.mjs');

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fovea-tooling-'));
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

function put(file: string, content: unknown): void {
  const absolute = path.join(folder, file);
  fs.mkdirSync(path.dirname(absolute), { recursive: true });
  fs.writeFileSync(absolute, typeof content === 'string' ? content : JSON.stringify(content));
}

describe('set-up', () => {
  test('says why node_modules does not match the lock file', () => {
    const packages = {
      '': { name: 'x' },
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
      'node_modules/other-system': { version: '1.0.0', integrity: 'sha512-o', optional: true },
    };
    put('package-lock.json', { packages });
    expect(whyNodeModulesAreStale(folder)).toMatch(/missing/);

    const installed = { 'node_modules/a': packages['node_modules/a'] };
    put('node_modules/.package-lock.json', { packages: installed });
    expect(whyNodeModulesAreStale(folder)).toBe('node_modules/a is missing');

    put('node_modules/a/package.json', '{}');
    expect(whyNodeModulesAreStale(folder)).toBeUndefined();

    put('package-lock.json', {
      packages: { ...packages, 'node_modules/a': { version: '1.0.1', integrity: 'sha512-b' } },
    });
    expect(whyNodeModulesAreStale(folder)).toBe('node_modules/a is 1.0.0, package-lock.json asks for 1.0.1');
  });

  test('compiles again when a source changes, and not for a new time stamp', () => {
    put('CMakeLists.txt', 'project(x)');
    put('native/core/a.cc', 'int a;');
    put('native/cpu/sources.cmake', 'list()');
    put('native/notes.md', 'not a source');
    expect(nativeSources(folder)).toEqual(['CMakeLists.txt', 'native/core/a.cc', 'native/cpu/sources.cmake']);
    const before = buildFingerprint(folder);
    fs.utimesSync(path.join(folder, 'native/core/a.cc'), 1, 1);
    expect(buildFingerprint(folder)).toBe(before);
    put('native/core/a.cc', 'int b;');
    expect(buildFingerprint(folder)).not.toBe(before);
  });

  test('shows what went wrong in a build', () => {
    const compiler = ['[ 10%] Building', 'a.cc:1:9: error: expected', 'gmake: *** [Makefile:91: all] Error 2'].join(
      '\n',
    );
    expect(firstErrors(compiler, 12)).toBe('a.cc:1:9: error: expected');
    const cmake = ['-- found', 'CMake Error at CMakeLists.txt:17 (message):', '  oneDNN is missing', '-- rest'].join(
      '\n',
    );
    expect(firstErrors(cmake, 2)).toBe('CMake Error at CMakeLists.txt:17 (message):\n  oneDNN is missing');
    expect(firstErrors('one\ntwo\nthree\n', 2)).toBe('two\nthree');
  });

  test('finds programs on the path', () => {
    put('bin/tool', '#!/bin/sh');
    expect(which('tool', path.join(folder, 'bin'))).toBeUndefined();
    fs.chmodSync(path.join(folder, 'bin/tool'), 0o755);
    expect(which('tool', path.join(folder, 'bin'))).toBe(path.join(folder, 'bin/tool'));
  });

  test('looks for headers where a package manager on the path installs to, behind what the environment names', () => {
    put('here/bin/brew', '#!/bin/sh');
    fs.chmodSync(path.join(folder, 'here/bin/brew'), 0o755);
    const env = { PATH: path.join(folder, 'here/bin'), CPATH: '/a', DNNL_ROOT: '/b' };
    const folders = headerFolders(env);
    expect(folders.slice(0, 2)).toEqual(['/a', '/b/include']);
    expect(folders.at(-1)).toBe(path.join(folder, 'here/include'));
    expect(headerFolders({ ...env, PATH: '' })).toEqual(folders.slice(0, -1));
  });

  test('names what is missing, changes nothing with --check, and is quick', () => {
    const start = performance.now();
    // Nothing on the PATH: no compiler, no make, no cmake, no apt-get.
    const result = spawnSync(process.execPath, [SETUP, '--check'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, PATH: folder, CXX: '' },
    });
    expect(performance.now() - start).toBeLessThan(2000);
    expect(result.status).toBe(1);
    expect(result.stdout).toMatch(/a C\+\+ compiler, make or ninja, CMake/);
    expect(result.stderr).toMatch(/reference backend/);
  });

  test('refuses an option it does not know', () => {
    const result = spawnSync(process.execPath, [SETUP, '--chekc'], { encoding: 'utf8' });
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/--chekc/);
  });
});

describe('the last line of a test run', () => {
  test('has a fixed form', () => {
    expect(formatCounts({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
    expect(formatCounts({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
  });

  test('counts tests, files that do not load, and stray errors', () => {
    const reporter = pathToFileURL(path.join(ROOT, 'test/support/count-reporter.ts')).href;
    put(
      'vitest.config.ts',
      `import R from ${JSON.stringify(fileURLToPath(reporter))};
      export default { test: { globals: true, include: ['*.test.ts'], reporters: ['default', new R()] } };`,
    );
    put(
      'some.test.ts',
      `test('good', () => {}); test('bad', () => { throw new Error('as intended'); }); test.skip('not now', () => {});`,
    );
    put('broken.test.ts', `throw new Error('does not load');`);
    put('stray.test.ts', `test('good', () => { void Promise.reject(new Error('stray')); });`);
    const vitest = path.join(ROOT, 'node_modules/vitest/vitest.mjs');
    const result = spawnSync(process.execPath, [vitest, 'run', '--root', folder], { cwd: folder, encoding: 'utf8' });
    expect(result.status).toBe(1);
    expect(result.stdout.trimEnd().split('\n').at(-1)).toBe('2 passed, 3 failed, 1 skipped');
  });
});
