import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compile, currentDevice, devices, ops, tensor, vjp, setDevice, zeros, type Tensor } from '../../lib/index.js';
import { backendOf } from '../../lib/backends/registry.js';
import { program } from '../support/program.js';

describe.each(devices().present.map((d) => d.name))('lifetime on %s', (device) => {
  const buffers = (): number => backendOf(device).memory().buffers;
  const bytes = (): number => backendOf(device).memory().bytes;
  const chosen = currentDevice();
  beforeEach(() => setDevice(device));
  afterEach(() => setDevice(chosen));
  const t = (...values: number[]): Tensor => tensor(values, undefined, { device });

  it('a tensor disposed while something pending needs it is computed all the same', async () => {
    const x = t(1, 2);
    const y = x.mul(3);
    const z = y.add(1);
    x.dispose();
    y.dispose();
    expect(await z.array()).toEqual([4, 7]);
    z.dispose();
  });

  it('disposing twice does nothing, and frees nothing of others', async () => {
    const x = t(1, 2);
    const alias = ops.reshape(x, [2, 1]);
    await alias.data();
    x.dispose();
    x.dispose();
    x.dispose();
    expect(x.isDisposed).toBe(true);
    expect(await alias.array()).toEqual([[1], [2]]);
    alias.dispose();
  });

  it('using disposes at the end of the block', async () => {
    const before = buffers();
    let kept: Tensor;
    {
      using x = t(1, 2);
      using y = x.mul(2);
      kept = y.add(1);
      await kept.data();
    }
    expect(await kept.array()).toEqual([3, 5]);
    kept.dispose();
    await t(0).data(); // what was enqueued before has run
    expect(buffers() - before).toBeLessThanOrEqual(1);
  });

  it('memory returns to where it was', async () => {
    const image = new Float32Array(2 * 8 * 8 * 3);
    const once = async (): Promise<void> => {
      const x = tensor(image, [2, 8, 8, 3], { device });
      const kernel = zeros([3, 3, 3, 4], { device });
      const y = ops.conv2d(x, kernel);
      const z = ops.relu(y);
      const loss = ops.mean(z);
      await loss.data();
      await z.data();
      for (const made of [x, kernel, y, z, loss]) made.dispose();
    };
    await once(); // makes the plans, which stay
    await settle(device);
    const before = { bytes: bytes(), buffers: buffers() };
    for (let i = 0; i < 5; i++) await once();
    await settle(device);
    // Garbage of earlier tests may have been collected meanwhile: no more than before.
    expect(bytes()).toBeLessThanOrEqual(before.bytes);
    expect(buffers()).toBeLessThanOrEqual(before.buffers);
  });

  it('of a pulled-back gradient and of a compiled function too', async () => {
    const step = compile((x: Tensor) => ops.sum(ops.square(x)));
    const once = async (): Promise<void> => {
      const x = t(1, 2, 3);
      const y = step(x);
      await y.data();
      for (const made of [x, y]) made.dispose();
    };
    await once();
    await settle(device);
    const before = buffers();
    for (let i = 0; i < 5; i++) await once();
    await settle(device);
    expect(buffers()).toBeLessThanOrEqual(before);
    step.dispose();
    const { value, pullback } = vjp((x) => ops.square(x), t(1, 2));
    await value.data();
    expect(Array.from(await pullback(t(1, 1))[0]!.data())).toEqual([2, 4]);
  });

  it('pending work that nobody wants any more holds nothing', async () => {
    await settle(device);
    const before = buffers();
    const x = t(1, 2);
    let y = x.mul(2);
    for (let i = 0; i < 1500; i++) {
      const next = y.add(1);
      y.dispose();
      y = next;
    }
    x.dispose();
    expect(buffers()).toBeLessThanOrEqual(before + 1);
    y.dispose();
    await settle(device);
    expect(buffers()).toBeLessThanOrEqual(before);
  });

  it('a chain of 10,000 ops overflows no stack and holds few buffers', async () => {
    const before = buffers();
    let x = t(0, 0);
    let most = 0;
    for (let i = 0; i < 10_000; i++) {
      x = x.add(1);
      most = Math.max(most, buffers() - before);
    }
    expect(await x.array()).toEqual([10_000, 10_000]);
    expect(most).toBeLessThan(20);
  });

  it('a chain of 10,000 ops that alternate between alias and kernel', async () => {
    let x = t(1, 2, 3, 4, 5, 6);
    for (let i = 0; i < 5000; i++) x = ops.transpose(ops.reshape(x, i % 2 === 0 ? [2, 3] : [3, 2]));
    expect((await x.data()).toSorted()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
  });
});

/** Waits for the work enqueued on a device, disposals among it. */
async function settle(device: string): Promise<void> {
  const probe = tensor([0], undefined, { device });
  await probe.data();
  probe.dispose();
  const after = tensor([0], undefined, { device });
  await after.data();
  after.dispose();
  await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('garbage collection', () => {
  it.each(devices().present.map((d) => d.name))('frees on %s what nobody disposed', async (device) => {
    const child = program(fileURLToPath(new URL('gc-child.ts', import.meta.url)));
    const args = ['--expose-gc', child, device];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 50_000 });
    const { before, full, after } = JSON.parse(stdout) as Record<
      'before' | 'full' | 'after',
      { bytes: number; buffers: number }
    >;
    expect(full.buffers - before.buffers).toBeGreaterThanOrEqual(200);
    expect(after.buffers - before.buffers).toBeLessThanOrEqual(4);
    expect(after.bytes - before.bytes).toBeLessThan((full.bytes - before.bytes) / 10);
  });
});
