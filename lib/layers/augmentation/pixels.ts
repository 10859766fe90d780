import * as ops from '../../ops/index.js';
import { range } from '../../tensor/create.js';
import type { Tensor } from '../../tensor/tensor.js';

export { pixelsAt } from '../../ops/pixels.js';

/** 0, 1, ... along the rows (axis 1) or columns (axis 2) of images: int32 [1, size, 1] or [1, 1, size]. */
export function positions(like: Tensor, axis: 1 | 2, size: number): Tensor {
  return range(0, size, 1, { dtype: 'int32', device: like.device }).reshape(axis === 1 ? [1, size, 1] : [1, 1, size]);
}

/** Whole numbers from 0 to `count` - 1, from uniform numbers in [0, 1): int32. */
export function wholeBelow(uniform: Tensor, count: number): Tensor {
  return ops.minimum(ops.cast(ops.mul(uniform, count), 'int32'), count - 1);
}
