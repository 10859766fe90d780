import { describe, expect, test } from 'vitest';
import { compile, grad, ops, Variable, withDevice, type Tensor } from '../../lib/index.js';

// Convolutions large enough for Winograd's transforms, in whichever tiles are fastest and also of stride 2, against the
// reference.

const CASES = [
  { size: 3, strides: 1, image: [2, 26, 23, 24], filters: 24, padding: 'same' },
  { size: 3, strides: 1, image: [3, 21, 22, 24], filters: 40, padding: 'valid' },
  { size: 3, strides: 2, image: [3, 36, 43, 24], filters: 40, padding: 'same' },
  { size: 3, strides: 2, image: [3, 33, 46, 40], filters: 24, padding: 'valid' },
  { size: 5, strides: 1, image: [2, 17, 22, 24], filters: 24, padding: 'same' },
  { size: 5, strides: 1, image: [2, 21, 18, 16], filters: 40, padding: 'valid' },
] as const;

test.each(CASES)(
  '$size x $size, strides $strides, $padding, $image to $filters: with a residual',
  async ({ size, strides, padding, ...sizes }) => {
    const run = (device: string): Promise<number[]> =>
      withDevice(device, async () => {
        const x = ops.randomNormal([...sizes.image], 1);
        const kernel = ops.mul(ops.randomNormal([size, size, sizes.image[3], sizes.filters], 2), 0.1);
        const bias = ops.randomNormal([sizes.filters], 3);
        const residual = ops.randomNormal([...ops.conv2d(x, kernel, { strides, padding }).shape], 4);
        const y = ops.relu(ops.add(ops.conv2d(x, kernel, { strides, padding, bias }), residual));
        return Array.from(await y.data(), Number);
      });
    const [mine, exact] = [await run('cpu'), await run('reference')];
    const largest = exact.reduce((m, v) => Math.max(m, v), 0);
    const off = exact.reduce((m, v, i) => Math.max(m, Math.abs(v - mine[i]!)), 0);
    expect(off / largest).toBeLessThan(2e-5);
  },
);

describe.each(CASES)('$size x $size, strides $strides, $padding, $image to $filters', (options) => {
  const { size, strides, image, filters, padding } = options;
  const run = (device: string) =>
    withDevice(device, () => {
      const x = ops.randomNormal([...image], 1);
      const kernel = ops.mul(ops.randomNormal([size, size, image[3], filters], 2), 0.1);
      const bias = ops.randomNormal([filters], 3);
      const apply = (a: Tensor, k: Tensor, b: Tensor): Tensor =>
        ops.relu(ops.conv2d(a, k, { strides, padding, bias: b }));
      const loss = (a: Tensor, k: Tensor, b: Tensor): Tensor => ops.sum(ops.square(apply(a, k, b)));
      const [dx, dk, db] = grad(loss, [0, 1, 2])(x, kernel, bias) as [Tensor, Tensor, Tensor];
      return { y: apply(x, kernel, bias), dx, dk, db };
    });

  test('agrees forward and in all gradients', async () => {
    const [mine, exact] = [run('cpu'), run('reference')];
    for (const name of ['y', 'dx', 'dk', 'db'] as const) {
      const a = Array.from(await mine[name].data(), Number);
      const b = Array.from(await exact[name].data(), Number);
      const largest = b.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      const off = a.reduce((m, v, i) => Math.max(m, Math.abs(v - b[i]!)), 0);
      expect(off / largest, name).toBeLessThan(2e-5);
    }
  });
});

test.each([3, 5])('%i x %i: the transform is among the candidates where it is fastest', async (size) => {
  await withDevice('cpu', async () => {
    const w = new Variable(ops.randomNormal([size, size, 64, 64], 1));
    const f = compile((x: Tensor) => ops.conv2d(x, w.value, { padding: 'same' }));
    const [step] = await f.profile(ops.randomNormal([4, 28, 28, 64], 2));
    const winograd = size === 5 ? ['own:winograd2x5', 'own:winograd4x5'] : ['own:winograd4x3', 'own:winograd6x3'];
    expect([...winograd, 'brgconv:avx512_core', 'jit:avx512_core', 'jit:avx2']).toContain(step!.implementation);
    f.dispose();
  });
});
