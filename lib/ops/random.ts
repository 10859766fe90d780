import type { Attributes } from '../backends/backend.js';
import { asTensor, tensor, type TensorLike } from '../tensor/create.js';
import { checkShape, formatShape, type Shape } from '../tensor/shape.js';
import { sameValue, Tensor } from '../tensor/tensor.js';
import { requireArgument, requireDType, requireFloat, requireShape } from './check.js';
import { defineOp1, type Op1 } from './define.js';

/**
 * What a random op draws from: a whole number, or an int32 tensor of four (Philox key and upper counter words). The
 * same seed gives the same numbers on every device.
 */
export type Seed = number | Tensor;

function seedTensor(op: string, seed: Seed): Tensor {
  if (seed instanceof Tensor) {
    requireDType(op, 'seed', seed, 'int32');
    requireShape(op, seed.rank === 1 && seed.shape[0] === 4, 'a seed of shape [4]', formatShape(seed.shape));
    return seed;
  }
  requireArgument(op, Number.isSafeInteger(seed), 'a whole number as seed', seed);
  return tensor(Int32Array.from([seed | 0, Math.floor(seed / 2 ** 32) | 0, 0, 0]));
}

interface RandomAttributes extends Attributes {
  readonly distribution: 'uniform' | 'normal' | 'truncatedNormal';
  readonly a: number;
  readonly b: number;
  readonly shape: Shape;
}

const randomOp: Op1<RandomAttributes> = defineOp1({
  name: 'random',
  lowering: { kind: 'kernel', kernel: 'random', attributes: ['distribution', 'a', 'b'] },
  infer: (_, { shape }) => [{ shape, dtype: 'float32' }],
  differentiable: false,
});

function random(op: RandomAttributes['distribution'], shape: Shape, seed: Seed, a: number, b: number): Tensor {
  checkShape(op, shape);
  requireArgument(op, Number.isFinite(a) && Number.isFinite(b), 'finite parameters', `${a} and ${b}`);
  return randomOp([seedTensor(op, seed)], { distribution: op, a, b, shape });
}

/** Uniform in [min, max). */
export const randomUniform = (shape: Shape, seed: Seed, { min = 0, max = 1 } = {}): Tensor =>
  random('uniform', shape, seed, min, max);
/** Normally distributed. */
export const randomNormal = (shape: Shape, seed: Seed, { mean = 0, stddev = 1 } = {}): Tensor =>
  random('normal', shape, seed, mean, stddev);
/** Normally distributed, redrawn beyond two standard deviations. */
export const truncatedNormal = (shape: Shape, seed: Seed, { mean = 0, stddev = 1 } = {}): Tensor =>
  random('truncatedNormal', shape, seed, mean, stddev);

const dropoutOp: Op1<{ rate: number }> = defineOp1({
  name: 'dropout',
  lowering: { kind: 'kernel', kernel: 'dropout' },
  infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
  gradient: ({ inputs: [, seed], dy: [dy], attributes }) => [() => dropoutOp([dy!, seed!], attributes), null],
});

/**
 * Sets elements to 0 with probability `rate` and divides the others by 1 - rate (Srivastava et al. 2014). The mask is
 * a function of the seed, so the gradient draws it again instead of storing it.
 */
export function dropout(x: TensorLike, rate: number, seed: Seed): Tensor {
  const t = asTensor('dropout', x);
  requireFloat('dropout', 'x', t);
  requireArgument('dropout', rate >= 0 && rate < 1, 'a rate in [0, 1)', rate);
  return rate === 0 ? sameValue('dropout', t) : dropoutOp([t, seedTensor('dropout', seed)], { rate });
}
