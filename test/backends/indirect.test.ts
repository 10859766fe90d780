import { expect, test } from 'vitest';
import { compile, devices, grad, ops, withDevice, type Tensor } from '../../lib/index.js';

// Products of rows that pointers name, taken wherever they apply: forward and both gradients, against the reference.
process.env['FOVEA_CONV'] = 'indirect';

const vectors = devices().present.find(({ name }) => name === 'cpu')?.capabilities ?? [];

interface Case {
  image: [number, number, number, number];
  kernel: [number, number];
  filters: number;
  strides?: [number, number];
  dilations?: [number, number];
  groups?: number;
  padding?: 'same' | 'valid' | [number, number, number, number];
}

const CASES: Record<string, Case> = {
  pointwise: { image: [2, 9, 7, 37], kernel: [1, 1], filters: 45 },
  'pointwise, more values than a chunk': { image: [1, 5, 5, 700], kernel: [1, 1], filters: 33 },
  'pointwise with a stride': { image: [3, 9, 8, 24], kernel: [1, 1], filters: 32, strides: [2, 2] },
  'few rows, many columns': { image: [1, 3, 3, 64], kernel: [1, 1], filters: 530 },
  'several blocks of rows': { image: [3, 29, 31, 16], kernel: [3, 3], filters: 17 },
  'stride 2 of an even size': { image: [2, 14, 16, 20], kernel: [3, 3], filters: 18, strides: [2, 2] },
  'unlike strides': { image: [2, 13, 17, 19], kernel: [3, 5], filters: 16, strides: [3, 2] },
  'a stride beyond the kernel': { image: [2, 13, 13, 16], kernel: [2, 1], filters: 16, strides: [3, 4] },
  dilated: { image: [2, 15, 13, 16], kernel: [3, 3], filters: 24, dilations: [2, 3] },
  'dilated, with a stride': {
    image: [1, 17, 16, 16],
    kernel: [3, 3],
    filters: 16,
    dilations: [2, 1],
    strides: [2, 3],
    padding: [3, 1, 2, 4],
  },
  grouped: { image: [2, 10, 9, 36], kernel: [3, 3], filters: 60, groups: 3, padding: 'same' },
  'grouped, with a stride': { image: [2, 10, 9, 32], kernel: [3, 3], filters: 64, groups: 4, strides: [2, 2] },
  'few channels': { image: [3, 23, 27, 3], kernel: [7, 7], filters: 32, strides: [2, 2], padding: 'same' },
  'one channel': { image: [3, 28, 28, 1], kernel: [7, 7], filters: 24, padding: 'same' },
  'few channels, a stride beyond the kernel': { image: [2, 20, 22, 5], kernel: [2, 3], filters: 9, strides: [3, 5] },
  'few channels, dilated downwards': { image: [2, 20, 12, 4], kernel: [3, 3], filters: 40, dilations: [3, 1] },
  'more padding than kernel': {
    image: [1, 6, 7, 16],
    kernel: [2, 2],
    filters: 16,
    padding: [4, 3, 5, 2],
  },
  'few channels, more padding than image': {
    image: [2, 3, 2, 3],
    kernel: [3, 3],
    filters: 16,
    padding: [5, 4, 4, 6],
  },
  'columns of the image that nothing reads': { image: [2, 9, 11, 3], kernel: [3, 3], filters: 8, strides: [4, 4] },
};

test.each(Object.entries(CASES))('%s', async (_, { image, kernel: taps, filters, ...options }) => {
  const run = (device: string) =>
    withDevice(device, async () => {
      const settings = { padding: 'valid', ...options } as const;
      const x = ops.randomNormal(image, 1);
      const kernel = ops.randomNormal([...taps, image[3] / (options.groups ?? 1), filters], 2);
      const bias = ops.randomNormal([filters], 3);
      const shape = ops.conv2d(x, kernel, settings).shape;
      const [dy, residual] = [ops.randomNormal([...shape], 4), ops.randomNormal([...shape], 5)];
      const forward = compile((a: Tensor, k: Tensor, b: Tensor, r: Tensor) =>
        ops.relu(ops.add(ops.conv2d(a, k, { ...settings, bias: b }), r)),
      );
      const loss = (a: Tensor, k: Tensor, b: Tensor): Tensor =>
        ops.sum(ops.mul(ops.conv2d(a, k, { ...settings, bias: b }), dy));
      const gradients = compile((a: Tensor, k: Tensor, b: Tensor) => grad(loss, [0, 1, 2])(a, k, b));
      const tensors = [forward(x, kernel, bias, residual), ...gradients(x, kernel, bias)];
      const steps = [
        ...(await forward.profile(x, kernel, bias, residual)),
        ...(await gradients.profile(x, kernel, bias)),
      ];
      const convolutions = steps.filter((step) => step.kernel.startsWith('conv2d'));
      forward.dispose();
      gradients.dispose();
      return {
        values: await Promise.all(tensors.map(async (t) => Array.from(await t.data(), Number))),
        implementations: convolutions.map(({ implementation }) => implementation.split(' ')[0]),
      };
    });
  const [mine, exact] = [await run('cpu'), await run('reference')];
  // Processors without AVX2 compute otherwise, and as rightly.
  if (vectors.some((name) => name.startsWith('avx'))) {
    expect(new Set(mine.implementations)).toEqual(new Set(['own:indirect']));
  }
  mine.values.forEach((values, i) => {
    const largest = exact.values[i]!.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const off = values.reduce((m, v, j) => Math.max(m, Math.abs(v - exact.values[i]![j]!)), 0);
    expect(off / largest, ['y', 'dx', 'dkernel', 'dbias'][i]).toBeLessThan(5e-6);
  });
});
