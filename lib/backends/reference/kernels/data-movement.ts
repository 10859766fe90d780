import { formatShape, sizeOf, stridesOf } from '../../../tensor/shape.js';
import { storeAs } from '../convert.js';
import type { ReferenceKernel } from './kernel.js';
import { forEachIndex } from './strides.js';

/** y = the inputs, one after the other along an axis. */
export const concat: ReferenceKernel = {
  prepare(call) {
    call.count([1, Infinity], 1);
    const y = call.output(0);
    const axis = call.integer('axis', 0, y.shape.length - 1);
    const total = call.inputs.reduce((sum, x) => sum + (x.shape[axis] ?? 0), 0);
    if (total !== y.shape[axis]) throw call.invalid(`inputs of ${y.shape[axis]} in all along axis ${axis}`, `${total}`);
    for (const x of call.inputs) {
      call.dtype(x, y.dtype);
      call.shape('every input', x, y.shape.with(axis, x.shape[axis] ?? 0));
    }
    const outer = sizeOf(y.shape.slice(0, axis));
    const rowOf = (shape: readonly number[]): number => sizeOf(shape.slice(axis));
    return (xs, [ys]) => {
      let column = 0;
      xs.forEach((x, k) => {
        const row = rowOf(call.input(k).shape);
        for (let i = 0; i < outer; i++) ys!.set(x.subarray(i * row, (i + 1) * row), i * rowOf(y.shape) + column);
        column += row;
      });
    };
  },
};

/** y[i...] = x[begin + i...]. */
export const slice: ReferenceKernel = {
  prepare(call) {
    call.count(1, 1);
    const [x, y] = [call.input(0), call.output(0)];
    call.dtype(y, x.dtype);
    call.rank('y', y, x.shape.length);
    const begin = call.integers('begin', x.shape.length, 0);
    if (y.shape.some((d, axis) => begin[axis]! + d > x.shape[axis]!)) {
      throw call.invalid(`a slice of ${formatShape(x.shape)}`, `${formatShape(y.shape)} from ${formatShape(begin)}`);
    }
    const strides = stridesOf(x.shape);
    const first = begin.reduce((sum, b, axis) => sum + b * strides[axis]!, 0);
    return ([xs], [ys]) => forEachIndex(y.shape, strides, (i, offset) => (ys![i] = xs![first + offset]!));
  },
};

/** y[before + i...] = x[i...], and `value` around it. */
export const pad: ReferenceKernel = {
  prepare(call) {
    call.count(1, 1);
    const [x, y] = [call.input(0), call.output(0)];
    call.dtype(y, x.dtype);
    call.rank('y', y, x.shape.length);
    const before = call.integers('before', x.shape.length, 0);
    const value = storeAs(y.dtype, call.number('value'));
    if (x.shape.some((d, axis) => before[axis]! + d > y.shape[axis]!)) {
      throw call.invalid(
        `a result that holds ${formatShape(x.shape)} after ${formatShape(before)}`,
        formatShape(y.shape),
      );
    }
    const strides = stridesOf(y.shape);
    const first = before.reduce((sum, b, axis) => sum + b * strides[axis]!, 0);
    return ([xs], [ys]) => {
      ys!.fill(value);
      forEachIndex(x.shape, strides, (i, offset) => (ys![first + offset] = xs![i]!));
    };
  },
};

/** Axis i of y is axis perm[i] of x. */
export const transpose: ReferenceKernel = {
  prepare(call) {
    call.count(1, 1);
    const [x, y] = [call.input(0), call.output(0)];
    call.dtype(y, x.dtype);
    const perm = call.integers('perm', x.shape.length, 0);
    if (!x.shape.every((_, axis) => perm.includes(axis))) {
      throw call.invalid(`a permutation of ${x.shape.length} axes`, JSON.stringify(perm));
    }
    call.shape(
      'y',
      y,
      perm.map((axis) => x.shape[axis]!),
    );
    const strides = stridesOf(x.shape);
    const walk = perm.map((axis) => strides[axis]!);
    return ([xs], [ys]) => forEachIndex(y.shape, walk, (i, offset) => (ys![i] = xs![offset]!));
  },
};

/** y[..., k] = 1 where indices[...] is k, else 0. */
export const oneHot: ReferenceKernel = {
  prepare(call) {
    call.count(1, 1);
    const [indices, y] = [call.input(0), call.output(0)];
    call.dtype(indices, 'int32');
    call.dtype(y, 'float32', 'bfloat16', 'float16', 'float64', 'bool');
    const depth = y.shape.at(-1);
    if (depth === undefined) throw call.invalid('y of rank 1 or more', '[]');
    call.shape('y', y, [...indices.shape, depth]);
    return ([from], [ys]) => {
      ys!.fill(0);
      from!.forEach((k, i) => {
        if (k >= 0 && k < depth) ys![i * depth + k] = 1;
      });
    };
  },
};

/** y = x. */
export const copy: ReferenceKernel = {
  prepare(call) {
    call.count(1, 1);
    const [x, y] = [call.input(0), call.output(0)];
    call.dtype(y, x.dtype);
    call.size('y', y, x.shape);
    return ([xs], [ys]) => ys!.set(xs!);
  },
};
