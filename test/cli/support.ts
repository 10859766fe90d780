import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { unit } from '../support/fill.js';
import { program } from '../support/program.js';

export const MAIN = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

export interface Result {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Options {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly watch?: (stderr: string, child: ChildProcess) => void;
}

/** Runs `fovea` as a process of its own. */
export async function fovea(args: readonly string[], options: Options = {}): Promise<Result> {
  return run([program(MAIN), ...args], options);
}

/** Runs a TypeScript file as it is, module by module. */
export async function runSource(args: readonly string[]): Promise<Result> {
  return run(['--import', TSX, ...args], {});
}

async function run(args: readonly string[], { cwd, env, watch }: Options): Promise<Result> {
  const child = spawn(process.execPath, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
    watch?.(stderr, child);
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, stdout, stderr };
}

function idx(shape: number[], body: Uint8Array): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.set([0, 0, 8, shape.length]);
  shape.forEach((dimension, axis) => head.writeUInt32BE(dimension, 4 + 4 * axis));
  return Buffer.concat([head, body]);
}

/** The four files of a small MNIST: a bright square on a dark ground, whose place tells the class. */
export async function writeTinyMnist(folder: string, train = 120, test = 40): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, count, seed] of [
    ['train', train, 1],
    ['t10k', test, 2],
  ] as const) {
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
    const images = Uint8Array.from({ length: count * 784 }, (_, i) => {
      const [label, y, x] = [Math.floor(i / 784) % 10, Math.floor((i % 784) / 28), i % 28];
      const inside = Math.floor(y / 7) * 4 + Math.floor(x / 7) === label;
      return Math.floor(60 * unit(seed, i)) + (inside ? 190 : 0);
    });
    await writeFile(path.join(folder, `${name}-images-idx3-ubyte`), idx([count, 28, 28], images));
    await writeFile(path.join(folder, `${name}-labels-idx1-ubyte`), idx([count], labels));
  }
}
