import * as ops from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { positions } from './pixels.js';

/**
 * Boxes in images.
 *
 * @param height - part of the image's height, [n, 1, 1, 1]
 * @param width - part of its width
 * @param place - two numbers from 0 to 1, where between the borders
 * @returns `inside`, bool [n, h, w, 1], and the part of the image that the box covers as a whole number of pixels
 */
export function boxes(
  images: Tensor,
  { height, width, top, left }: Readonly<Record<'height' | 'width' | 'top' | 'left', Tensor>>,
): { readonly inside: Tensor; readonly part: Tensor } {
  const [, h, w] = images.shape as [number, number, number, number];
  const span = (size: number, length: Tensor, place: Tensor, axis: 1 | 2): { within: Tensor; count: Tensor } => {
    const pixels = ops.round(ops.mul(length, size));
    const start = ops.floor(ops.mul(place, ops.add(ops.sub(size, pixels), 0.999)));
    const at = ops.cast(positions(images, axis, size), 'float32').reshape(axis === 1 ? [1, h, 1, 1] : [1, 1, w, 1]);
    const within = ops.and(ops.greaterEqual(at, start), ops.less(at, ops.add(start, pixels)));
    return { within, count: pixels };
  };
  const [rows, columns] = [span(h, height, top, 1), span(w, width, left, 2)];
  return {
    inside: ops.and(rows.within, columns.within),
    part: ops.div(ops.mul(rows.count, columns.count), h * w),
  };
}
