import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { program } from '../support/program.js';

// What the emulator is told to do wrong, and what a user sees of it. Run by `npm run test:cuda`.

const FOLDER = path.dirname(fileURLToPath(import.meta.url));
const emulated = process.env['FOVEA_TEST_EMULATOR'] !== undefined;
/** For what does not depend on when the device works. */
const once = emulated && (process.env['FOVEA_EMU_ASYNC'] ?? 'eager') === 'eager';

interface Outcome {
  readonly present: string[];
  readonly missing: { name: string; reason: string; remedy: string }[];
  readonly losses: number[];
  readonly error?: { code: string; message: string; op?: string };
  readonly after: number[];
  readonly again?: { code: string; message: string };
}

/** Trains in a process of its own with faults in the environment. */
function child(env: Record<string, string>, ...args: readonly string[]): Outcome {
  const result = spawnSync(process.execPath, [program(path.join(FOLDER, 'fault-child.ts')), ...args], {
    cwd: path.resolve(FOLDER, '../..'),
    // The child chooses its device itself; which one is the default is one of the things to see.
    env: { ...process.env, FOVEA_DEVICE: undefined, FOVEA_TUNING: '0', ...env },
    encoding: 'utf8',
    timeout: 120_000,
  });
  expect(result.signal, result.stderr).toBeNull();
  expect(result.status, result.stderr).toBe(0);
  return JSON.parse(result.stdout.trim().split('\n').at(-1)!) as Outcome;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fovea-faults-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!emulated)('without a fault', () => {
  test('the network trains, and the books hold as much after many steps as after few', { timeout: 240_000 }, () => {
    const books = (steps: number): string => {
      const file = path.join(folder, `books-${steps}`);
      const { losses } = child({ FOVEA_EMU_BOOKS: file }, String(steps));
      expect(losses).toHaveLength(steps);
      expect(losses.at(-1)!).toBeLessThan(losses[0]!);
      return readFileSync(file, 'utf8');
    };
    expect(books(24)).toBe(books(6));
  });

  test('two devices have names of their own', { timeout: 120_000 }, () => {
    const books = path.join(folder, 'books-of-two');
    const env = { FOVEA_EMU_DEVICES: '2', FOVEA_EMU_BOOKS: books };
    const second = child({ ...env, FAULT_DEVICE: 'cuda:1' });
    expect(second.present).toEqual(expect.arrayContaining(['cuda:0', 'cuda:1']));
    expect(second.error).toBeUndefined();
    expect(second.losses).toHaveLength(3);
    const blocks = readFileSync(books, 'utf8').match(/device block .* on device \d/g)!;
    expect(blocks.filter((block) => !block.endsWith('on device 1'))).toEqual([]);
    expect(child({ ...env, FAULT_DEVICE: 'cuda:0' }).losses).toEqual(second.losses);
  });

  test('one in a process trains beside the other', { timeout: 120_000 }, () => {
    const { losses, after, error } = child({ FOVEA_EMU_DEVICES: '2', FAULT_DEVICE: 'cuda:0,cuda:1' });
    expect(error).toBeUndefined();
    expect(losses).toHaveLength(3);
    expect(after).toEqual(losses);
  });

  test('a third of two devices is refused with the names of both', { timeout: 120_000 }, () => {
    const { error } = child({ FOVEA_EMU_DEVICES: '2', FAULT_DEVICE: 'cuda:2' });
    expect(error?.code).toBe('ERR_DEVICE');
    expect(error?.message).toMatch(/cuda:2 is unknown; there are: .*cuda:0, cuda:1/);
  });
});

describe.skipIf(!once)('where there is no device', () => {
  test.each([
    ['no driver', { FOVEA_EMU_NO_DRIVER: '1' }, /driver version is insufficient/],
    ['no device', { FOVEA_EMU_DEVICES: '0' }, /no CUDA-capable device|no device/],
    ['a cuDNN that is too old', { FOVEA_EMU_CUDNN_VERSION: '90700' }, /expected cuDNN 9\.8 or later.*cuDNN 9\.7/],
    ['a device that is too old', { FOVEA_EMU_SM: '70' }, /compute capability 7\.0, and 7\.5 \(Turing\) or later/],
    ['a driver that does not count', { FOVEA_EMU_FAIL: 'cudaGetDeviceCount:*=999' }, /cudaGetDeviceCount: .*, 999\)/],
    ['a device without properties', { FOVEA_EMU_FAIL: 'cudaGetDeviceProperties:*=999' }, /Properties: .*, 999\)/],
    ['a device without attributes', { FOVEA_EMU_FAIL: 'cudaDeviceGetAttribute:*=999' }, /Attribute \d+: .*, 999\)/],
    ['a setting that is none', { FOVEA_CUDA_TF32: 'maybe' }, /FOVEA_CUDA_TF32: expected 0 or 1, received 'maybe'/],
  ])('%s: the reason is told, and training goes on on the cpu', { timeout: 120_000 }, (_name, env, reason) => {
    const outcome = child({ ...env, FAULT_DEVICE: 'default' });
    expect(outcome.present.filter((name) => name.startsWith('cuda'))).toEqual([]);
    const row = outcome.missing.find(({ name }) => name.startsWith('cuda'))!;
    expect(row.reason).toMatch(reason);
    expect(row.remedy).toMatch(/^(Install|Update|Look|Use|Correct) /);
    expect(outcome.losses).toHaveLength(3);
  });
});

