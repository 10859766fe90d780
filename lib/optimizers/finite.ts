import { and } from '../ops/binary.js';
import { max, min } from '../ops/reduce.js';
import { isFinite } from '../ops/unary.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Whether every element of all tensors is finite, as a scalar of bool. The largest and the smallest element tell:
 * infinities are among them, and a NaN becomes both.
 */
export function allFinite(tensors: readonly Tensor[]): Tensor {
  const extremes = tensors.filter((t) => t.size > 0).flatMap((t) => [max(t), min(t)]);
  if (extremes.length === 0) return isFinite(0);
  return extremes.map((t) => isFinite(t)).reduce((a, b) => and(a, b));
}
