/**
 * Called by binding.gyp: configures and builds with CMake in build/cmake, and leaves the addon where node-gyp's users
 * look for it (and where cmake-js puts it): build/Release or build/Debug.
 *
 *   node scripts/gyp-cmake.mjs <product folder> <Release|Debug>
 */
import { spawnSync } from 'node:child_process';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const [productFolder, configuration = 'Release'] = process.argv.slice(2);
if (productFolder === undefined) throw new Error('usage: gyp-cmake.mjs <product folder> [Release|Debug]');

// make exports its own flags and job server; CMake's make starts its own.
const env = { ...process.env };
for (const name of ['MAKEFLAGS', 'MFLAGS', 'MAKELEVEL']) delete env[name];

function run(file, args) {
  const result = spawnSync(file, args, { cwd: root, env, stdio: 'inherit' });
  if (result.error) {
    console.error(`cannot run ${file}: ${result.error.message} (Fovea is built by CMake; npm run setup installs it)`);
    process.exit(1);
  }
  if (result.status !== 0) process.exit(result.status ?? 1);
}

const build = path.join('build', 'cmake', configuration);
run('cmake', [
  '-S',
  '.',
  '-B',
  build,
  `-DCMAKE_BUILD_TYPE=${configuration}`,
  `-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=${path.resolve(root, productFolder)}`,
]);
run('cmake', ['--build', build, '--config', configuration, '--parallel', String(os.availableParallelism())]);
