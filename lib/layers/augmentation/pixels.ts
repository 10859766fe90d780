import * as ops from '../../ops/index.js';
import { range } from '../../tensor/create.js';
import type { Tensor } from '../../tensor/tensor.js';

/** 0, 1, ... along the rows (axis 1) or columns (axis 2) of images: int32 [1, size, 1] or [1, 1, size]. */
export function positions(like: Tensor, axis: 1 | 2, size: number): Tensor {
  return range(0, size, 1, { dtype: 'int32', device: like.device }).reshape(axis === 1 ? [1, size, 1] : [1, 1, size]);
}

/**
 * Pixels of images by their places.
 *
 * @param images - [n, h, w, c]
 * @param rows - int32 [n or 1, H, W or 1], from 0 to h - 1
 * @param columns - int32 [n or 1, H or 1, W], from 0 to w - 1
 * @returns [n, H, W, c]
 */
export function pixelsAt(images: Tensor, rows: Tensor, columns: Tensor): Tensor {
  const [n, h, w, c] = images.shape as [number, number, number, number];
  const first = range(0, n * h, h, { dtype: 'int32', device: images.device }).reshape([n, 1, 1]);
  const places = ops.add(ops.mul(ops.add(first, rows), w), columns);
  return ops.gather(images.reshape([n * h * w, c]), places, 0);
}

/** Whole numbers from 0 to `count` - 1, from uniform numbers in [0, 1): int32. */
export function wholeBelow(uniform: Tensor, count: number): Tensor {
  return ops.minimum(ops.cast(ops.mul(uniform, count), 'int32'), count - 1);
}
