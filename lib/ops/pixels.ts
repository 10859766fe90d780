import { range } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { add, mul } from './binary.js';
import { gather } from './indexing.js';
import { reshape } from './shape.js';

/**
 * Pixels of images by their places.
 *
 * @param images - [n, h, w, c]
 * @param rows - int32, broadcast with `columns` to [n, H, W]; from 0 to h - 1
 * @param columns - int32, from 0 to w - 1
 * @returns [n, H, W, c]
 */
export function pixelsAt(images: Tensor, rows: Tensor, columns: Tensor): Tensor {
  const [n, h, w, c] = images.shape as [number, number, number, number];
  const first = reshape(range(0, n * h, h, { dtype: 'int32', device: images.device }), [n, 1, 1]);
  const places = add(mul(add(first, rows), w), columns);
  return gather(reshape(images, [n * h * w, c]), places, 0);
}
