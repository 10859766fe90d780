import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Row, Wish } from './fault-series-child.js';
import { program } from '../support/program.js';

// Every call that the cuda backend makes, failing once: what is said, what is left behind, and how training goes on.
// On the emulator (`npm run test:cuda`). Faults of which a process does not recover are in faults.test.ts.

const root = path.resolve(import.meta.dirname, '../..');
// Which call fails does not depend on when the device works: one order is enough.
const emulated =
  process.env['FOVEA_TEST_EMULATOR'] !== undefined && (process.env['FOVEA_EMU_ASYNC'] ?? 'eager') === 'eager';

/** What becomes of a fault: nobody notices, or an error whose code and words are these. */
type Outcome = 'absorbed' | readonly [code: string, message: RegExp];
type Cases = readonly (readonly [fault: string, outcome: Outcome])[];

const execution = (message: RegExp): Outcome => ['ERR_EXECUTION', message];
const memory = (message: RegExp): Outcome => ['ERR_OUT_OF_MEMORY', message];
const device = (message: RegExp): Outcome => ['ERR_DEVICE', message];
const CONV = String.raw`conv2d of float32, x \[6,8,8,3\], kernel \[3,3,3,\d+\], y \[6,4,4,\d+\]`;
const conv = (call: string): RegExp => new RegExp(`^conv2d "conv": cuda:0: .*${call}`);
const lt = (call: string): RegExp => new RegExp(`^matmul "dense": cuda:0: ${call} \\(matmul \\[6,64\\] x \\[64,3\\]`);

/** In a process that has not used the device: each fault ends a training, and the next one comes a little further. */
const AT_THE_START: Cases = [
  ['cudaSetDevice:1=999', execution(/^cuda:0: cudaSetDevice: unknown error/)],
  ['cudaStreamCreate:1=2', memory(/buffer int32 \[4\] needs 16 bytes, .*cudaStreamCreateWithFlags: out of memory/)],
  ['cudaStreamCreate:2=2', memory(/buffer int32 \[4\] needs 16 bytes, .*cudaStreamCreateWithFlags: out of memory/)],
  ['cudaMalloc:*=2', memory(/needs 16 bytes, .*cudaMalloc.* MiB are free on the device.*largest holders/)],
  ['cudaHostAlloc:1=2', memory(/^cuda:0: cudaHostAlloc \(pinned memory of 4194304 bytes\)/)],
  ['cudaHostAlloc:2=2', memory(/^cuda:0: cudaHostAlloc \(pinned memory of 4194304 bytes\)/)],
  ['cudaEventCreate:1=2', memory(/^cuda:0: cudaEventCreateWithFlags: out of memory/)],
  ['cudaEventCreate:2=2', memory(/^cuda:0: cudaEventCreateWithFlags: out of memory/)],
  ['cudnnCreate:1=1001', device(/^conv2d "conv": cuda:0: cudnnCreate: CUDNN_STATUS_NOT_INITIALIZED/)],
  ['cudnnSetStream:1=2000', execution(/^conv2d "conv": cuda:0: cudnnSetStream: CUDNN_STATUS_BAD_PARAM/)],
  ['cublasCreate:1=1', device(/^matmul "dense": cuda:0: cublasCreate: .*\(1\)/)],
  ['cublasCreate:1=3', memory(/^matmul "dense": cuda:0: cublasCreate: .*\(3\)/)],
  ['cublasSetStream:1=1', device(/^matmul "dense": cuda:0: cublasSetStream: .*\(1\)/)],
  ['cublasSetWorkspace:1=7', execution(/^matmul "dense": cuda:0: cublasSetWorkspace: .*\(7\)/)],
  ['cublasSetMathMode:1=7', execution(/^matmul "dense": cuda:0: cublasSetMathMode: .*\(7\)/)],
  ['cublasLtCreate:1=1', device(/^matmul "dense": cuda:0: cublasLtCreate: .*\(1\)/)],
  ['cudaHostAlloc:1=2', memory(/^sparseSoftmaxCrossEntropy: cuda:0: cudaHostAlloc \(fault words\)/)],
  ['cudaMemsetAsync:1=1', execution(/^sparseSoftmaxCrossEntropy: cuda:0: cudaMemsetAsync \(fault words\)/)],
  // A graph that cuDNN refuses is asked for in another way: with its input padded beforehand.
  ['cudnnBackendCreateDescriptor:1=4000', 'absorbed'],
  ['cudnnBackendSetAttribute:5=2000', 'absorbed'],
  ['cudnnBackendGetAttribute:1=2000', 'absorbed'],
  ['cudnnBackendFinalize:1=2000', 'absorbed'],
  ['cudnnBackendFinalize:graph:1=2000', 'absorbed'],
  [
    'cudnnBackendFinalize:plan:*=3000',
    ['ERR_UNSUPPORTED', new RegExp(`^conv2d "conv": cuDNN has no plan for ${CONV}.* refused`)],
  ],
];

