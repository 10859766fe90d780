#!/usr/bin/env node
/**
 * Builds dist/ from lib/ and models/: declarations by tsc, with the hand-written ones that it skips, and JavaScript by
 * esbuild, in few files: to resolve and read 400 modules took Node most of the time of `import 'fovea'`.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const dist = path.join(root, 'dist');

// What a renamed source leaves behind would be published.
fs.rmSync(dist, { recursive: true, force: true });
const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

// What is imported when it is needed keeps a file of its own; names of classes and functions stay what they are.
await build({
  absWorkingDir: root,
  entryPoints: ['lib/index.ts', 'lib/cli/main.ts', 'models/index.ts'],
  outdir: 'dist',
  outbase: '.',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  keepNames: true,
  sourcemap: true,
  logLevel: 'warning',
});

// tsc reads .d.ts files but does not copy them; the declarations it writes refer to them.
for (const folder of ['lib', 'models']) {
  const from = path.join(root, folder);
  if (!fs.existsSync(from)) continue;
  for (const entry of fs.readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith('.d.ts')) continue;
    const file = path.relative(root, path.join(entry.parentPath, entry.name));
    fs.mkdirSync(path.dirname(path.join(dist, file)), { recursive: true });
    fs.copyFileSync(path.join(root, file), path.join(dist, file));
  }
}
