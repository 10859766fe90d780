#!/usr/bin/env node
/**
 * Sets up a clone: system packages, node_modules, the compiled addon. `npm test`, `npm run demo` and others call it
 * first, so it has to be quick when there is nothing to do, and it can use nothing but Node itself.
 *
 *   node scripts/setup.mjs [--quiet] [--dev] [--check] [--retry] [--no-system]
 *
 *   --quiet      print problems only
 *   --dev        also what a contributor needs (clang-format)
 *   --check      change nothing: say what is missing, and exit with 1 if anything is
 *   --retry      try system packages again whose installation failed within the last day
 *   --no-system  leave system packages alone (FOVEA_SETUP_SYSTEM=0 does the same)
 *
 * It exits with an error only when nothing could work afterwards: Node too old, or `npm ci` failed. Without a compiler
 * or oneDNN the library still runs, slowly, on its reference backend; then this says what to install.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const OLDEST_NODE = [20, 19];
const DAY_MS = 24 * 60 * 60 * 1000;

// ---------------------------------------------------------------------------------------------------------------------
// What is needed from the system, and how to see that it is there

/** The path of a program, or undefined. */
export function which(name, searchPath = process.env.PATH ?? '') {
  if (name.includes('/')) return isExecutable(name) ? name : undefined;
  for (const folder of searchPath.split(path.delimiter)) {
    if (folder === '') continue;
    const file = path.join(folder, name);
    if (isExecutable(file)) return file;
  }
  return undefined;
}

function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The C++ compiler that CMake would take. */
function findCompiler() {
  const wished = process.env.CXX?.split(' ')[0];
  for (const name of [wished, 'c++', 'g++', 'clang++']) {
    const file = name ? which(name) : undefined;
    if (file) return file;
  }
  return undefined;
}

/**
 * Folders where oneDNN's header may be, in order. Homebrew and MacPorts install beside the `bin` that their own program
 * is in, wherever that is.
 */
export function headerFolders(env = process.env) {
  const managers = ['brew', 'port'].map((program) => which(program, env.PATH)).filter(Boolean);
  const prefixes = [
    env.DNNL_ROOT,
    env.DNNLROOT,
    ...(env.CMAKE_PREFIX_PATH ?? '').split(/[:;]/),
    '/usr',
    '/usr/local',
    ...managers.map((program) => path.dirname(path.dirname(program))),
  ].filter(Boolean);
  return [...(env.CPATH ?? '').split(':').filter(Boolean), ...prefixes.map((p) => path.join(p, 'include'))];
}

/** The folder that holds oneDNN's header. */
function findOneDnn() {
  const folders = headerFolders();
  return folders.find((f) => ['dnnl.hpp', 'oneapi/dnnl/dnnl.hpp'].some((h) => fs.existsSync(path.join(f, h))));
}

const DATASET_FOLDER = '/usr/share/datasets/fashion-mnist';

/**
 * One entry per need. `names` holds the package's name for each package manager; a manager without one has no such
 * package, or does not need it.
 */
const NEEDS = [
  {
    what: 'a C++ compiler',
    for: 'addon',
    find: findCompiler,
    names: { apt: 'g++', dnf: 'gcc-c++', pacman: 'gcc' },
  },
  {
    what: 'make or ninja',
    for: 'addon',
    find: () => which('make') ?? which('ninja'),
    names: { apt: 'make', dnf: 'make', pacman: 'make' },
  },
  {
    what: 'CMake',
    for: 'addon',
    find: () => which('cmake'),
    names: { apt: 'cmake', dnf: 'cmake', pacman: 'cmake', brew: 'cmake' },
  },
  {
    what: 'oneDNN with its headers',
    for: 'addon',
    find: findOneDnn,
    names: { apt: 'libdnnl-dev', dnf: 'onednn-devel', pacman: 'onednn', brew: 'onednn' },
  },
  {
    what: 'the Fashion-MNIST images',
    for: 'data',
    find: () => (fs.existsSync(path.join(DATASET_FOLDER, 'train-images-idx3-ubyte.gz')) ? DATASET_FOLDER : undefined),
    names: { apt: 'dataset-fashion-mnist' },
  },
  {
    what: 'clang-format',
    for: 'dev',
    find: () => which('clang-format'),
    names: { apt: 'clang-format', dnf: 'clang-tools-extra', pacman: 'clang', brew: 'clang-format' },
  },
];

