import { sizeOf } from '../../../tensor/shape.js';
import type { KernelCall, ReferenceKernel, TensorType } from './kernel.js';

/** The long side [outer, length, inner] and the picked side [outer, count, inner] of a gather. */
interface Picking {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly count: number;
}

/** Verifies picked = long[:axis] + indices + long[axis+1:]. */
function readPicking(call: KernelCall, long: TensorType, indices: TensorType, picked: TensorType): Picking {
  call.dtype(indices, 'int32');
  call.dtype(picked, long.dtype);
  const axis = call.integer('axis', 0, long.shape.length - 1);
  const [before, after] = [long.shape.slice(0, axis), long.shape.slice(axis + 1)];
  call.shape('the gathered side', picked, [...before, ...indices.shape, ...after]);
  return { outer: sizeOf(before), length: long.shape[axis]!, inner: sizeOf(after), count: sizeOf(indices.shape) };
}

function checkIndices(call: KernelCall, indices: Float64Array, length: number): void {
  const position = indices.findIndex((index) => index < 0 || index >= length);
  if (position < 0) return;
  throw call.failed(`indices from 0 to ${length - 1}`, `index ${indices[position]} at position ${position}`);
}

/** Calls `visit` with the starts of corresponding rows of `inner` elements, in the order of the indices. */
function forEachRow(
  { outer, length, inner, count }: Picking,
  indices: Float64Array,
  visit: (long: number, picked: number) => void,
): void {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < count; i++) visit((o * length + indices[i]!) * inner, (o * count + i) * inner);
  }
}

/** y[o, i, ...] = x[o, indices[i], ...]. */
export const gather: ReferenceKernel = {
  prepare(call) {
    call.count(2, 1);
    const picking = readPicking(call, call.input(0), call.input(1), call.output(0));
    return ([x, indices], [y]) => {
      checkIndices(call, indices!, picking.length);
      forEachRow(picking, indices!, (from, to) => y!.set(x!.subarray(from, from + picking.inner), to));
    };
  },
};

/** dx[o, indices[i], ...] += dy[o, i, ...], from zeros. */
export const scatterAdd: ReferenceKernel = {
  prepare(call) {
    call.count(2, 1);
    const [indices, dy] = [call.input(0), call.input(1)];
    call.float(dy);
    const picking = readPicking(call, call.output(0), indices, dy);
    return ([positions, dys], [dx]) => {
      checkIndices(call, positions!, picking.length);
      dx!.fill(0);
      forEachRow(picking, positions!, (to, from) => {
        for (let i = 0; i < picking.inner; i++) dx![to + i]! += dys![from + i]!;
      });
    };
  },
};
