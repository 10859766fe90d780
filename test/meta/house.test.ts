import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  checkIncludes,
  checkLength,
  checkPortable,
  checkZooImports,
  importedModules,
  MOST_LINES,
} from './house-rules.js';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

// ---- Exceptions, each with its reason -------------------------------------------------------------------------------

/** Files of lib/ and models/ that may be longer than the rest. */
const LONG_FILES: readonly string[] = [];

/** Folders of lib/ with no folder of the same name in test/. */
const UNMIRRORED: readonly string[] = [];

/** Folders of test/ that mirror no folder of lib/. */
const OTHER_TESTS = [
  'bench',
  'conformance',
  'cuda',
  'examples',
  'golden',
  'meta',
  'models',
  'native',
  'soak',
  'support',
];

// ---- The tree -------------------------------------------------------------------------------------------------------

/** The files of the project: what git tracks, or all but the ignored folders where there is no git. */
function projectFiles(): string[] {
  const git = spawnSync('git', ['-c', 'safe.directory=*', 'ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' });
  if (git.status === 0 && git.stdout.length > 0) {
    return git.stdout.split('\0').filter((file) => file !== '' && fs.existsSync(path.join(ROOT, file)));
  }
  const ignored = ['.git', '.setup', '.cache', '.venv', 'build', 'coverage', 'dist', 'node_modules', 'runs'];
  const files: string[] = [];
  const walk = (folder: string) => {
    for (const entry of fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
      if (ignored.includes(entry.name)) continue;
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(name);
      else if (entry.isFile()) files.push(name);
    }
  };
  walk('');
  return files;
}

function sourcesUnder(folder: string, extension: RegExp): string[] {
  const absolute = path.join(ROOT, folder);
  if (!fs.existsSync(absolute)) return [];
  return fs
    .readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extension.test(entry.name))
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}

