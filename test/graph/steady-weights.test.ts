import { expect, test } from 'vitest';
import { compile, ops, valueAndGrad, Variable, type Tensor } from '../../lib/index.js';

// Kernels keep what they make of weights that a plan does not write (another layout, a transform) until they change.

const SHAPES = [
  { name: 'winograd', image: [2, 28, 28, 32], kernel: [3, 3, 32, 32] },
  { name: 'strided', image: [2, 28, 28, 32], kernel: [3, 3, 32, 32], strides: 2 },
  { name: 'pointwise', image: [2, 28, 28, 64], kernel: [1, 1, 64, 96] },
  { name: 'odd channels', image: [2, 32, 32, 3], kernel: [7, 7, 3, 48], strides: 2 },
] as const;

const largestDifference = async (a: Tensor, b: Tensor): Promise<number> =>
  Number((await ops.max(ops.abs(ops.sub(a, b))).data())[0]);

test.each(SHAPES)('$name: a prediction follows every change of its weights', async ({ image, kernel, ...rest }) => {
  const strides = 'strides' in rest ? rest.strides : 1;
  const w = new Variable(ops.randomNormal([...kernel], 1));
  const x = ops.randomNormal([...image], 2);
  const run = (y: Tensor): Tensor => ops.conv2d(y, w.value, { strides, padding: 'same' });
  /** The same with weights that the plan computes. */
  const fresh = (y: Tensor): Tensor => ops.conv2d(y, ops.mul(w.value, 1), { strides, padding: 'same' });
  const predict = compile((y: Tensor) => run(y));
  const train = compile((y: Tensor) => {
    const { value, grads } = valueAndGrad(() => ops.mean(ops.square(run(y))), [w]);
    w.assign(ops.sub(w.value, ops.mul(grads.get(w)!, 0.5)));
    return value;
  });
  const check = async (): Promise<void> => {
    for (let i = 0; i < 2; i++) expect(await largestDifference(predict(x), fresh(x))).toBeLessThan(1e-2);
  };
  await check();
  w.assign(ops.randomNormal([...kernel], 3));
  await check();
  for (let i = 0; i < 2; i++) {
    await train(x).data();
    await check();
  }
  predict.dispose();
  train.dispose();
});