const MANAGERS = [
  { id: 'apt', program: 'apt-get', command: (names) => `apt-get install -y --no-install-recommends ${names}` },
  { id: 'dnf', program: 'dnf', command: (names) => `dnf install ${names}` },
  { id: 'pacman', program: 'pacman', command: (names) => `pacman -S --needed ${names}` },
  { id: 'brew', program: 'brew', command: (names) => `brew install ${names}` },
];

// ---------------------------------------------------------------------------------------------------------------------
// Output, commands, state

class Output {
  constructor(quiet) {
    this.quiet = quiet;
    this.started = false;
  }

  /** Something that is being done, or was. */
  say(text) {
    if (this.quiet) return;
    if (!this.started) {
      console.log('Setting up fovea');
      this.started = true;
    }
    console.log(`  ${text}`);
  }

  /** Something that the user has to know, or do. */
  warn(text) {
    console.error(text.replace(/^/gm, '  '));
  }
}

class SetupError extends Error {}

/** Runs a command with its output kept in a log under .setup/, and says how long it took. */
function runStep(ctx, label, file, args, options = {}) {
  const start = performance.now();
  ctx.out.say(`${label} ...`);
  const logFile = path.join(ctx.stateFolder, options.log ?? 'setup.log');
  const log = fs.openSync(logFile, 'w');
  const result = spawnSync(file, args, {
    cwd: ctx.root,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', log, log],
  });
  fs.closeSync(log);
  const text = fs.readFileSync(logFile, 'utf8');
  const ok = result.status === 0;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (ok) ctx.out.say(`${label}: done in ${seconds} s`);
  const reason = result.error ? result.error.message : (result.signal ?? `exit status ${result.status}`);
  return { ok, text, reason, logFile: path.relative(ctx.root, logFile) };
}

