#!/usr/bin/env node
/**
 * clang-format over native/: `--check` fails where a file would change, `--write` changes it. Where clang-format is not
 * installed it says so and passes: the format is a contributor's concern, and `npm run setup -- --dev` installs it.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const write = process.argv.includes('--write');

const native = path.join(root, 'native');
const files = fs.existsSync(native)
  ? fs
      .readdirSync(native, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(cc|cpp|cu|h|hpp|cuh)$/.test(entry.name))
      .map((entry) => path.join(entry.parentPath, entry.name))
      .sort()
  : [];

if (files.length === 0) {
  console.log('clang-format: no native sources');
} else {
  const result = spawnSync('clang-format', [...(write ? ['-i'] : ['--dry-run', '-Werror']), ...files], {
    stdio: ['ignore', 'inherit', 'inherit'],
    cwd: root,
  });
  if (result.error?.code === 'ENOENT') {
    console.log('clang-format: not installed, native/ is not checked (npm run setup -- --dev installs it)');
  } else {
    if (result.error) throw result.error;
    if (result.status === 0) console.log(`clang-format: ${files.length} files ${write ? 'formatted' : 'are in form'}`);
    process.exitCode = result.status ?? 1;
  }
}
