import { describe, expect, test } from 'vitest';
import { compile, devices, ops, withDevice, type Tensor } from '../../lib/index.js';

// Products of one row on the CPU: a dense layer of one example.

const present = devices().present.some(({ name }) => name === 'cpu');

async function product(device: string, [m, k, n]: readonly number[], options: { transposeB?: boolean } = {}) {
  return withDevice(device, async () => {
    const x = ops.randomNormal([m!, k!], 1);
    const w = ops.randomNormal(options.transposeB ? [n!, k!] : [k!, n!], 2);
    const b = ops.randomNormal([n!], 3);
    const dense = compile((a: Tensor, c: Tensor, d: Tensor) => ops.relu(ops.add(ops.matmul(a, c, options), d)));
    const plain = compile((a: Tensor, c: Tensor) => ops.matmul(a, c, options));
    const values = [await dense(x, w, b).data(), await plain(x, w).data()].map((v) => Array.from(v, Number));
    const steps = [...(await dense.profile(x, w, b)), ...(await plain.profile(x, w))];
    const implementations = steps.filter(({ kernel }) => kernel === 'matmul').map((step) => step.implementation);
    dense.dispose();
    plain.dispose();
    return { values, implementations };
  });
}

describe.skipIf(!present)('products of one row', () => {
  test.each([
    [1, 1, 1],
    [1, 3, 10],
    [1, 64, 17],
    [1, 2304, 128],
    [1, 7, 300],
    [1, 401, 5003], // more columns than sums stay in the cache
    [1, 130, 9000],
  ])('%i x %i by %i: as the reference', async (...shape) => {
    const [mine, exact] = [await product('cpu', shape), await product('reference', shape)];
    expect(mine.implementations).toEqual(['own:row', 'own:row']);
    mine.values.forEach((values, i) => {
      const off = values.reduce((most, v, j) => Math.max(most, Math.abs(v - exact.values[i]![j]!)), 0);
      expect(off).toBeLessThan(1e-5 * Math.sqrt(shape[1]));
    });
  });

  test('other products are not among them', async () => {
    expect((await product('cpu', [2, 16, 16])).implementations).not.toContain('own:row');
    expect((await product('cpu', [1, 16, 16], { transposeB: true })).implementations).not.toContain('own:row');
  });
});
