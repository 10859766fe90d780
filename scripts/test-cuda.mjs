/**
 * `npm run test:cuda`: the tests of the cuda backend on the emulator, which stands in for NVIDIA's libraries on host
 * memory; nothing here is a statement about a GPU. Builds addon, plugin and emulator into build/cuda-test (device code
 * for one architecture), then runs
 *
 * - the emulator's own tests, and the status codes of the real cuDNN beside the emulator's, where the SDK is there;
 * - the conformance suite, the golden ops and the trajectories with `FOVEA_TEST_DEVICES=cuda:0`, work done at once, as
 *   late as possible, and in shuffled order.
 *
 * Arguments: the orders to run (eager, lazy, shuffle; all by default), or `--build-only`. The last line is
 * `N passed, N failed`, or `skipped: <reason>` where CUDA's compiler or headers are missing.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const build = path.join(root, 'build', 'cuda-test');
const emulator = path.join(build, 'emulator');
const addon = path.join(build, 'Release', 'fovea.node');
const bin = path.join(build, 'bin');

/** What runs in every order of the emulated device's work: late and shuffled this, at once all below. */
const EVERY = ['conformance', 'cuda', 'graph/compile', 'ops/golden-ops', 'training/fit', 'training/trajectory'];

/** What runs in each order, with cuda:0 as the device wherever a test names none. */
const SUITES = {
  eager: [
    ...['autograd', 'conformance', 'cuda', 'graph', 'initializers', 'layers', 'losses', 'metrics', 'ops'],
    ...['optimizers', 'random', 'regularizers', 'tensor', 'training'],
  ],
  lazy: EVERY,
  shuffle: EVERY,
};

const totals = { passed: 0, failed: 0 };

function count(text) {
  const line = [...text.matchAll(/^(\d+) passed, (\d+) failed/gm)].at(-1);
  if (!line) return false;
  totals.passed += Number(line[1]);
  totals.failed += Number(line[2]);
  return true;
}

/** Runs a program and passes its output on. Returns what it printed. */
function run(label, file, args, env = {}) {
  console.log(`\n---- ${label}`);
  const result = spawnSync(file, args, {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.stdout.write(result.stdout ?? '');
  return { ok: result.status === 0, text: result.stdout ?? '', status: result.status ?? result.signal };
}

/** A test program or suite whose last line counts; without a count a failure is one. */
function test(label, file, args, env) {
  const result = run(label, file, args, env);
  if (!count(result.text)) {
    totals[result.ok ? 'passed' : 'failed']++;
    if (!result.ok) console.log(`${label}: ended with ${result.status}`);
  }
}

/** Configures anew each time: what was missing the last time may be there now. */
function buildAll() {
  const jobs = String(os.availableParallelism());
  const architectures = process.env['FOVEA_CUDA_ARCHITECTURES'] ?? '90';
  const options = ['--out', build, '--config', 'Release', '--parallel', jobs];
  options.push('--CDFOVEA_EMULATOR=ON', `--CDFOVEA_CUDA_ARCHITECTURES=${architectures}`);
  fs.mkdirSync(build, { recursive: true });
  const steps = ['configure', 'build'];
  let log = '';
  for (const step of steps) {
    const args = ['cmake-js', step, ...options];
    const result = spawnSync('npx', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
    log += `${result.stdout}${result.stderr}`;
    fs.writeFileSync(path.join(build, 'build.log'), log);
    const missing = /Fovea: no cuda plugin: (.*)/.exec(log);
    if (missing) return { skipped: missing[1] };
    if (result.status !== 0) {
      console.log(log.split('\n').slice(-60).join('\n'));
      return { failed: true };
    }
  }
  return {};
}

/** The folders of the real libraries, from the build's cache. */
function realLibraries() {
  const cache = fs.readFileSync(path.join(build, 'CMakeCache.txt'), 'utf8');
  const value = (name) => new RegExp(`^${name}:[A-Z]+=(.*)$`, 'm').exec(cache)?.[1];
  return ['FOVEA_CUDNN', 'FOVEA_CUBLAS', 'FOVEA_CUDART'].map((name) => path.dirname(value(name))).join(':');
}

/** The same descriptors to the real cuDNN, without a device, and to the double. */
function oracle() {
  const program = path.join(bin, 'fovea_cudnn_oracle');
  const real = run('status codes of the real cuDNN', program, [], { LD_LIBRARY_PATH: realLibraries() });
  const double = run('status codes of the emulated cuDNN', program, [], {
    LD_LIBRARY_PATH: emulator,
    FOVEA_EMU_NO_DRIVER: '1',
  });
  const [a, b] = [real, double].map(({ text }) => text.trim().split('\n'));
  const lines = Math.max(a.length, b.length);
  for (let i = 0; i < lines; i++) {
    const same = a[i] === b[i];
    totals[same ? 'passed' : 'failed']++;
    if (!same) console.log(`the real cuDNN: ${a[i]}, the emulated one: ${b[i]}`);
  }
}

/** Every symbol that the plugin wants is in the real libraries. */
function undefinedSymbols() {
  const plugin = fs.readdirSync(path.dirname(addon)).find((name) => /^fovea_cuda\d+\.so$/.test(name));
  const file = path.join(path.dirname(addon), plugin);
  const result = run('ldd -r against the real libraries', 'ldd', ['-r', file], { LD_LIBRARY_PATH: realLibraries() });
  const wrong = result.text.split('\n').filter((line) => /undefined symbol|not found/.test(line));
  totals[result.ok && wrong.length === 0 ? 'passed' : 'failed']++;
}

const arguments_ = process.argv.slice(2);
const orders = Object.keys(SUITES).filter((order) => arguments_.includes(order));
const built = buildAll();
if (built.skipped) {
  console.log(`skipped: ${built.skipped}`);
  process.exit(0);
}
if (built.failed) {
  console.log('0 passed, 1 failed');
  process.exit(1);
}
if (!arguments_.includes('--build-only')) {
  for (const order of ['eager', 'lazy', 'shuffle']) {
    test(`the emulator itself, ${order}`, path.join(bin, 'fovea_emulator_test'), [], {
      LD_LIBRARY_PATH: emulator,
      FOVEA_EMU_ASYNC: order,
      FOVEA_EMU_STRICT: '1',
    });
  }
  oracle();
  undefinedSymbols();
  for (const order of orders.length > 0 ? orders : Object.keys(SUITES)) {
    const files = SUITES[order].map((name) => `test/${name}`);
    test(`device cuda:0 on the emulator, ${order}`, 'npx', ['vitest', 'run', ...files], {
      LD_LIBRARY_PATH: emulator,
      FOVEA_CUDA: '1',
      FOVEA_CUDA_PATH: emulator,
      FOVEA_ADDON: addon,
      FOVEA_TEST_DEVICES: 'cuda:0',
      FOVEA_DEVICE: 'cuda:0',
      FOVEA_EMU_ASYNC: order,
      FOVEA_EMU_STRICT: '1',
      FOVEA_TEST_EMULATOR: emulator,
    });
  }
}
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 ? 0 : 1);
