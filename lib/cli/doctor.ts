import { access, constants, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import path from 'node:path';
import { currentDevice, data, devices, layers, optimizers, Sequential } from '../index.js';
import { HOW_TO_BUILD, loadAddon } from '../backends/native/index.js';
import { packageInfo } from './environment.js';
import { bytes } from './output.js';

/** One thing that was looked at. A warning leaves training possible. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failure';
  readonly detail: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** What `fovea doctor` finds. */
export interface DoctorReport {
  /** Whether a training step ran. */
  readonly canTrain: boolean;
  /** The device that it ran on, or would have. */
  readonly device: string;
  readonly devices: ReturnType<typeof devices>;
  readonly checks: readonly Check[];
}

const require = createRequire(import.meta.url);

/** Packages that are loaded when something needs them. */
const OPTIONAL: readonly [name: string, use: string][] = [
  ['sharp', 'decoding photos (fovea predict, image folders)'],
  ['vega', 'drawing the curves of run folders'],
  ['vega-lite', 'drawing the curves of run folders'],
];

/** Looks at everything that training and running models needs. */
export async function doctor(): Promise<DoctorReport> {
  const found = devices();
  const step = await trainingStep();
  const optional = await Promise.all(OPTIONAL.map(([name, use]) => optionalPackage(name, use)));
  const checks = [
    await nodeVersion(),
    addon(),
    ...found.present.map((device): Check => {
      const memory = device.memoryBytes === undefined ? '' : `, ${bytes(device.memoryBytes)}`;
      const can = device.capabilities.length > 0 ? ` (${device.capabilities.join(' ')})` : '';
      return { name: `device ${device.name}`, status: 'ok', detail: `${device.description}${memory}${can}` };
    }),
    ...found.missing.map(({ name, reason, remedy }): Check => ({
      ...{ name: `device ${name}`, status: 'warning', detail: `not available: ${reason}`, remedy },
    })),
    threads(),
    memory(),
    await cache(),
    ...optional,
    step.check,
  ];
  return { canTrain: step.check.status !== 'failure', device: step.device, devices: found, checks };
}

async function nodeVersion(): Promise<Check> {
  const { engines } = await packageInfo();
  const least = /\d+(\.\d+)*/.exec(engines?.['node'] ?? '')?.[0] ?? '20.19';
  const detail = `${process.version} on ${process.platform} ${process.arch}`;
  if (compareVersions(process.versions.node, least) >= 0) return { name: 'node', status: 'ok', detail };
  return {
    ...{ name: 'node', status: 'failure', detail: `${detail}: expected ${least} or later` },
    remedy: 'Install a newer Node: https://nodejs.org',
  };
}

/** Negative when `a` is older. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number)) as [number[], number[]];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function addon(): Check {
  const loaded = loadAddon();
  if (!('addon' in loaded)) {
    return {
      ...{ name: 'native addon', status: 'warning', detail: `not available: ${loaded.reason}` },
      remedy: `${HOW_TO_BUILD}; without it models run on the slow reference backend`,
    };
  }
  // What `require` has loaded, and from where, whichever of the places it was.
  const file = Object.keys(require.cache).find((name) => name.endsWith('.node') && /fovea/.test(path.basename(name)));
  return { name: 'native addon', status: 'ok', detail: file ?? 'loaded' };
}

function threads(): Check {
  const set = ['OMP_NUM_THREADS', 'GOMP_CPU_AFFINITY', 'OMP_WAIT_POLICY'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
  const model = cpus()[0]?.model.trim() ?? 'processor';
  const detail = [`${availableParallelism()} usable, ${cpus().length} in all (${model})`, ...set].join(', ');
  return { name: 'threads', status: 'ok', detail };
}

function memory(): Check {
  const detail = `${bytes(freemem())} free of ${bytes(totalmem())}`;
  const limit = process.constrainedMemory();
  const limited = limit > 0 && limit < totalmem() ? `, limited to ${bytes(limit)}` : '';
  return { name: 'memory', status: 'ok', detail: detail + limited };
}

async function cache(): Promise<Check> {
  const folder = data.cacheFolder();
  const probe = path.join(folder, `.probe-${process.pid}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(probe, 'x');
    await readFile(probe);
    return { name: 'cache folder', status: 'ok', detail: folder };
  } catch (error) {
    const detail = `${folder}: cannot be written: ${(error as Error).message}`;
    const remedy = 'Set FOVEA_CACHE to a folder that can be written: data sets and weights are kept there';
    return { name: 'cache folder', status: 'warning', detail, remedy };
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}

async function optionalPackage(name: string, use: string): Promise<Check> {
  const label = `package ${name}`;
  let reason: string;
  try {
    // Loading is what tells: a package may be installed for another platform.
    await import(name);
    return { name: label, status: 'ok', detail: `${await versionOf(name)}, for ${use}` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const absent = code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${name}'`);
    reason = absent ? 'not installed' : `does not load: ${message.trim().split('\n', 1)[0]}`;
  }
  return { name: label, status: 'warning', detail: `${reason}; needed for ${use}`, remedy: `npm install ${name}` };
}

async function versionOf(name: string): Promise<string> {
  for (const folder of require.resolve.paths(name) ?? []) {
    const file = path.join(folder, name, 'package.json');
    try {
      await access(file, constants.R_OK);
      return (JSON.parse(await readFile(file, 'utf8')) as { version: string }).version;
    } catch {
      // Not there.
    }
  }
  return 'installed';
}

/** Trains a small model on the chosen device, for a step. */
async function trainingStep(): Promise<{ device: string; check: Check }> {
  const name = 'training step';
  let device = process.env['FOVEA_DEVICE'] ?? 'none';
  try {
    device = currentDevice();
    const begin = performance.now();
    const model = new Sequential([
      layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [8, 8, 1] }),
      layers.flatten(),
      layers.dense({ units: 2 }),
    ]);
    model.compile({ optimizer: optimizers.sgd({ learningRate: 0.01 }), loss: 'meanSquaredError' });
    const x = { data: Float32Array.from({ length: 128 }, (_, i) => Math.sin(i)), shape: [2, 8, 8, 1] };
    const { loss } = await model.trainOnBatch(x, [
      [0, 1],
      [1, 0],
    ]);
    if (!Number.isFinite(loss)) throw new Error(`its loss is ${loss}`);
    const detail = `ran on ${device} in ${Math.round(performance.now() - begin)} ms`;
    if (device !== 'reference') return { device, check: { name, status: 'ok', detail } };
    const slow = `${detail}: the reference backend is hundreds of times slower than the native one`;
    return { device, check: { name, status: 'warning', detail: slow } };
  } catch (error) {
    return {
      device,
      check: {
        ...{ name, status: 'failure', detail: `on ${device}: ${(error as Error).message}` },
        remedy: process.env['FOVEA_DEVICE']
          ? 'Unset FOVEA_DEVICE, or set it to a device of the list above'
          : 'See above',
      },
    };
  }
}
