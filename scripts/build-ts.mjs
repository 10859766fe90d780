#!/usr/bin/env node
/**
 * Builds dist/ from lib/ and models/: declarations by tsc, with the hand-written ones that it skips, and JavaScript by
 * esbuild, in one file, which scripts/published/load.mjs loads: to resolve, read and compile 400 modules took Node most of
 * the time of `import 'fovea'`.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundle } from './bundle.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const dist = path.join(root, 'dist');

// What a renamed source leaves behind would be published.
fs.rmSync(dist, { recursive: true, force: true });
const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

// All entries lie in one file, each behind a function that evaluates it.
const ENTRIES = { lib: 'lib/index', models: 'models/index', cli: 'lib/cli/run' };
const entries = Object.entries(ENTRIES);
const bundled = path.join(dist, 'lib/bundle.cjs');
const sources = await bundle(root, Object.fromEntries(entries.map(([name, entry]) => [name, `${entry}.ts`])), bundled);

// What users import: the exports of an entry, from the bundle that load.js loads.
fs.copyFileSync(path.join(root, 'scripts/published/load.mjs'), path.join(dist, 'lib/load.js'));
const library = {};
createRequire(bundled)(bundled)(library, createRequire(bundled), bundled);
for (const [name, entry] of entries) {
  const loader = path.dirname(entry) === 'lib' ? './load.js' : path.relative(path.dirname(entry), 'lib/load.js');
  const names = Object.keys(library[name]()).sort().join(', ');
  fs.writeFileSync(
    path.join(dist, `${entry}.js`),
    `import { library } from '${loader}';\nexport const { ${names} } = library.${name}();\n`,
  );
}
await build({
  absWorkingDir: root,
  entryPoints: ['lib/cli/main.ts'],
  outdir: 'dist/lib/cli',
  platform: 'node',
  target: 'node20',
  format: 'esm',
});

// The bundle holds other people's code, and their licences ask to be told.
const packages = new Set(sources.flatMap((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []));
const notices = [...packages].sort().map((name) => {
  const folder = path.join(root, 'node_modules', name);
  const licence = fs.readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
  if (licence === undefined) throw new Error(`${name}: expected a licence to publish with its code, found none`);
  return `${name}\n\n${fs.readFileSync(path.join(folder, licence), 'utf8')}`;
});
fs.writeFileSync(path.join(dist, 'lib/bundle.LICENSES.txt'), notices.join('\n\n'));

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