describe.skipIf(!emulated)('a fault that passes', () => {
  // Whatever fails, the error names the call and the sizes, and the same process trains on.
  test.each([
    ['a kernel is refused', 'cudaLaunchKernel:9=9', /cuda:0: cudaLaunchKernel \(\w+, 1 blocks of \d+ threads.* 9\)/],
    ['a copy is refused', 'cudaMemcpyAsync:4=1', /cuda:0: cudaMemcpyAsync \(copy to the device of \d+ bytes\).* 1\)/],
    ['cuBLAS does not run', 'cublasGemmEx:1=13', /"dense": cuda:0: cublasGemmEx \(matmul \[6,3\] x \[3,64\].*\(13\)/],
  ])('%s', { timeout: 120_000 }, (_name, fault, message) => {
    const { error, after, again } = child({ FOVEA_EMU_FAIL: fault });
    expect(error?.code).toBe('ERR_EXECUTION');
    expect(error?.message).toMatch(message);
    expect(again).toBeUndefined();
    expect(after).toHaveLength(2);
  });

  test.each([
    ['cuDNN does not start', 'cudnnCreate:1=1001', /conv2d "conv": cuda:0: cudnnCreate: CUDNN_STATUS_NOT_INITIALIZED/],
    ['cuBLAS does not start', 'cublasCreate:1=1', /matmul "dense": cuda:0: cublasCreate: .* \(1\)/],
  ])('%s', { timeout: 120_000 }, (_name, fault, message) => {
    const { error, after, again } = child({ FOVEA_EMU_FAIL: fault });
    expect(error?.code).toBe('ERR_DEVICE');
    expect(error?.message).toMatch(message);
    expect(again).toBeUndefined();
    expect(after).toHaveLength(2);
  });

  test('a plan of a convolution does not run: the next one does', { timeout: 120_000 }, () => {
    const { error, losses } = child({ FOVEA_EMU_FAIL: 'cudnnBackendExecute:1=5000' });
    expect(error).toBeUndefined();
    expect(losses).toHaveLength(3);
  });

  test('no plan of a convolution runs: its sizes are told', { timeout: 120_000 }, () => {
    const { error } = child({ FOVEA_EMU_FAIL: 'cudnnBackendExecute:*=5000' });
    expect(error?.code).toBe('ERR_EXECUTION');
    expect(error?.message).toMatch(/conv2d "conv": cuda:0: cudnnBackendExecute .*x \[6,8,8,3\], kernel \[3,3,3,4\]/);
  });

  test('no plan for a convolution: its sizes are told', { timeout: 120_000 }, () => {
    const { error } = child({ FOVEA_EMU_FAIL: 'cudnnBackendFinalize:plan:*=3000' });
    expect(error?.code).toBe('ERR_UNSUPPORTED');
    expect(error?.message).toMatch(/conv2d "conv": cuDNN has no plan for conv2d of float32, x \[6,8,8,3\]/);
  });

  test('one allocation fails: what is idle is given back, and it is tried again', { timeout: 120_000 }, () => {
    const { error, losses } = child({ FOVEA_EMU_FAIL: 'cudaMalloc:3=2' });
    expect(error).toBeUndefined();
    expect(losses).toHaveLength(3);
  });

  test('out of memory: asked, free and the largest holders are told', { timeout: 120_000 }, () => {
    const { error, losses } = child({ FOVEA_EMU_MEM_LIMIT: '24M' }, '2', '100000');
    expect(losses).toEqual([]);
    expect(error?.code).toBe('ERR_OUT_OF_MEMORY');
    expect(error?.message).toMatch(/cuda:0/);
    expect(error?.message).toMatch(/\d+(\.\d+)? [KMG]iB/);
  });
});

describe.skipIf(!emulated)('a fault that stays', () => {
  test.each([
    ['at the launch', 'cudaLaunchKernel:9=700s'],
    ['when the work runs', 'cudaLaunchKernel:9=700a'],
    ['in a copy', 'cudaMemcpyAsync:4=719s'],
    ['in an allocation', 'cudaMalloc:2=700s'],
    ['while the host waits', 'cudaStreamSynchronize:9=719s'],
    ['when a result is read', 'cudaEventSynchronize:1=700s'],
  ])('%s: later calls are refused with the first message', { timeout: 120_000 }, (_name, fault) => {
    const { error, again, after } = child({ FOVEA_EMU_FAIL: fault });
    expect(error?.code).toBe('ERR_DEVICE');
    expect(error?.message).toMatch(/illegal memory access|unspecified launch failure/);
    expect(after).toEqual([]);
    expect(again?.message).toMatch(/illegal memory access|unspecified launch failure/);
  });
});