function tail(text, lines) {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function writeState(ctx) {
  const file = path.join(ctx.stateFolder, 'state.json');
  fs.writeFileSync(`${file}.tmp`, `${JSON.stringify(ctx.state, null, 2)}\n`);
  fs.renameSync(`${file}.tmp`, file);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Two set-ups at once would take node_modules from under each other: the second waits for the first. */
function lock(ctx) {
  const file = path.join(ctx.stateFolder, 'lock');
  let told = false;
  for (;;) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
      process.on('exit', () => fs.rmSync(file, { force: true }));
      for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = Number(fs.readFileSync(file, { encoding: 'utf8', flag: 'a+' }));
    if (owner > 0 && !isAlive(owner)) {
      fs.rmSync(file, { force: true });
      continue;
    }
    if (!told) ctx.out.say(`waiting for another set-up that is running here (process ${owner})`);
    told = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Step 1: system packages

export function missingNeeds(kinds) {
  return NEEDS.filter((need) => kinds.has(need.for) && need.find() === undefined);
}

/** How to become root without asking: [] as root, ['sudo', '-n'] with a passwordless sudo, otherwise undefined. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  const sudo = which('sudo');
  if (sudo && spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore' }).status === 0) return [sudo, '-n'];
  return undefined;
}

function describe(need, manager) {
  const name = manager && need.names[manager.id];
  return name ? `${name} (${need.what})` : need.what;
}

/** What the user would have to type, or undefined where no known package manager has anything for it. */
function commandFor(needs, manager, asRoot) {
  const names = needs.map((need) => manager && need.names[manager.id]).filter(Boolean);
  if (names.length === 0) return undefined;
  return `${asRoot || manager.id === 'brew' ? '' : 'sudo '}${manager.command(names.join(' '))}`;
}

/** The packages among `names` that apt knows a version of. */
function aptKnows(names) {
  const result = spawnSync('apt-cache', ['policy', ...names], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const known = new Set();
  let current;
  for (const line of (result.stdout ?? '').split('\n')) {
    const header = /^(\S+):$/.exec(line);
    if (header) current = header[1];
    const candidate = /^\s+Candidate: (.+)$/.exec(line);
    if (candidate && candidate[1] !== '(none)' && current) known.add(current);
  }
  return names.filter((name) => known.has(name));
}

function aptInstall(ctx, prefix, needs) {
  const names = needs.map((need) => need.names.apt);
  const aptGet = (label, args, log) => {
    const [file, ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args];
    return runStep(ctx, label, file, [...rest, '-q', '-o', 'DPkg::Lock::Timeout=120'], { log });
  };
  const update = () => aptGet('apt-get update', ['update'], 'apt-update.log');
  const install = (list) =>
    aptGet(
      `apt-get install -y --no-install-recommends ${list.join(' ')}`,
      ['install', '-y', '--no-install-recommends', ...list],
      'apt-install.log',
    );

  let known = aptKnows(names);
  let updated = false;
  if (known.length < names.length) {
    const result = update();
    updated = true;
    if (!result.ok) ctx.out.warn(`apt-get update failed (${result.reason}):\n${tail(result.text, 5)}`);
    known = aptKnows(names);
  }
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) ctx.out.warn(`apt-get knows no package ${unknown.join(', ')} on this system.`);
  if (known.length === 0) return;
  let result = install(known);
  if (!result.ok && !updated && update().ok) {
    // Package lists older than the mirror name files that are gone.
    result = install(known);
  }
  if (!result.ok) {
    ctx.out.warn(
      `apt-get install failed (${result.reason}; all of it in ${result.logFile}):\n${tail(result.text, 15)}`,
    );
  }
}

function setUpSystem(ctx) {
  const kinds = new Set(['addon', 'data']);
  if (ctx.flags.dev) kinds.add('dev');
  let missing = missingNeeds(kinds);
  if (missing.length === 0) return missing;

  const manager = MANAGERS.find((m) => which(m.program));
  ctx.out.say(`missing on this system: ${missing.map((need) => describe(need, manager)).join(', ')}`);
  const installable = manager?.id === 'apt' ? missing.filter((need) => need.names.apt) : [];
  const prefix = installable.length > 0 && !ctx.flags.check ? rootPrefix() : undefined;
  const names = installable.map((need) => need.names.apt).join(' ');
  const failedBefore = ctx.state.systemFailed;
  const failedLately =
    failedBefore?.names === names && Date.now() - Date.parse(failedBefore.at) < DAY_MS && !ctx.flags.retry;

  if (prefix && !ctx.flags.noSystem && !failedLately) {
    ctx.out.say(`installing with apt-get${prefix.length > 0 ? ' through sudo' : ''}: ${names}`);
    aptInstall(ctx, prefix, installable);
    missing = missingNeeds(kinds);
    const still = missing.map((need) => need.names.apt).filter(Boolean);
    ctx.state.systemFailed = still.length > 0 ? { names: still.join(' '), at: new Date().toISOString() } : undefined;
  } else if (prefix && failedLately && !ctx.flags.noSystem) {
    ctx.out.say(`installing them failed at ${failedBefore.at}; try again with: npm run setup -- --retry`);
  }
  if (missing.length > 0) explainMissing(ctx, missing, manager, prefix?.length === 0 || process.getuid?.() === 0);
  return missing;
}

function explainMissing(ctx, missing, manager, asRoot) {
  const lines = [];
  const of = (kind) => missing.filter((need) => need.for === kind);
  const list = (needs) => needs.map((need) => describe(need, manager)).join(', ');
  if (of('addon').length > 0) {
    lines.push(
      `Missing for the fast backend: ${list(of('addon'))}.`,
      'Without that the library works on its reference backend, which is correct but many times slower.',
    );
  }
  if (of('data').length > 0) {
    lines.push(`Missing: ${list(of('data'))}. They are downloaded when they are first used, if this machine may.`);
  }
  if (of('dev').length > 0) lines.push(`Missing for "npm run lint" over native/: ${list(of('dev'))}.`);
  const command = commandFor(missing, manager, asRoot);
  if (command) lines.push(`To install what is missing:  ${command}`);
  ctx.out.warn(lines.join('\n'));
}

// ---------------------------------------------------------------------------------------------------------------------
// Step 2: node_modules

/**
 * Why node_modules does not match package-lock.json, or undefined when it does. npm writes what it installed to
 * node_modules/.package-lock.json as its last act; comparing the two costs milliseconds and needs no stamp, so an
 * `npm install` by hand counts as well.
 */
export function whyNodeModulesAreStale(root) {
  const wanted = readJson(path.join(root, 'package-lock.json'));
  if (wanted === undefined)
    return fs.existsSync(path.join(root, 'node_modules')) ? undefined : 'node_modules is missing';
  const installed = readJson(path.join(root, 'node_modules/.package-lock.json'));
  if (installed === undefined) return 'node_modules is missing or incomplete';
  for (const [where, entry] of Object.entries(wanted.packages)) {
    if (where === '') continue;
    const found = installed.packages[where];
    if (found === undefined) {
      // Packages for other systems are left out by npm.
      if (entry.optional || entry.devOptional || entry.peer) continue;
      return `${where} is missing`;
    }
    if (found.version !== entry.version || found.integrity !== entry.integrity) {
      return `${where} is ${found.version}, package-lock.json asks for ${entry.version}`;
    }
    if (!fs.existsSync(path.join(root, where, 'package.json'))) return `${where} is missing`;
  }
  return undefined;
}

function npmCommand() {
  // Inside an npm script this is npm's own program; it may be another package manager's, too.
  const fromEnv = process.env.npm_execpath;
  if (fromEnv && /npm-cli\.c?js$/.test(fromEnv) && fs.existsSync(fromEnv)) return [process.execPath, fromEnv];
  const npm = which('npm');
  return npm ? [npm] : undefined;
}

function setUpNodeModules(ctx) {
  const why = whyNodeModulesAreStale(ctx.root);
  if (why === undefined) return true;
  ctx.out.say(`packages from npm: ${why}`);
  if (ctx.flags.check) return false;
  const npm = npmCommand();
  if (npm === undefined)
    throw new SetupError('npm is not on the PATH; it comes with Node, or as its own package "npm".');
  const [file, ...args] = npm;
  // The tests and the demo need the tools, whatever NODE_ENV or the user's configuration says.
  const flags = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  // onnxruntime-node (the tests of the ONNX export) would download CUDA libraries where it sees nvcc.
  const env = { ONNXRUNTIME_NODE_INSTALL: 'skip' };
  const result = runStep(ctx, 'npm ci', file, [...args, ...flags], { log: 'npm-ci.log', env });
  if (!result.ok) {
    throw new SetupError(`npm ci failed (${result.reason}); nothing can run without it:\n${tail(result.text, 30)}`);
  }
  return true;
}

// ---------------------------------------------------------------------------------------------------------------------
// Step 3: the addon

/** Every file that the addon is made from, relative to the root, sorted. */
export function nativeSources(root) {
  const files = [];
  const walk = (folder) => {
    for (const entry of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(name);
      else if (/\.(cc|cpp|c|cu|h|hpp|cuh|inc|in|txt|cmake)$/.test(entry.name)) files.push(name);
    }
  };
  if (fs.existsSync(path.join(root, 'native'))) walk('native');
  if (fs.existsSync(path.join(root, 'CMakeLists.txt'))) files.push('CMakeLists.txt');
  return files.sort();
}

/** What a build depends on: the sources, the headers from npm, the compiler and oneDNN. */
export function buildFingerprint(root) {
  const hash = createHash('sha256');
  const add = (name, value) => hash.update(`${name}\0${value}\0`);
  for (const file of nativeSources(root)) add(file, fs.readFileSync(path.join(root, file)).toString('latin1'));
  const locked = readJson(path.join(root, 'package-lock.json'))?.packages ?? {};
  for (const name of ['node-addon-api', 'node-api-headers']) add(name, locked[`node_modules/${name}`]?.version ?? '');
  add('version', readJson(path.join(root, 'package.json'))?.version ?? '');
  add('system', `${process.platform}-${process.arch}`);
  const compiler = findCompiler();
  add('compiler', compiler ? fs.realpathSync(compiler) : '');
  const oneDnn = findOneDnn();
  add('oneDNN', oneDnn ?? '');
  for (const header of ['dnnl_version.h', 'oneapi/dnnl/dnnl_version.h']) {
    const file = oneDnn && path.join(oneDnn, header);
    if (file && fs.existsSync(file)) add(header, fs.readFileSync(file, 'latin1'));
  }
  return hash.digest('hex');
}

function builtAddon(root) {
  const folder = path.join(root, 'build/Release');
  if (!fs.existsSync(folder)) return undefined;
  const name = fs.readdirSync(folder).find((file) => file.endsWith('.node'));
  return name && path.join(folder, name);
}

/** The lines of a build's output that tell what went wrong. */
export function firstErrors(text, most) {
  const lines = text.trimEnd().split('\n');
  // What CMake has to say follows the line that says "CMake Error".
  const cmake = lines.findIndex((line) => line.startsWith('CMake Error'));
  const compiler = lines.filter((line) => /error:|undefined reference/i.test(line));
  if (compiler.length > 0) return compiler.slice(0, most).join('\n');
  return (cmake >= 0 ? lines.slice(cmake, cmake + most) : lines.slice(-most)).join('\n');
}

function setUpAddon(ctx, missing) {
  if (!fs.existsSync(path.join(ctx.root, 'CMakeLists.txt'))) return true;
  const fingerprint = buildFingerprint(ctx.root);
  const addon = builtAddon(ctx.root);
  if (addon && ctx.state.addon === fingerprint) return true;
  if (missing.some((need) => need.for === 'addon')) return false;
  ctx.out.say(addon ? 'the addon is older than its sources' : 'the addon is not compiled yet');
  if (ctx.flags.check) return false;

  const cmakeJs = path.join(ctx.root, 'node_modules/cmake-js/bin/cmake-js');
  const jobs = String(os.availableParallelism());
  const compile = (command) =>
    runStep(
      ctx,
      `compiling the addon (cmake-js ${command}, ${jobs} jobs)`,
      process.execPath,
      [cmakeJs, command, '--config', 'Release', '--parallel', jobs],
      { log: 'addon.log' },
    );
  // Configuring anew costs a second, and finds what was installed since the last time.
  const configured = runStep(
    ctx,
    'configuring the addon',
    process.execPath,
    [cmakeJs, 'configure', '--config', 'Release'],
    {
      log: 'addon.log',
    },
  );
  let result = configured.ok ? compile('build') : configured;
  if (!configured.ok && /CMakeCache\.txt directory .* is different|generator used previously/s.test(configured.text)) {
    // A build folder that was configured elsewhere, or for another generator, cannot be used again.
    result = compile('rebuild');
  }
  if (!result.ok || !builtAddon(ctx.root)) {
    const shown = firstErrors(result.text, 12);
    ctx.out.warn(
      `Compiling the addon failed (${result.reason}; all of it in ${result.logFile}). First errors:\n` +
        `${shown}\n` +
        (builtAddon(ctx.root)
          ? 'The addon of the last build that succeeded stays in use.'
          : 'Without the addon the library works on its reference backend, which is correct but many times slower.'),
    );
    ctx.state.addon = undefined;
    return false;
  }
  ctx.state.addon = fingerprint;
  return true;
}

// ---------------------------------------------------------------------------------------------------------------------

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new SetupError(`fovea needs Node ${OLDEST_NODE.join('.')} or newer; this is Node ${process.versions.node}.`);
}

function parseFlags(args) {
  const known = {
    '--quiet': 'quiet',
    '--dev': 'dev',
    '--check': 'check',
    '--retry': 'retry',
    '--no-system': 'noSystem',
  };
  const flags = { noSystem: process.env.FOVEA_SETUP_SYSTEM === '0' };
  for (const arg of args) {
    if (!(arg in known)) throw new SetupError(`unknown option ${arg}; known: ${Object.keys(known).join(' ')}`);
    flags[known[arg]] = true;
  }
  return flags;
}

/** Returns the exit status. */
function main(args) {
  const start = performance.now();
  const out = new Output(args.includes('--quiet'));
  try {
    const flags = parseFlags(args);
    checkNode();
    const ctx = { root: ROOT, out, flags, stateFolder: path.join(ROOT, '.setup'), state: {} };
    const readState = () => {
      ctx.state = readJson(path.join(ctx.stateFolder, 'state.json')) ?? {};
    };
    if (!flags.check) {
      fs.mkdirSync(ctx.stateFolder, { recursive: true });
      lock(ctx);
    }
    readState();
    const missing = setUpSystem(ctx);
    // Kept even if the next step fails.
    if (!flags.check) writeState(ctx);
    const packages = setUpNodeModules(ctx);
    const addon = setUpAddon(ctx, missing);
    if (!flags.check) writeState(ctx);

    const complete = missing.length === 0 && packages && addon;
    const seconds = ((performance.now() - start) / 1000).toFixed(2);
    if (!flags.quiet) {
      if (complete && !out.started) console.log(`Set-up: all there (${seconds} s)`);
      else if (complete) console.log(`Set-up complete in ${seconds} s`);
      else console.log(flags.check ? 'Set-up: incomplete' : `Set-up done as far as it goes (${seconds} s)`);
    }
    return flags.check && !complete ? 1 : 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`Set-up failed: ${error.message}`);
    return 1;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
  process.exitCode = main(process.argv.slice(2));
}
