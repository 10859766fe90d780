import { execFile } from 'node:child_process';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { program } from '../support/program.js';

/**
 * Plans that are recorded as CUDA graphs, and other settings of the device, on the emulator (`npm run test:cuda`). Each
 * case is a process of its own, as settings and faults are read from the environment.
 */
const emulated = process.env['FOVEA_TEST_EMULATOR'] !== undefined;
/** For what does not depend on when the device works. */
const once = (process.env['FOVEA_EMU_ASYNC'] ?? 'eager') === 'eager';

interface Failure {
  readonly step?: number;
  readonly code?: string;
  readonly op?: string;
  readonly message: string;
}
interface Outcome {
  readonly losses: number[];
  readonly errors: Failure[];
}

const child = program(path.join(import.meta.dirname, 'train-child.ts'));

async function run(wish: object, env: Record<string, string> = {}): Promise<Outcome> {
  const { stdout } = await promisify(execFile)(process.execPath, [child, JSON.stringify(wish)], {
    env: { ...process.env, FOVEA_TUNING: '', ...env },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Outcome;
}

describe.skipIf(!emulated)('recorded plans and settings of the cuda device', { timeout: 300_000 }, () => {
  let cpu: Outcome;
  let cuda: Outcome;
  beforeAll(async () => {
    cpu = await run({ device: 'cpu' });
    cuda = await run({});
  }, 300_000);

  it('trains as the cpu does', () => {
    expect(cuda.errors).toEqual([]);
    expect(cuda.losses).toHaveLength(8);
    cuda.losses.forEach((loss, step) => expect(loss).toBeCloseTo(cpu.losses[step]!, 3));
  });

  it('replays recorded plans', async () => {
    // A step that repeats is a graph: its launch is what fails here.
    const { errors } = await run({}, { FOVEA_EMU_FAIL: 'cudaGraphLaunch:5=700s' });
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.at(-1)).toMatchObject({ code: 'ERR_DEVICE' });
    expect(errors.at(-1)!.message).toMatch(/cudaGraphLaunch \(a recorded plan\): .*illegal memory access/);
  });

  it.each([
    'cudaStreamBeginCapture:*=1',
    'cudaStreamEndCapture:1=901',
    'cudaGraphInstantiate:*=1',
    'cudaGraphLaunch:2=1',
  ])('runs without recording where that does not work: %s', async (fault) => {
    const { errors, losses } = await run({}, { FOVEA_EMU_FAIL: fault });
    expect(errors).toEqual([]);
    expect(losses).toEqual(cuda.losses);
  });

  it('gives the same numbers without recording', async () => {
    expect((await run({}, { FOVEA_CUDA_GRAPHS: '0' })).losses).toEqual(cuda.losses);
  });

  it('times convolutions when asked to, and computes the same', async () => {
    const { errors, losses } = await run({}, { FOVEA_CUDA_AUTOTUNE: '1' });
    expect(errors).toEqual([]);
    losses.forEach((loss, step) => expect(loss).toBeCloseTo(cuda.losses[step]!, 4));
  });

  it.skipIf(!once)('rounds operands to TF32 when allowed to, and only then', async () => {
    const { errors, losses } = await run({}, { FOVEA_CUDA_TF32: '1' });
    expect(errors).toEqual([]);
    expect(losses).not.toEqual(cuda.losses);
    losses.forEach((loss, step) => expect(loss).toBeCloseTo(cuda.losses[step]!, 1));
  });

  it.skipIf(!once).each([
    ['with small workspaces', { FOVEA_CUDA_WORKSPACE_LIMIT: '1M' }],
    ['with plans that are not deterministic', { FOVEA_CUDA_DETERMINISTIC: '0' }],
  ])('trains the same %s', async (_name, env) => {
    const { errors, losses } = await run({}, env);
    expect(errors).toEqual([]);
    losses.forEach((loss, step) => expect(loss).toBeCloseTo(cuda.losses[step]!, 4));
  });

  it.skipIf(!once)('names the convolution that no workspace is left for', async () => {
    const { errors } = await run({ steps: 1 }, { FOVEA_CUDA_WORKSPACE_LIMIT: '0' });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: 'ERR_UNSUPPORTED', op: 'conv2dBackwardKernel' });
    expect(errors[0]!.message).toMatch(/no plan for .* x \[4,8,8,3\], .* [1-9]\d* beyond the workspace limit/);
  });

  // Before compute capability 8.0 bfloat16 is computed in float32.
  it.skipIf(!once).each([
    ['mixed_float16', '75'],
    ['mixed_bfloat16', '75'],
    ['mixed_bfloat16', '120'],
  ])('trains with the policy %s on compute capability %s', async (policy, sm) => {
    const { errors, losses } = await run({ policy }, { FOVEA_EMU_SM: sm });
    expect(errors).toEqual([]);
    expect(losses).toHaveLength(8);
    expect(losses).not.toEqual(cuda.losses);
    // Loss scaling skips the first step of float16: its kernel gradients come out of cuDNN in 16 bits.
    const same = policy === 'mixed_float16' ? 1 : 8;
    losses.slice(0, same).forEach((loss, step) => expect(Math.abs(loss - cuda.losses[step]!)).toBeLessThan(0.1));
    for (const loss of losses) expect(loss).toBeLessThan(5);
  });

  it('names a label that is no class, and trains on', async () => {
    const { errors, losses } = await run({ badLabelAt: 4 });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ step: 4, code: 'ERR_EXECUTION' });
    expect(errors[0]!.message).toMatch(/expected labels from 0 to 2, received label 9 in row 1/);
    expect(errors[0]!.op).toBeTruthy();
    expect(losses).toHaveLength(7);
    expect(losses.slice(0, 4)).toEqual(cuda.losses.slice(0, 4));
  });

  it('keeps to the limit of FOVEA_CUDA_MEMORY_LIMIT', async () => {
    const { errors } = await run({ size: 512, batch: 8, steps: 1 }, { FOVEA_CUDA_MEMORY_LIMIT: '48M' });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
    expect(errors[0]!.message).toMatch(/48\.0 MiB.*largest holders/);
  });
});
