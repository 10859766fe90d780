import type { Attributes } from '../backends/backend.js';
import { asTensor, type TensorLike } from '../tensor/create.js';
import { isNarrow } from '../tensor/dtype.js';
import { formatShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { add, mul, sub } from './binary.js';
import { requireArgument, requireDType, requireFloat, requireSameDType, requireShape } from './check.js';
import { defineOp, defineOp1 } from './define.js';
import { cast, rsqrt, widened } from './unary.js';

interface BatchNormAttributes extends Attributes {
  readonly epsilon: number;
  readonly activation: 'linear';
}

const trainingOp = defineOp<BatchNormAttributes>({
  name: 'batchNorm',
  lowering: { kind: 'kernel', kernel: 'batchNorm' },
  infer: ([x, gamma]) => [
    { shape: x!.shape, dtype: x!.dtype },
    { shape: gamma!.shape, dtype: gamma!.dtype },
    { shape: gamma!.shape, dtype: gamma!.dtype },
  ],
  // Mean and variance serve the moving statistics only: gradients that arrive there are refused by `backward`.
  gradient: ({ inputs: [x, gamma], outputs: [, mean, variance], dy, attributes: { epsilon } }) => {
    requireArgument(
      'batchNorm',
      dy[1] === undefined && dy[2] === undefined,
      'gradients at y only',
      'one at mean or variance',
    );
    let made: Tensor[] | undefined;
    const grads = (): Tensor[] => (made ??= backwardOp([x!, gamma!, mean!, variance!, dy[0]!], { epsilon }));
    return [() => grads()[0]!, () => grads()[1]!, () => grads()[2]!];
  },
});

const backwardOp = defineOp<{ epsilon: number }>({
  name: 'batchNormBackward',
  lowering: { kind: 'kernel', kernel: 'batchNormBackward' },
  infer: ([x, gamma]) => [x!, gamma!, gamma!].map(({ shape, dtype }) => ({ shape, dtype })),
});

function check(op: string, x: Tensor, vectors: readonly Tensor[], epsilon: number): void {
  requireFloat(op, 'x', x);
  requireShape(op, x.rank >= 2, 'a rank of at least 2', formatShape(x.shape));
  if (isNarrow(x.dtype)) for (const v of vectors) requireDType(op, 'statistics', v, 'float32');
  else requireSameDType(op, [x, ...vectors]);
  requireArgument(op, Number.isFinite(epsilon) && epsilon >= 0, 'an epsilon of zero or more', epsilon);
  for (const v of vectors) {
    requireShape(
      op,
      v.rank === 1 && v.shape[0] === x.shape.at(-1),
      `statistics of shape [${x.shape.at(-1)}]`,
      formatShape(v.shape),
    );
  }
}

/**
 * Batch normalization with the statistics of this batch (Ioffe and Szegedy 2015), over all axes but the last.
 *
 * @param x - [..., c]; beside one of a 16-bit type gamma, beta and the statistics are float32
 * @param gamma - [c]
 * @param beta - [c]
 * @returns y like x, and mean and biased variance [c] of the batch
 */
export function batchNorm(
  x: TensorLike,
  gamma: TensorLike,
  beta: TensorLike,
  { epsilon = 1e-3 } = {},
): { y: Tensor; mean: Tensor; variance: Tensor } {
  const op = 'batchNorm';
  const [t, g, b] = [asTensor(op, x), asTensor(op, gamma), asTensor(op, beta)];
  check(op, t, [g, b], epsilon);
  const [y, mean, variance] = trainingOp([t, g, b], { epsilon, activation: 'linear' });
  return { y: y!, mean: mean!, variance: variance! };
}

/** Batch normalization with given statistics: (x - mean) / sqrt(variance + epsilon) * gamma + beta. */
export function batchNormInference(
  x: TensorLike,
  statistics: { mean: TensorLike; variance: TensorLike; gamma?: TensorLike | undefined; beta?: TensorLike | undefined },
  { epsilon = 1e-3 } = {},
): Tensor {
  const op = 'batchNormInference';
  const t = asTensor(op, x);
  const mean = asTensor(op, statistics.mean);
  const variance = asTensor(op, statistics.variance);
  const gamma = statistics.gamma === undefined ? undefined : asTensor(op, statistics.gamma);
  const beta = statistics.beta === undefined ? undefined : asTensor(op, statistics.beta);
  check(
    op,
    t,
    [mean, variance, gamma, beta].filter((v) => v !== undefined),
    epsilon,
  );
  let y = mul(sub(widened(t), mean), rsqrt(add(variance, epsilon)));
  if (gamma) y = mul(y, gamma);
  if (beta) y = add(y, beta);
  return cast(y, t.dtype);
}

interface LrnAttributes extends Attributes {
  readonly depthRadius: number;
  readonly bias: number;
  readonly alpha: number;
  readonly beta: number;
}

const lrnOp = defineOp1<LrnAttributes>({
  name: 'lrn',
  lowering: { kind: 'kernel', kernel: 'lrn' },
  infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
  gradient: ({ inputs: [x], dy: [dy], attributes }) => [() => lrnBackward([x!, dy!], attributes)],
});

const lrnBackward = defineOp1<LrnAttributes>({
  name: 'lrnBackward',
  lowering: { kind: 'kernel', kernel: 'lrnBackward' },
  infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
});

/**
 * Local response normalization across channels (Krizhevsky et al. 2012, section 3.3), with TensorFlow's defaults:
 * x / (bias + alpha * sum of x² over 2 * depthRadius + 1 channels) ^ beta. Alpha is not divided by the window.
 *
 * @param x - [..., c]
 */
export function lrn(x: TensorLike, { depthRadius = 5, bias = 1, alpha = 1, beta = 0.5 } = {}): Tensor {
  const t = asTensor('lrn', x);
  requireFloat('lrn', 'x', t);
  requireShape('lrn', t.rank >= 1, 'a rank of at least 1', formatShape(t.shape));
  requireArgument(
    'lrn',
    Number.isInteger(depthRadius) && depthRadius >= 0,
    'a depthRadius of zero or more',
    depthRadius,
  );
  const numbers = [bias, alpha, beta];
  requireArgument('lrn', numbers.every(Number.isFinite), 'finite bias, alpha and beta', numbers.map(String).join(', '));
  return lrnOp([t], { depthRadius, bias, alpha, beta });
}
