#!/usr/bin/env node
/**
 * Runs the long tests of test/soak, each in a process of its own (they measure memory and the event loop):
 * `npm run test:soak` runs all, `npm run test:soak -- memory` those whose name contains a word.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const folder = path.join(root, 'test/soak');
const words = process.argv.slice(2);
const files = (fs.existsSync(folder) ? fs.readdirSync(folder) : [])
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .sort();

if (files.length === 0) console.log(`no soak test${words.length > 0 ? ` is named ${words.join(' or ')}` : 's'}`);
let failed = words.length > 0 && files.length === 0 ? 1 : 0;
let passed = 0;
for (const name of files) {
  console.log(`\n== test/soak/${name}`);
  const result = spawnSync(process.execPath, ['--import', 'tsx', '--expose-gc', path.join(folder, name)], {
    stdio: 'inherit',
    cwd: root,
  });
  if (result.status === 0) passed++;
  else {
    failed++;
    console.log(
      `test/soak/${name} failed (${result.error?.message ?? result.signal ?? `exit status ${result.status}`})`,
    );
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
