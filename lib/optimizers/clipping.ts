import { add, div, maximum, mul } from '../ops/binary.js';
import { sum } from '../ops/reduce.js';
import { clip, sqrt, square } from '../ops/unary.js';
import type { Tensor } from '../tensor/tensor.js';

/** Limits of gradients; at most one of them is set. */
export interface Clipping {
  readonly clipnorm?: number | undefined;
  readonly globalClipnorm?: number | undefined;
  readonly clipvalue?: number | undefined;
}

const squaredNorm = (g: Tensor): Tensor => sum(square(g));

/** g * limit / max(norm, limit): the gradient itself when its norm is within the limit. */
function scaleTo(g: Tensor, norm: Tensor, limit: number): Tensor {
  return mul(g, div(limit, maximum(norm, limit)));
}

/**
 * Limits gradients by each one's norm, by the norm of all together, or element by element (Pascanu, Mikolov, Bengio
 * 2013, "On the difficulty of training recurrent neural networks").
 */
export function clipGradients(
  grads: readonly Tensor[],
  { clipnorm, globalClipnorm, clipvalue }: Clipping,
): readonly Tensor[] {
  if (clipnorm !== undefined) return grads.map((g) => scaleTo(g, sqrt(squaredNorm(g)), clipnorm));
  if (globalClipnorm !== undefined) {
    const norm = sqrt(grads.map(squaredNorm).reduce((a, b) => add(a, b)));
    return grads.map((g) => scaleTo(g, norm, globalClipnorm));
  }
  if (clipvalue !== undefined) return grads.map((g) => clip(g, -clipvalue, clipvalue));
  return grads;
}
