import { expect, test } from 'vitest';
import { compile, devices, ops, withDevice, type Tensor } from '../../lib/index.js';

// Winograd in blocks that stay in a core's cache, taken wherever it applies: several blocks a thread, the last one short.
process.env['FOVEA_CONV'] = 'winograd-cached';

const vectors = devices().present.find(({ name }) => name === 'cpu')?.capabilities ?? [];

test.each([
  // Of so many channels the blocks are smaller than the large ones up to 4 MB of cache.
  { size: 3, image: [2, 27, 14, 176], filters: 208 },
  { size: 5, image: [1, 13, 14, 208], filters: 176 },
])('$size x $size, $image to $filters: forward and by input as the reference', async ({ size, image, filters }) => {
  const run = (device: string): Promise<{ values: number[][]; implementations: string[] }> =>
    withDevice(device, async () => {
      const x = ops.randomNormal(image, 1);
      const kernel = ops.mul(ops.randomNormal([size, size, image[3]!, filters], 2), 0.1);
      const bias = ops.randomNormal([filters], 3);
      const dy = ops.randomNormal([...image.slice(0, 3), filters], 4);
      const forward = compile((a: Tensor, k: Tensor, b: Tensor) =>
        ops.relu(ops.conv2d(a, k, { padding: 'same', bias: b })),
      );
      const backward = compile((d: Tensor, k: Tensor) => ops.conv2dTranspose(d, k, { padding: 'same' }));
      const values = [await forward(x, kernel, bias).data(), await backward(dy, kernel).data()].map((v) =>
        Array.from(v, Number),
      );
      const steps = [...(await forward.profile(x, kernel, bias)), ...(await backward.profile(dy, kernel))];
      forward.dispose();
      backward.dispose();
      return { values, implementations: steps.map(({ implementation }) => implementation) };
    });
  const [mine, exact] = [await run('cpu'), await run('reference')];
  // Processors without AVX2 compute otherwise, and as rightly.
  if (vectors.some((name) => name.startsWith('avx'))) {
    const own = size === 3 ? 'own:winograd4x3' : 'own:winograd2x5';
    expect(mine.implementations).toEqual([own, own]);
  }
  mine.values.forEach((values, i) => {
    const largest = exact.values[i]!.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const off = values.reduce((m, v, j) => Math.max(m, Math.abs(v - exact.values[i]![j]!)), 0);
    expect(off / largest).toBeLessThan(2e-5);
  });
});