function foldersIn(folder: string): string[] {
  const entries = fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

const read = (file: string) => fs.readFileSync(path.join(ROOT, file), 'utf8');

describe('native/', () => {
  const files = sourcesUnder('native', /\.(cc|cpp|cu|h|hpp|cuh|inc)$/);

  test('includes only what each folder may see: core <- cpu, cuda <- plan <- addon', () => {
    expect(files.length).toBeGreaterThan(0);
    expect(files.flatMap((file) => checkIncludes(file, read(file)))).toEqual([]);
  });

  test.each([
    ['core looks up', 'native/core/shape.h', '#include "cpu/conv.h"'],
    ['backends know nothing of plans', 'native/cpu/conv.cc', '#include "plan/plan.h"'],
    ['backends do not know each other', 'native/cpu/conv.cc', '#include "cuda/conv.h"'],
    ['a plan does not know the addon', 'native/plan/plan.cc', '#include "addon/buffer.h"'],
    ['in angle brackets as well', 'native/core/shape.h', '#include <plan/plan.h>'],
    ['a relative path', 'native/plan/plan.cc', '#include "../core/shape.h"'],
    ['a path that climbs', 'native/core/shape.cc', '#include "core/../plan/plan.h"'],
    ['no folder', 'native/core/shape.cc', '#include "shape.h"'],
    ['oneDNN outside of cpu', 'native/plan/plan.cc', '#include <dnnl.hpp>'],
    ['oneDNN by its long name', 'native/core/kernel.h', '#  include "oneapi/dnnl/dnnl.hpp"'],
    ['cuDNN outside of cuda', 'native/addon/devices.cc', '#include <cudnn.h>'],
    ['cuBLAS on the CPU', 'native/cpu/matmul.cc', '#include <cublasLt.h>'],
    ['N-API outside of addon', 'native/plan/engine.h', '#include <napi.h>'],
    ['a computed include', 'native/core/shape.cc', '#include HEADER'],
    ['a body of vector code from elsewhere', 'native/cpu/conv.cc', '#define FOVEA_BODY "plan/body.h"'],
    ['a computed body', 'native/cpu/conv.cc', '#define FOVEA_BODY HEADER'],
    ['an unknown folder', 'native/misc/thing.cc', ''],
    ['no folder at all', 'native/thing.cc', ''],
  ])('the rule can fail: %s', (_, file, text) => {
    expect(checkIncludes(file, `#include <vector>\n${text}\n`)).toHaveLength(1);
  });

  test('the rule passes what is allowed', () => {
    const plan =
      '#include "plan/plan.h"\n\n#include <vector>\n#include "core/kernel.h"\n// #include <napi.h>\n/*\n#include <dnnl.hpp>\n*/';
    expect(checkIncludes('native/plan/plan.cc', plan)).toEqual([]);
    expect(checkIncludes('native/cpu/conv.cc', '#include <dnnl.hpp>\n#include "cpu/engine.h"')).toEqual([]);
    expect(checkIncludes('native/cuda/kernels/bias.cu', '#include <cuda_runtime.h>\n#include "core/dtype.h"')).toEqual(
      [],
    );
    expect(checkIncludes('native/addon/init.cc', '#include <napi.h>\n#include "plan/plan.h"')).toEqual([]);
  });
});

describe('lib/ and models/', () => {
  const lib = sourcesUnder('lib', /\.ts$/);
  const models = sourcesUnder('models', /\.ts$/);

  test(`no file is longer than ${MOST_LINES} lines`, () => {
    const files = [...lib, ...models].filter((file) => !LONG_FILES.includes(file));
    expect(files.flatMap((file) => checkLength(file, read(file)))).toEqual([]);
    expect(LONG_FILES.filter((file) => checkLength(file, read(file)).length === 0)).toEqual([]);
    expect(checkLength('lib/long.ts', 'x\n'.repeat(MOST_LINES + 1))).toHaveLength(1);
    expect(checkLength('lib/short.ts', 'x\n'.repeat(MOST_LINES))).toEqual([]);
  });

  test('models/ imports only from the public index', () => {
    expect(models.flatMap((file) => checkZooImports(file, read(file)))).toEqual([]);
  });

  test('the rule about models/ can fail', () => {
    const bad = [
      "import { Tensor } from '../lib/tensor/tensor.js';",
      "import fs from 'node:fs';",
      "export * from '../lib/ops/index.js';",
      "import '../lib/backends/backend.js';",
      "const x = await import('../lib/graph/node.js');",
      "import {\n  a,\n  type B,\n} from '../test/support/x.js';",
    ];
    for (const text of bad) expect(checkZooImports('models/alexnet.ts', text), text).toHaveLength(1);
    const good =
      "import type { Model } from '../lib/index.js';\nimport { block } from './blocks.js';\nexport { x } from './x.js';";
    expect(importedModules(good)).toEqual(['../lib/index.js', './blocks.js', './x.js']);
    expect(checkZooImports('models/resnet.ts', good)).toEqual([]);
    expect(checkZooImports('models/deep/resnet.ts', "import { layers } from '../../lib/index.js';")).toEqual([]);
  });

  test('test/ mirrors lib/: each folder with sources has tests', () => {
    const withSources = foldersIn('lib').filter((name) => sourcesUnder(`lib/${name}`, /\.ts$/).length > 0);
    const untested = withSources.filter((name) => sourcesUnder(`test/${name}`, /\.test\.ts$/).length === 0);
    expect(untested.filter((name) => !UNMIRRORED.includes(name))).toEqual([]);
    expect(UNMIRRORED.filter((name) => !untested.includes(name))).toEqual([]);
  });

  test('test/ mirrors lib/: no folder of tests without its counterpart', () => {
    const known = [...foldersIn('lib'), ...OTHER_TESTS];
    expect(foldersIn('test').filter((name) => !known.includes(name))).toEqual([]);
  });
});

describe('the whole tree', () => {
  const files = projectFiles();

  test('the fixed top level is there', () => {
    const fixed = [
      ...['package.json', 'package-lock.json', 'CMakeLists.txt', 'binding.gyp'],
      ...['README.md', 'LICENSE', 'CHANGELOG.md', 'CONTRIBUTING.md', 'docs/architecture.md'],
      ...['native', 'lib', 'models', 'test', 'bench', 'examples', 'docs', 'scripts', '.ci/run'],
    ];
    expect(fixed.filter((name) => !fs.existsSync(path.join(ROOT, name)))).toEqual([]);
  });

  test('nothing else lies at the top', () => {
    const top = [...new Set(files.map((file) => file.split('/')[0] ?? ''))].filter((name) => !name.startsWith('.'));
    const known = [
      ...['package.json', 'package-lock.json', 'CMakeLists.txt', 'binding.gyp'],
      ...['README.md', 'LICENSE', 'CHANGELOG.md', 'CONTRIBUTING.md'],
      ...['tsconfig.json', 'tsconfig.build.json', 'vitest.config.ts', 'eslint.config.js'],
      ...['native', 'lib', 'models', 'test', 'bench', 'examples', 'docs', 'scripts'],
    ];
    expect(top.filter((name) => !known.includes(name))).toEqual([]);
  });

  test('no path of a machine and no registry in any text', () => {
    const text = /(\.(ts|mjs|cjs|js|json|md|cc|cpp|cu|h|hpp|cmake|txt|gyp|py|sh|yml|yaml|toml)|(^|\/)(\.[a-z-]+|run))$/;
    const checked = files.filter((file) => text.test(file) && !file.startsWith('test/golden/'));
    expect(checked.length).toBeGreaterThan(10);
    expect(checked.flatMap((file) => checkPortable(file, read(file)))).toEqual([]);
  });

  test('the rule about paths and registries can fail', () => {
    const slash = '/';
    for (const folder of ['work', 'root', 'home', 'tmp']) {
      expect(checkPortable('a.ts', `const x = '${slash}${folder}/someone/x.json';`), folder).toHaveLength(1);
    }
    expect(checkPortable('a.json', `{ "resolved"${':'} "https:${slash}/example.org/a.tgz" }`)).toHaveLength(1);
    expect(checkPortable('a.md', `https:${slash}/registry${'.'}npmjs.org/fovea`)).toHaveLength(1);
    expect(
      checkPortable('a.md', 'path.join(os.tmpdir(), x) or https://example.org/home/x or ./work/x or a/tmp/b'),
    ).toEqual([]);
  });

  test('what the lock file and the manifest pin is exact', () => {
    const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string> | undefined>;
    const pins = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
      Object.entries(manifest[kind] ?? {}),
    );
    expect(pins.length).toBeGreaterThan(0);
    expect(pins.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});
