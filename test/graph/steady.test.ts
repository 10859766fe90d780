import { afterEach, expect, test } from 'vitest';
import { disablePasses, PASS_NAMES } from '../../lib/graph/passes/index.js';
import { compile, currentDevice, ops, setDevice, tensor, Variable, type Tensor } from '../../lib/index.js';

const usual = currentDevice();
afterEach(() => {
  disablePasses();
  setDevice(usual);
});

/** Convolution, bias, batch normalization with given statistics, ReLU. */
function network() {
  const c = 4;
  const normal = (shape: number[], seed: number) => new Variable(ops.randomNormal(shape, seed));
  const weights = {
    kernel: normal([3, 3, 2, c], 1),
    depthwise: normal([3, 3, c, 1], 7),
    bias: normal([c], 2),
    mean: normal([c], 3),
    variance: new Variable(tensor([1, 2, 3, 0.5])),
    gamma: normal([c], 4),
    beta: normal([c], 5),
  };
  const apply = (x: Tensor): Tensor => {
    const { kernel, depthwise, bias, mean, variance, gamma, beta } = weights;
    const norm = (y: Tensor): Tensor =>
      ops.batchNormInference(y, {
        mean: mean.value,
        variance: variance.value,
        gamma: gamma.value,
        beta: beta.value,
      });
    const y = ops.relu(norm(ops.conv2d(x, kernel.value, { padding: 'same', bias: bias.value })));
    return ops.relu(norm(ops.depthwiseConv2d(y, depthwise.value, { padding: 'same' })));
  };
  return { weights, apply };
}

const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.data());
const expectClose = (a: number[], b: number[]): void =>
  a.forEach((v, i) => {
    expect(v).toBeCloseTo(b[i]!, 4);
  });

for (const device of ['reference', 'cpu']) {
  test(`${device}: normalization is folded into the convolution, whose weights are made once`, async () => {
    setDevice(device);
    const { weights, apply } = network();
    const x = ops.randomNormal([2, 5, 5, 2], 6);
    const predict = compile(apply);
    const kernels = (await predict.profile(x)).map((p) => p.kernel);
    expect(kernels).toEqual(['conv2d', 'conv2d']);
    disablePasses(...PASS_NAMES);
    const plain = compile(apply);
    expectClose(await numbers(predict(x)), await numbers(plain(x)));

    for (const variable of Object.values(weights)) {
      variable.assign(ops.add(ops.abs(variable.value), 0.1));
      expectClose(await numbers(predict(x)), await numbers(plain(x)));
    }
    // Updates in place by another plan count too.
    const update = compile(() => {
      weights.gamma.assign(weights.gamma.value.mul(2));
      return weights.gamma.value;
    });
    for (let i = 0; i < 3; i++) {
      await update().data();
      expectClose(await numbers(predict(x)), await numbers(plain(x)));
    }
    for (const f of [predict, plain, update]) f.dispose();
  });
}

test('what depends on an argument, or on a variable the function assigns, is computed in every run', async () => {
  setDevice('reference');
  const v = new Variable(tensor([1, 2]));
  const w = new Variable(tensor([3, 4]));
  const f = compile((x: Tensor) => {
    const y = ops.exp(v.value).add(ops.exp(w.value)).add(ops.exp(x));
    w.assign(w.value.add(1));
    return y;
  });
  const expected = (x: number): number[] => [1, 2].map((a, i) => Math.exp(a) + Math.exp([3, 4][i]! + x) + Math.exp(x));
  for (const x of [0, 1, 2]) expectClose(await numbers(f(tensor([x, x]))), expected(x));
});

test('outputs that depend on variables only', async () => {
  setDevice('reference');
  const v = new Variable(tensor([1, 2]));
  const f = compile((x: Tensor) => [ops.square(v.value), ops.reshape(v.value, [2, 1]), ops.neg(x), v.value]);
  for (const change of [1, 5]) {
    const [a, b, c, d] = await Promise.all(f(tensor([7])).map(numbers));
    const now = await numbers(v.value);
    expect([a, b, c, d]).toEqual([now.map((e) => e * e), now, [-7], now]);
    v.assign(tensor([change, 3]));
  }
});
