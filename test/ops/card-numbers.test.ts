import { expect, test } from 'vitest';
import { ops, tensor, vjp, type Tensor } from '../../lib/index.js';
import { describeEachDevice } from '../support/each-device.js';

/**
 * What cuDNN 9 printed on an RTX 3060 for the same inputs (pantheonsim, nvidia/tests/conformance/golden): sums of
 * absolute values and of squares, to every printed digit. The last may differ by one, as sums are made in another order.
 * `test/native/cuda_kernels/goldens_test.cc` asks the same of single kernels; here it is whole ops and their gradients,
 * on the reference, the cpu, the emulator (`npm run test:cuda`) and, one day, a card (`npm run test:gpu`).
 */

/** The inputs' formula, in float32 as the card's program had it. */
function wave(count: number, scale: number, from = 0): Float32Array {
  return Float32Array.from({ length: count }, (_, k) => {
    const i = k + from;
    const angle = Math.fround(Math.fround(Math.fround(0.7) * i) + Math.fround(0.3));
    const term = Math.fround(Math.fround(scale) * Math.fround(Math.sin(angle)));
    return term + Math.fround(Math.fround(0.1) * (i % 5)) - Math.fround(0.2);
  });
}

const sumOf = (numbers: ArrayLike<number>, term: (x: number) => number): number =>
  Array.from(numbers).reduce((sum, x) => sum + term(x), 0);

/** `absolutes` and `squares` are printed as "%.6e". */
async function expectPrinted(values: Tensor, absolutes: number, squares?: number): Promise<void> {
  const numbers = await values.data();
  const unit = (printed: number): number => 10 ** (Math.floor(Math.log10(printed)) - 6);
  const sums = [[sumOf(numbers, Math.abs), absolutes] as const];
  if (squares !== undefined) sums.push([sumOf(numbers, (x) => x * x), squares]);
  for (const [received, printed] of sums) {
    const distance = Math.abs(received - printed) / unit(printed);
    expect(distance, `received ${received.toExponential(6)}, the card printed ${printed}`).toBeLessThan(1.5);
  }
}

const gamma = (): Tensor => tensor([0.75, 0.85, 0.95, 1.05].map(Math.fround));
const beta = (): Tensor => tensor(wave(4, 0.2, 5), [4]);

describeEachDevice('what an RTX 3060 printed', () => {
  test('a convolution and the gradient of its kernel', async () => {
    const x = tensor(wave(180, 1), [2, 5, 6, 3]);
    // The card has [o,h,w,c]; ours is [h,w,c,o].
    const kernel = ops.transpose(tensor(wave(108, 0.5, 3), [4, 3, 3, 3]), [1, 2, 3, 0]);
    const { value, pullback } = vjp((k) => ops.conv2d(x, k, { padding: 'same' }), kernel);
    await expectPrinted(value, 8.141987e2, 3.265672e3);
    await expectPrinted(pullback(tensor(wave(240, 0.8, 7), [2, 5, 6, 4]))[0]!, 8.88104e1, 1.030274e2);
  });

  test('batch normalization and its gradient', async () => {
    const x = tensor(wave(120, 1.5), [3, 5, 2, 4]);
    const { value, pullback } = vjp((t) => ops.batchNorm(t, gamma(), beta(), { epsilon: 1e-5 }).y, x);
    await expectPrinted(value, 9.886408e1, 1.053922e2);
    await expectPrinted(pullback(tensor(wave(120, 1, 4), [3, 5, 2, 4]))[0]!, 2.378543e1, 6.877719);
  });

  test('batch normalization, an addition and ReLU, with both gradients', async () => {
    const [x, z] = [tensor(wave(72, 1.5), [18, 4]), tensor(wave(72, 0.7, 2), [18, 4])];
    const { value, pullback } = vjp(
      (t, u) => ops.relu(ops.batchNorm(t, gamma(), beta(), { epsilon: 1e-5 }).y.add(u)),
      x,
      z,
    );
    const [dx, dz] = pullback(tensor(wave(72, 1, 4), [18, 4]));
    await expectPrinted(value, 2.873169e1);
    await expectPrinted(dx!, 1.544792e1);
    await expectPrinted(dz!, 2.254282e1);
  });

  test('local response normalization and its gradient', async () => {
    const nhwc = (numbers: Float32Array): Tensor => ops.transpose(tensor(numbers, [2, 7, 3, 2]), [0, 2, 3, 1]);
    // cuDNN divides alpha by the width of the window, 5.
    const options = { depthRadius: 2, alpha: 0.3 / 5, beta: 0.75, bias: 1.5 };
    const { value, pullback } = vjp((t) => ops.lrn(t, options), nhwc(wave(84, 1.5)));
    await expectPrinted(value, 5.268518e1);
    await expectPrinted(pullback(nhwc(wave(84, 1, 6)))[0]!, 3.398783e1);
  });
});
