import * as ops from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';

// Maps for `ops.affineTransform`, [n, 6], from a number for each image, [n, 1, 1, 1]. They say where in the image a pixel
// of the result lies, in the arithmetic of Keras 3.15.

/** One map for each image from its six numbers. */
function mapsOf(like: Tensor, entries: readonly (Tensor | number)[]): Tensor {
  const column = like.reshape([like.shape[0]!, 1]);
  const none = ops.mul(column, 0);
  return ops.concat(
    entries.map((entry) => (typeof entry === 'number' ? ops.add(none, entry) : entry.reshape(column.shape))),
    1,
  );
}

/** Turned around the middle. */
export function rotation(radians: Tensor, height: number, width: number): Tensor {
  const [cos, sin] = [ops.cos(radians), ops.sin(radians)];
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const offset = (centre: number, a: Tensor, b: Tensor): Tensor =>
    ops.sub(ops.sub(centre, ops.mul(a, cx)), ops.mul(b, cy));
  return mapsOf(radians, [cos, ops.neg(sin), offset(cx, cos, ops.neg(sin)), sin, cos, offset(cy, sin, cos)]);
}

/** Moved by a number of pixels: to the right and down where positive. */
export function translation(right: Tensor, down: Tensor): Tensor {
  return mapsOf(right, [1, 0, ops.neg(right), 0, 1, ops.neg(down)]);
}

/** Smaller by factors above 1, larger by factors below, around the middle. */
export function zoom(vertical: Tensor, horizontal: Tensor, height: number, width: number): Tensor {
  const offset = (factor: Tensor, size: number): Tensor => ops.mul(ops.sub(1, factor), (size - 1) / 2);
  return mapsOf(vertical, [horizontal, 0, offset(horizontal, width), 0, vertical, offset(vertical, height)]);
}

/** Columns moved by rows, and rows by columns, around the corner. */
export function shear(horizontal: Tensor, vertical: Tensor): Tensor {
  return mapsOf(horizontal, [1, horizontal, 0, vertical, 1, 0]);
}