/** In a process that has trained before; the same network trains on after the fault. */
const LATER: Cases = [
  ['cudaMemcpyAsync:1=1', execution(/^cuda:0: cudaMemcpyAsync \(copy to the device of 16 bytes\)/)],
  ['cudaMemcpyAsync:30=1', execution(/^cuda:0: cudaMemcpyAsync \((copy .* of \d+ bytes|fault words)\)/)],
  ['cudaMemsetAsync:2=1', execution(/^cuda:0: cudaMemsetAsync \(432 bytes\)/)],
  ['cudaLaunchKernel:2=9', execution(/^batchNorm "bn": cuda:0: cudaLaunchKernel \(batchNorm, 1 blocks of 256 threads/)],
  [
    'cudaLaunchKernel:9=9',
    execution(/: cuda:0: cudaLaunchKernel \(\w+, \d+ blocks of \d+ threads, \d+ bytes shared\)/),
  ],
  ['cudaLaunchKernel:20=9', execution(/: cuda:0: cudaLaunchKernel \(\w+, \d+ blocks of \d+ threads/)],
  ['cudaStreamSynchronize:3=999', execution(/^cuda:0: cudaStreamSynchronize \(copy to the device of 16 bytes\)/)],
  ['cudaEventRecord:2=999', execution(/^cuda:0: cudaEventRecord \(copy to the device of 16 bytes\)/)],
  ['cudaEventSynchronize:1=999', execution(/^cuda:0: cudaEventSynchronize \(copy to the host of \d+ bytes\)/)],
  ['cudaSetDevice:20=999', execution(/^cuda:0: cudaSetDevice: unknown error/)],
  ['cudaSetDevice:100=999', execution(/^cuda:0: cudaSetDevice: unknown error/)],
  ['cudnnBackendExecute:1=5000', 'absorbed'], // Another plan takes its place.
  ['cudnnBackendExecute:1=2000', execution(conv(String.raw`cudnnBackendExecute \(${CONV}.* bias, ReLU, engine`))],
  ['cudnnBackendFinalize:plan:1=3000', 'absorbed'],
  ['cudnnBackendFinalize:1=2000', execution(conv(String.raw`${CONV}.*cudnnBackendFinalize \(variant pack\)`))],
  ['cudnnBackendCreateDescriptor:3=4000', execution(conv(`${CONV}.*cudnnBackendCreateDescriptor: `))],
  ['cublasGemmEx:2=13', execution(/^matmul "dense": cuda:0: cublasGemmEx \(matmul \[64,6\] x \[6,3\] of float32\)/)],
  ['cublasLtMatmul:1=14', execution(lt('cublasLtMatmul'))],
  ['cublasLtMatmul:1=15', 'absorbed'], // Not supported: in two steps from now on.
  ['cublasLtMatmulAlgoGetHeuristic:1=15', 'absorbed'],
  ['cublasLtMatmulDescCreate:1=3', memory(lt('cublasLtMatmulDescCreate'))],
  ['cublasLtMatmulDescSetAttribute:2=7', execution(lt('cublasLtMatmulDescSetAttribute'))],
  ['cublasLtMatrixLayoutCreate:2=3', memory(lt('cublasLtMatrixLayoutCreate'))],
  ['cublasLtMatmulPreferenceCreate:1=3', memory(lt('cublasLtMatmulPreferenceCreate'))],
  ['cublasLtMatmulPreferenceSetAttribute:1=7', execution(lt('cublasLtMatmulPreferenceSetAttribute'))],
  ['cudaStreamBeginCapture:1=1', 'absorbed'],
  ['cudaStreamEndCapture:1=901', 'absorbed'],
  ['cudaGraphInstantiate:1=1', 'absorbed'],
  ['cudaGraphLaunch:1=1', 'absorbed'],
];

const TIMING = String.raw`\(timing of ${CONV}`;
/** With `FOVEA_CUDA_AUTOTUNE=1`, where events time plans. */
const TIMED: Cases = [
  ['cudaEventElapsedTime:1=999', execution(conv(`cudaEventElapsedTime ${TIMING}`))],
  ['cudaEventSynchronize:1=1', execution(conv(`cudaEventSynchronize ${TIMING}`))],
  ['cudaEventCreate:3=2', 'absorbed'], // Not enough memory to time: the first plan is taken.
  ['cudnnBackendExecute:1=5000', 'absorbed'],
];

/** Asked for before a device is one, or told of elsewhere: faults.test.ts, docs/cuda.md. */
const ELSEWHERE = [
  ...['cudaGetDeviceCount', 'cudaGetDeviceProperties', 'cudaDeviceGetAttribute'],
  ...['cudaRuntimeGetVersion', 'cudaDriverGetVersion', 'cudnnGetVersion'],
  ...['cudnnGraphVersionCheck', 'cudnnOpsVersionCheck', 'cudnnCnnVersionCheck'],
  'cudaMemGetInfo', // Only words of a message depend on it.
  'cublasGemmStridedBatchedEx', // Below.
];
/** Calls that give back or describe: there is nothing to do about their failures. */
const HARMLESS = /Destroy|^cudaFree|Get(Last)?Error|GetStatusString/;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fovea-fault-series-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The rows of a series, the last of which is a training without a fault, and the emulator's books at the end. */
function series(name: string, wish: Wish, env: Record<string, string> = {}): { rows: Row[]; books: string } {
  const [file, books] = [path.join(folder, name), path.join(folder, `${name}.books`)];
  writeFileSync(file, '\n');
  const child = program(path.join(import.meta.dirname, 'fault-series-child.ts'));
  const result = spawnSync(process.execPath, ['--expose-gc', child, file, JSON.stringify(wish)], {
    cwd: root,
    env: {
      ...process.env,
      ...{ FOVEA_DEVICE: undefined, FOVEA_TUNING: '', FOVEA_EMU_FAIL: `@${file}`, FOVEA_EMU_BOOKS: books, ...env },
    },
    encoding: 'utf8',
    timeout: 200_000,
  });
  expect(result.signal, result.stderr).toBeNull();
  expect(result.status, result.stderr).toBe(0);
  return { rows: JSON.parse(result.stdout.trim().split('\n').at(-1)!) as Row[], books: readFileSync(books, 'utf8') };
}

function expectOutcome(row: Row, outcome: Outcome): void {
  expect(row.fired.length, `${row.fault} was never reached`).toBeGreaterThan(0);
  if (outcome === 'absorbed') {
    expect(row.error, row.fault).toBeUndefined();
  } else {
    expect({ fault: row.fault, code: row.error?.code }).toEqual({ fault: row.fault, code: outcome[0] });
    expect(row.error!.message, row.fault).toMatch(outcome[1]);
    const named = /^(\w+)(?: "\w+")?: (?:cuda:0|cuDNN)/.exec(row.error!.message)?.[1];
    expect(row.error!.op, row.fault).toBe(named);
  }
}

/** Blocks of the cache may lie otherwise; handles, events, streams, descriptors, graphs and pinned memory may not. */
const countedIn = (books: string): string[] => books.split('\n').filter((line) => !line.startsWith('device block'));
const segmentsIn = (books: string): number =>
  books.split('\n').filter((line) => line.startsWith('device block')).length;

describe.skipIf(!emulated)('a call that fails once', { timeout: 240_000 }, () => {
  let clean: { losses: readonly number[]; bytes: number; books: string };
  beforeAll(() => {
    const { rows, books } = series('clean', { faults: [], trainOn: true });
    clean = { ...rows[0]!, books };
    expect(clean.losses).toHaveLength(4);
    expect(clean.losses[3]!).toBeLessThan(clean.losses[0]! / 2);
  }, 120_000);

  /** Nothing more is held than after a training in which nothing failed. */
  function expectBalance(books: string): void {
    expect(countedIn(books)).toEqual(countedIn(clean.books));
    expect(segmentsIn(books)).toBeLessThanOrEqual(segmentsIn(clean.books) + 1);
  }

  test('every call that can fail is among the cases', () => {
    const files = readdirSync(path.join(root, 'native/cuda'), { recursive: true, encoding: 'utf8' });
    const text = files
      .filter((name) => /\.(cc|h|cu|cuh)$/.test(name))
      .map((name) => readFileSync(path.join(root, 'native/cuda', name), 'utf8'))
      .join('\n');
    const calls = [...text.matchAll(/(?<![.>\w])(?:::)?(cu(?:da|dnn|blas)[A-Z]\w+)\(/g)].map((match) =>
      match[1]!.replace('WithFlags', ''),
    );
    const own = new Set(['cudnnProblem', 'cublasWorkspace', 'cublasWorkspaceBytes', 'cublasLt']);
    const tried = new Set([...AT_THE_START, ...LATER, ...TIMED].map(([fault]) => fault.split(':')[0]!));
    const wanted = [...new Set(calls)].filter((call) => !own.has(call) && !HARMLESS.test(call));
    expect(wanted.length).toBeGreaterThan(35);
    expect(wanted.filter((call) => !tried.has(call) && !ELSEWHERE.includes(call))).toEqual([]);
  });

  test('at the start: the next training is as if nothing had been', () => {
    const { rows, books } = series('start', { faults: AT_THE_START.map(([fault]) => fault), trainOn: false });
    AT_THE_START.forEach(([, outcome], i) => expectOutcome(rows[i]!, outcome));
    expect(rows.at(-1)!.losses).toEqual(clean.losses);
    expectBalance(books);
  });

  test('later: the same network trains on', () => {
    // Twice: what the first round leaves in caches, the second finds there.
    const faults = LATER.map(([fault]) => fault);
    const { rows, books } = series('later', { faults: [...faults, ...faults], trainOn: true });
    rows.slice(0, -1).forEach((row, i) => {
      expectOutcome(row, LATER[i % LATER.length]![1]);
      // Either the step that failed was not made, or all of it was and only its loss did not arrive.
      const made = row.losses[0] === clean.losses[0] ? 0 : 1;
      expect(row.losses.slice(0, 4 - made), row.fault).toEqual(clean.losses.slice(made));
      if (row.anew) expect(row.fault, 'drawing is no kernel of a step').toMatch(/^cudaMemcpyAsync|^cudaSetDevice/);
    });
    expect(rows.at(-1)!.losses).toEqual(clean.losses);
    expect(rows.at(-1)!.bytes).toBe(rows[LATER.length]!.bytes);
    expectBalance(books);
  });

  test('a device that cannot be entered is told of, wherever that is: at a launch, in a recording or before its replay', () => {
    const faults = Array.from({ length: 50 }, (_, i) => `cudaSetDevice:${21 + 3 * i}=999`);
    const { rows } = series('entering', { faults, trainOn: true });
    for (const row of rows.slice(0, -1)) expectOutcome(row, execution(/cuda:0: cudaSetDevice: unknown error/));
  });

  test('while the host waits: the run is named, as no step is to blame', () => {
    const faults = Array.from({ length: 24 }, (_, i) => `cudaStreamSynchronize:${25 + i}=999`);
    const { rows } = series('waits', { faults, trainOn: true });
    const messages = rows.slice(0, -1).map(({ error }) => error!.message);
    for (const m of messages) expect(m).toMatch(/cuda:0: cudaStreamSynchronize.* \(cudaErrorUnknown, 999\)/);
    expect(messages.some((m) => /cudaStreamSynchronize: .* \(in a run of \w+.*\)$/.test(m))).toBe(true);
  });

  test('while convolutions are timed', () => {
    const faults = TIMED.map(([fault]) => fault);
    const { rows, books } = series('timed', { faults, trainOn: false }, { FOVEA_CUDA_AUTOTUNE: '1' });
    TIMED.forEach(([, outcome], i) => expectOutcome(rows[i]!, outcome));
    expect(rows.at(-1)!.losses).toHaveLength(4);
    expectBalance(books);
  });

  test('in a batch of products', () => {
    const fault = 'cublasGemmStridedBatchedEx:1=13';
    const { rows } = series('batch', { faults: [fault], trainOn: true, what: 'products' });
    expectOutcome(rows[0]!, execution(/^matmul: cuda:0: cublasGemmStridedBatchedEx \(matmul 2 x \[3,4\] x \[4,5\]/));
    expect(rows[0]!.losses).toEqual(rows[1]!.losses);
  });
});
