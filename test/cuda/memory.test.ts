import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { backendOf } from '../../lib/backends/registry.js';
import type { NativeBackend } from '../../lib/backends/native/native-backend.js';
import { compile, devices, ops, setDevice, Variable, zeros, type Tensor } from '../../lib/index.js';

// What kernels keep on the device is booked like everything else. On the emulator, or a card.

const present = devices().present.some(({ name }) => name === 'cuda:0');
const KERNEL_BYTES = 3 * 3 * 128 * 128 * 4;

describe.skipIf(!present)('memory that prepared kernels keep', () => {
  const device = (): NativeBackend => backendOf('cuda:0') as NativeBackend;
  const bytes = (): number => device().memory().bytes;
  beforeAll(() => setDevice('cuda:0'));
  afterEach(() => device().setMemoryLimit(0));

  /** A prediction with one large kernel, which is packed once. */
  function prediction() {
    const weights = new Variable(zeros([3, 3, 128, 128]));
    const f = compile((x: Tensor) => ops.relu(ops.conv2d(x, weights.value, { padding: 'same' })));
    return { f, weights };
  }

  test('counts while they live', async () => {
    const x = zeros([1, 4, 4, 128]);
    const first = prediction();
    await first.f(x).data(); // libraries, arena
    const before = bytes();
    const second = compile((y: Tensor) => ops.relu(ops.conv2d(y, first.weights.value, { padding: 'same' })));
    await second(x).data(); // A run that is not done yet would keep the plan alive.
    expect(bytes() - before).toBeGreaterThanOrEqual(KERNEL_BYTES);
    second.dispose();
    await zeros([1]).data();
    expect(bytes() - before).toBeLessThan(KERNEL_BYTES);
    first.f.dispose();
    first.weights.dispose();
    x.dispose();
  });

  test('is refused beyond the limit by the name of what wants it', async () => {
    const x = zeros([1, 4, 4, 128]);
    const { f, weights } = prediction();
    await weights.value.data();
    await x.data();
    device().setMemoryLimit(bytes() + KERNEL_BYTES / 2);
    const run = async (): Promise<unknown> => f(x).data();
    await expect(run()).rejects.toMatchObject({ code: 'ERR_OUT_OF_MEMORY', op: 'conv2d' });
    await expect(run()).rejects.toThrow(/packed weights of conv2d needs 0\.6 MiB, but of the limit of/);
    device().setMemoryLimit(0);
    expect(await f(x).data()).toHaveLength(4 * 4 * 128);
    f.dispose();
    weights.dispose();
    x.dispose();
  });

  test('is among the largest holders of an error', async () => {
    const x = zeros([1, 4, 4, 128]);
    const predictions = Array.from({ length: 8 }, prediction);
    for (const { f } of predictions) await f(x).data();
    device().setMemoryLimit(bytes() + 1000);
    let message = '';
    try {
      await zeros([1000, 1000]).data();
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(/largest holders: .*packed weights of conv2d x8 \(4\.5 MiB\)/);
    for (const { f, weights } of predictions) {
      f.dispose();
      weights.dispose();
    }
    x.dispose();
  });
});
