import { sizeOf, stridesOf } from '../../../tensor/shape.js';
import type { Shape } from '../../../tensor/shape.js';

/**
 * Walks the positions of `shape` in row-major order, calling `visit(i, offset)` with the running number of the position
 * and the sum of index * stride over the axes.
 *
 * @param strides - one per axis, in elements of the other array; 0 where it does not move
 * @param start - number of the first position
 * @param end - number of the position to stop before
 */
export function forEachIndex(
  shape: Shape,
  strides: readonly number[],
  visit: (i: number, offset: number) => void,
  start = 0,
  end = sizeOf(shape),
): void {
  const index = new Array<number>(shape.length);
  let rest = start;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  let offset = index.reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
  for (let i = start; i < end; i++) {
    visit(i, offset);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      offset += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      offset -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}

/** Strides that walk an array of shape `from` as if it were broadcast to `to`: 0 along repeated axes. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = stridesOf(from);
  const missing = to.length - from.length;
  return to.map((_, axis) => (axis < missing || from[axis - missing] === 1 ? 0 : strides[axis - missing]!));
}
