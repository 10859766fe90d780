import { expect, test } from 'vitest';
import { compile, devices, grad, ops, withDevice, type Tensor } from '../../lib/index.js';

// Winograd in blocks that stay in a core's cache, taken wherever it applies: several blocks a thread, the last one short.
// By kernel that is one for every thread, and for sums that are smaller than what is summed.
process.env['FOVEA_CONV'] = 'winograd-cached';

const vectors = devices().present.find(({ name }) => name === 'cpu')?.capabilities ?? [];

test.each([
  // Of so many channels the blocks are smaller than the large ones up to 4 MB of cache.
  { shares: false, size: 3, strides: 1, image: [2, 27, 14, 176], filters: 208 },
  { shares: false, size: 3, strides: 2, image: [2, 54, 28, 176], filters: 208 },
  { shares: false, size: 5, strides: 1, image: [1, 13, 14, 208], filters: 176 },
  { shares: true, size: 3, strides: 1, image: [3, 34, 27, 24], filters: 40 },
  { shares: true, size: 3, strides: 2, image: [3, 58, 62, 40], filters: 24 },
  { shares: true, size: 5, strides: 1, image: [3, 33, 42, 24], filters: 24 },
])('$size x $size, strides $strides, $image to $filters, in shares $shares: as the reference', async (options) => {
  const { shares, size, strides, image, filters } = options;
  const run = (device: string): Promise<{ values: number[][]; implementations: string[] }> =>
    withDevice(device, async () => {
      const x = ops.randomNormal(image, 1);
      const kernel = ops.mul(ops.randomNormal([size, size, image[3]!, filters], 2), 0.1);
      const bias = ops.randomNormal([filters], 3);
      const dy = ops.randomNormal([image[0]!, image[1]! / strides, image[2]! / strides, filters], 4);
      const conv = { strides, padding: 'same' } as const;
      const forward = compile((a: Tensor, k: Tensor, b: Tensor) => ops.relu(ops.conv2d(a, k, { ...conv, bias: b })));
      const byInput = compile((_: Tensor, k: Tensor, __: Tensor, d: Tensor) => ops.conv2dTranspose(d, k, conv));
      const byKernel = compile((a: Tensor, k: Tensor, _: Tensor, d: Tensor) =>
        grad((w: Tensor) => ops.sum(ops.mul(ops.conv2d(a, w, conv), d)))(k),
      );
      const values: number[][] = [];
      const implementations: string[] = [];
      for (const f of shares ? [byKernel] : [forward, byInput]) {
        values.push(Array.from(await f(x, kernel, bias, dy).data(), Number));
        const steps = await f.profile(x, kernel, bias, dy);
        implementations.push(...steps.filter((s) => s.kernel.startsWith('conv2d')).map((s) => s.implementation));
      }
      for (const f of [forward, byInput, byKernel]) f.dispose();
      return { values, implementations };
    });
  const [mine, exact] = [await run('cpu'), await run('reference')];
  // Processors without AVX2 compute otherwise, and as rightly.
  if (vectors.some((name) => name.startsWith('avx'))) {
    const own = size === 5 ? 'own:winograd2x5' : strides === 2 ? 'own:winograd4x3s2' : 'own:winograd4x3';
    expect(mine.implementations.map((name) => name.replace(' in shares', ''))).toEqual(shares ? [own] : [own, own]);
  }
  mine.values.forEach((values, i) => {
    const largest = exact.values[i]!.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const off = values.reduce((m, v, j) => Math.max(m, Math.abs(v - exact.values[i]![j]!)), 0);
    expect(off / largest).toBeLessThan(2e-5);
  });
});
