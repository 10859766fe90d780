import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import bindings from 'bindings';
import { cacheFolder } from '../../util/cache-folder.js';
import type { NativeAddon } from './addon.js';

/** The addon, or why it could not be loaded. */
export type LoadResult = { readonly addon: NativeAddon } | { readonly reason: string };

const require = createRequire(import.meta.url);
const ROOT = findRoot(path.dirname(fileURLToPath(import.meta.url)));

/** What to do when there is no addon: a clone has a program that installs what is missing, an installed package not. */
export const HOW_TO_BUILD = existsSync(path.join(ROOT, 'scripts/setup.mjs'))
  ? 'Build the addon with "npm run setup" (it needs a C++ compiler, CMake and oneDNN, and installs or names them)'
  : `Build the addon with "npx node-gyp rebuild" in ${ROOT} (it needs a C++ compiler, CMake and oneDNN)`;

let loaded: LoadResult | undefined;

/**
 * Loads the native addon, once: from the path in `FOVEA_ADDON`, else from this package's own `build/` (a developer's
 * build wins), else from the package that holds the prebuilt one for this platform.
 */
export function loadAddon(): LoadResult {
  loaded ??= withNativeEnvironment(findAddon);
  return loaded;
}

function findAddon(): LoadResult {
  const chosen = process.env['FOVEA_ADDON'];
  if (chosen) return attempt(`FOVEA_ADDON=${chosen}`, () => require(path.resolve(chosen)) as NativeAddon);
  const built = attempt('build/', loadBuilt);
  if ('addon' in built) return built;
  const name = platformPackage();
  const packaged = attempt(name, () => require(name) as NativeAddon);
  if ('addon' in packaged) return packaged;
  return { reason: `${built.reason}; ${packaged.reason}` };
}

/** Where cmake-js and binding.gyp leave the addon: `bindings` knows a dozen places more, and each costs time to miss. */
const BUILT = ['Release', 'Debug'].map((configuration) => ['module_root', 'build', configuration, 'bindings']);

function loadBuilt(): NativeAddon {
  return require(bindings({ bindings: 'fovea', module_root: ROOT, path: true, try: BUILT })) as NativeAddon;
}

function platformPackage(): string {
  const libc = process.platform === 'linux' ? '-gnu' : '';
  return `@fovea/addon-${process.platform}-${process.arch}${libc}`;
}

function attempt(from: string, load: () => NativeAddon): LoadResult {
  try {
    return { addon: load() };
  } catch (error) {
    return { reason: `${from}: ${reasonOf(error)}` };
  }
}

/** The first line of an error; a long list of paths that were tried says no more than "not built". */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith('Could not locate the bindings file')) return 'no fovea.node has been built';
  if ((error as { code?: unknown }).code === 'MODULE_NOT_FOUND') return 'not installed';
  return message.split('\n', 1)[0]!;
}

/**
 * Calls `load` with what the native side reads from the environment when it is loaded:
 *
 * - OpenMP is told not to spin for long between two kernels: its threads would take the event loop's core;
 * - the folder in which convolutions remember which implementation was fastest (`FOVEA_TUNING`; empty for none).
 *
 * The environment is put back at once, and children inherit nothing. (A Worker that loads the addon before the main
 * thread does has a copy of the environment only, and changes nothing.)
 */
function withNativeEnvironment<T>(load: () => T): T {
  const { env } = process;
  const set: Record<string, string> = {};
  if (env['OMP_WAIT_POLICY'] === undefined && env['GOMP_SPINCOUNT'] === undefined) set['GOMP_SPINCOUNT'] = SPIN_COUNT;
  if (env['FOVEA_TUNING'] === undefined) set['FOVEA_TUNING'] = tuningFolder();
  Object.assign(env, set);
  try {
    return load();
  } finally {
    for (const name of Object.keys(set)) delete env[name];
  }
}

/** The folder for what was timed, made if need be; empty when it cannot be made, and then nothing is remembered. */
function tuningFolder(): string {
  try {
    const folder = cacheFolder('tuning');
    mkdirSync(folder, { recursive: true });
    return folder;
  } catch {
    return '';
  }
}

/**
 * Some 20 microseconds: enough between two kernels, and far less than a time slice. Two threads that have to share a
 * core would else spend their slices waiting for each other at every barrier: beside one busy process on two cores, a
 * step of 30 ms took 1050 ms with OpenMP's own setting, and takes 70 with this one.
 */
const SPIN_COUNT = '1000';

/** The nearest folder with a package.json: this package's, or that of a program into which it is bundled. */
function findRoot(from: string): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json'))) return folder;
    if (folder === path.dirname(folder)) return from;
  }
}
