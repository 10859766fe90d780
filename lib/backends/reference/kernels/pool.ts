import type { KernelCall, PreparedKernel, ReferenceKernel, TensorType } from './kernel.js';
import { forEachTap, readWindow, tapRanges } from './window.js';
import type { Window2d } from './window.js';

/** Verifies x [n,h,w,c] and y [n,oh,ow,c] of one pooling; every window must see at least one pixel. */
function readPooling(call: KernelCall, x: TensorType, y: TensorType): { window: Window2d; c: number } {
  call.float(x, y);
  call.rank('the image', x, 4);
  call.rank('the result', y, 4);
  const poolSize = call.integers('poolSize', 2, 1);
  const window = readWindow(call, x.shape, y.shape, poolSize, false);
  const c = x.shape[3]!;
  if (y.shape[3] !== c) throw call.invalid(`a result of ${c} channels`, `${y.shape[3]}`);
  for (const axis of [window.rows, window.columns]) {
    if (tapRanges(axis).some(({ from, to }) => from >= to)) {
      throw call.invalid('windows that see the image', 'one that sees only padding');
    }
  }
  return { window, c };
}

/** Whether `value` takes the place of the maximum so far: greater, or the first NaN. */
function wins(value: number, best: number): boolean {
  return value > best || (Number.isNaN(value) && !Number.isNaN(best));
}

/** For every element of y, the flat index in x of its maximum: the first in row-major order, a NaN before all. */
function argMaxima(window: Window2d, c: number, x: Float64Array, size: number): Int32Array {
  const indices = new Int32Array(size).fill(-1);
  forEachTap(window, (p, _tap, q) => {
    for (let i = 0; i < c; i++) {
      const best = indices[p * c + i]!;
      if (best < 0 || wins(x[q * c + i]!, x[best]!)) indices[p * c + i] = q * c + i;
    }
  });
  return indices;
}

/** y = maximum of the pixels a window sees. */
export const maxPool2d: ReferenceKernel = {
  prepare(call) {
    call.count(1, 1);
    const { window, c } = readPooling(call, call.input(0), call.output(0));
    return ([x], [y]) => {
      argMaxima(window, c, x!, y!.length).forEach((from, i) => (y![i] = x![from]!));
    };
  },
};

/** Sends each dy to the pixel that won. The winner is found from x; y is taken so that devices may use it. */
export const maxPool2dBackward: ReferenceKernel = {
  prepare(call) {
    call.count(3, 1);
    const [x, y, dy] = call.inputs as [TensorType, TensorType, TensorType];
    const { window, c } = readPooling(call, x, y);
    checkGradient(call, x, y, dy);
    return ([image, , gradient], [dx]) => {
      dx!.fill(0);
      argMaxima(window, c, image!, gradient!.length).forEach((to, i) => (dx![to]! += gradient![i]!));
    };
  },
};

/** y = mean of the pixels a window sees. */
export const avgPool2d: ReferenceKernel = {
  prepare(call) {
    call.count(1, 1);
    const { window, c } = readPooling(call, call.input(0), call.output(0));
    const counts = countPixels(window);
    return ([x], [y]) => {
      y!.fill(0);
      forEachTap(window, (p, _tap, q) => {
        for (let i = 0; i < c; i++) y![p * c + i]! += x![q * c + i]!;
      });
      for (let i = 0; i < y!.length; i++) y![i]! /= counts[Math.floor(i / c)]!;
    };
  },
};

/** dx = sum over the windows that see a pixel of dy / (pixels in that window). */
export const avgPool2dBackward: ReferenceKernel = {
  prepare(call): PreparedKernel {
    call.count(1, 1);
    const { window, c } = readPooling(call, call.output(0), call.input(0));
    const counts = countPixels(window);
    return ([dy], [dx]) => {
      dx!.fill(0);
      forEachTap(window, (p, _tap, q) => {
        for (let i = 0; i < c; i++) dx![q * c + i]! += dy![p * c + i]! / counts[p]!;
      });
    };
  },
};

function countPixels(window: Window2d): Float64Array {
  const counts = new Float64Array(window.batch * window.rows.output * window.columns.output);
  forEachTap(window, (p) => counts[p]!++);
  return counts;
}

function checkGradient(call: KernelCall, x: TensorType, y: TensorType, dy: TensorType): void {
  call.float(x, dy, call.output(0));
  call.shape('dy', dy, y.shape);
  call.shape('dx', call.output(0), x.shape);
}
