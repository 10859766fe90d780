import { isFloat } from '../../../tensor/dtype.js';
import { sizeOf, stridesOf } from '../../../tensor/shape.js';
import type { KernelCall, ReferenceKernel } from './kernel.js';
import { forEachIndex } from './strides.js';

type Mode = 'sum' | 'mean' | 'max' | 'min' | 'prod';

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

/** What nothing reduces to. */
function startOf(mode: Mode, float: boolean): number {
  switch (mode) {
    case 'sum':
    case 'mean':
      return 0;
    case 'prod':
      return 1;
    case 'max':
      return float ? -Infinity : INT32_MIN;
    case 'min':
      return float ? Infinity : INT32_MAX;
  }
}

/** How one more element joins; int32 wraps. */
function stepOf(mode: Mode, float: boolean): (total: number, value: number) => number {
  switch (mode) {
    case 'sum':
    case 'mean':
      return float ? (total, value) => total + value : (total, value) => (total + value) | 0;
    case 'prod':
      return float ? (total, value) => total * value : Math.imul;
    case 'max':
      return Math.max;
    case 'min':
      return Math.min;
  }
}

/** Reads `axes`: distinct, sorted and within the rank of x. */
function readAxes(call: KernelCall): readonly number[] {
  const axes = call.numbers('axes');
  const rank = call.input(0).shape.length;
  const good = axes.every((axis, i) => Number.isInteger(axis) && axis > (axes[i - 1] ?? -1) && axis < rank);
  if (!good) throw call.invalid(`sorted axes of an input of rank ${rank}`, JSON.stringify(axes));
  return axes;
}

/** Folds x along some axes; the others stay in order. */
export const reduce: ReferenceKernel = {
  prepare(call) {
    call.count(1, 1);
    const [x, y] = [call.input(0), call.output(0)];
    const mode = call.word('mode', 'sum', 'mean', 'max', 'min', 'prod');
    if (mode === 'mean') call.float(x);
    else call.dtype(x, 'float32', 'bfloat16', 'float16', 'float64', 'int32');
    if (isFloat(x.dtype)) call.floatOrWider(x, y);
    else call.dtype(y, x.dtype);
    const axes = readAxes(call);
    const kept = x.shape.map((d, axis) => (axes.includes(axis) ? 1 : d));
    // The reduced axes may be kept as 1 or left out: the elements are the same.
    call.size('y', y, kept);

    const strides = stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
    const float = isFloat(x.dtype);
    const start = startOf(mode, float);
    const step = stepOf(mode, float);
    const count = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
    return ([xs], [ys]) => {
      ys!.fill(start);
      forEachIndex(x.shape, strides, (i, to) => (ys![to] = step(ys![to]!, xs![i]!)));
      if (mode === 'mean') for (let i = 0; i < ys!.length; i++) ys![i]! /= count;
    };
  },
};

/** y = position of the first maximum along an axis; a NaN counts as greater than any number. */
export const argMax: ReferenceKernel = {
  prepare(call) {
    call.count(1, 1);
    const [x, y] = [call.input(0), call.output(0)];
    call.dtype(x, 'float32', 'bfloat16', 'float16', 'float64', 'int32');
    call.dtype(y, 'int32');
    const axis = call.integer('axis', 0, x.shape.length - 1);
    const length = x.shape[axis]!;
    call.size('y', y, x.shape.toSpliced(axis, 1));
    if (length === 0 && sizeOf(y.shape) > 0) throw call.invalid('an axis with elements', 'one of length 0');
    const inner = sizeOf(x.shape.slice(axis + 1));
    return ([xs], [ys]) => {
      for (let i = 0; i < ys!.length; i++) {
        const first = Math.floor(i / inner) * inner * length + (i % inner);
        let best = 0;
        for (let j = 1; j < length; j++) {
          const [value, greatest] = [xs![first + j * inner]!, xs![first + best * inner]!];
          if (value > greatest || (Number.isNaN(value) && !Number.isNaN(greatest))) best = j;
        }
        ys![i] = best;
      }
    };
  },
};
