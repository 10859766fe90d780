import { mismatch } from '../errors.js';
import { div, greater, mul, select } from '../ops/binary.js';
import { sum } from '../ops/reduce.js';
import { expandDims, reshape, squeeze } from '../ops/shape.js';
import { cast } from '../ops/unary.js';
import { formatShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';

export const REDUCTIONS = ['sumOverBatchSize', 'sum', 'meanWithSampleWeight', 'mean', 'none'] as const;

/**
 * How the losses of samples become one number: `sumOverBatchSize` (also called `mean`) divides their weighted sum by
 * how many there are, `meanWithSampleWeight` by the sum of the weights.
 */
export type Reduction = (typeof REDUCTIONS)[number];

/**
 * Brings targets and predictions to one rank where one of them has a last axis of length 1 too many, as Keras does:
 * a vector is given that axis, of anything else it is taken.
 */
export function alignRanks(a: Tensor, b: Tensor): [Tensor, Tensor] {
  if (a.rank === b.rank + 1 && a.shape.at(-1) === 1) return b.rank === 1 ? [a, expandDims(b, -1)] : [squeeze(a, -1), b];
  if (b.rank === a.rank + 1 && b.shape.at(-1) === 1) return a.rank === 1 ? [expandDims(a, -1), b] : [a, squeeze(b, -1)];
  return [a, b];
}

/**
 * Weights in the rank of the values they weigh: one a sample, or one for each value; `[n]` and `[n, 1]` weigh values
 * `[n, h, w]` too.
 *
 * @param owner - the loss or metric, for messages
 */
export function alignWeights(owner: string, weights: Tensor, values: Tensor): Tensor {
  let shape = [...weights.shape];
  while (shape.length > values.rank && shape.at(-1) === 1) shape = shape.slice(0, -1);
  while (shape.length < values.rank) shape.push(1);
  if (weights.rank > 0 && !shape.every((d, i) => shape.length === values.rank && (d === 1 || d === values.shape[i]))) {
    const expected = `sample weights for values of shape ${formatShape(values.shape)}`;
    throw mismatch('ERR_SHAPE', { op: owner }, expected, formatShape(weights.shape));
  }
  return reshape(cast(weights, values.dtype), shape);
}

/** Weighs the losses of samples and makes one number of them (or leaves them, for `none`). */
export function reduceLoss(owner: string, values: Tensor, reduction: Reduction, sampleWeight?: Tensor): Tensor {
  const weights = sampleWeight && alignWeights(owner, sampleWeight, values);
  const weighted = weights ? mul(values, weights) : values;
  switch (reduction) {
    case 'none':
      return weighted;
    case 'sum':
      return sum(weighted);
    case 'meanWithSampleWeight': {
      if (!weights) break;
      const total = mul(sum(weights), values.size / weights.size);
      return div(sum(weighted), select(greater(total, 0), total, 1));
    }
    case 'sumOverBatchSize':
    case 'mean':
      break;
  }
  return mul(sum(weighted), 1 / Math.max(1, values.size));
}
