import type { KernelCall, ReferenceKernel, TensorType } from './kernel.js';

/** The input positions that an output position mixes, with their weights. */
interface Source {
  readonly low: number;
  readonly high: number;
  /** Weight of `high`; `low` has the rest. */
  readonly fraction: number;
}

/** Half-pixel centres: output i looks at input (i + 0.5) * input / output - 0.5, held inside the image. */
function bilinearSources(input: number, output: number): Source[] {
  return Array.from({ length: output }, (_, i) => {
    // (2i + 1) * input / (2 * output) is (i + 0.5) * input / output with one rounding only.
    const position = ((2 * i + 1) * input) / (2 * output) - 0.5;
    const floor = Math.floor(position);
    return {
      low: Math.max(floor, 0),
      high: Math.min(Math.ceil(position), input - 1),
      fraction: position - floor,
    };
  });
}

/** Output i takes input floor((i + 0.5) * input / output), held inside the image. */
function nearestSources(input: number, output: number): Source[] {
  return Array.from({ length: output }, (_, i) => {
    const position = Math.min(Math.floor(((2 * i + 1) * input) / (2 * output)), input - 1);
    return { low: position, high: position, fraction: 0 };
  });
}

/**
 * Verifies image [n,h,w,c] and result [n,oh,ow,c], and returns a walk over the linear map between them:
 * `visit(pixel of the result, pixel of the image, weight)`.
 */
function readResize(
  call: KernelCall,
  image: TensorType,
  result: TensorType,
): { c: number; forEachWeight: (visit: (to: number, from: number, weight: number) => void) => void } {
  call.float(image, result);
  call.rank('the image', image, 4);
  call.rank('the result', result, 4);
  const [n, h, w, c] = image.shape as [number, number, number, number];
  const [oh, ow] = [result.shape[1]!, result.shape[2]!];
  call.shape('the result', result, [n, oh, ow, c]);
  if ((h === 0 || w === 0) && oh * ow > 0) throw call.invalid('an image with pixels', `${h} x ${w}`);
  const sources = call.word('method', 'bilinear', 'nearest') === 'bilinear' ? bilinearSources : nearestSources;
  const [rows, columns] = [sources(h, oh), sources(w, ow)];
  return {
    c,
    forEachWeight(visit) {
      for (let b = 0; b < n; b++) {
        rows.forEach((row, y) => {
          columns.forEach((column, x) => {
            const to = (b * oh + y) * ow + x;
            const at = (iy: number, ix: number): number => (b * h + iy) * w + ix;
            const [bottom, right] = [row.fraction, column.fraction];
            visit(to, at(row.low, column.low), (1 - bottom) * (1 - right));
            if (right > 0) visit(to, at(row.low, column.high), (1 - bottom) * right);
            if (bottom > 0) visit(to, at(row.high, column.low), bottom * (1 - right));
            if (bottom > 0 && right > 0) visit(to, at(row.high, column.high), bottom * right);
          });
        });
      }
    },
  };
}

/** y = the image at another size. */
export const resize: ReferenceKernel = {
  prepare(call) {
    call.count(1, 1);
    const { c, forEachWeight } = readResize(call, call.input(0), call.output(0));
    return ([x], [y]) => {
      y!.fill(0);
      forEachWeight((to, from, weight) => {
        for (let i = 0; i < c; i++) y![to * c + i]! += weight * x![from * c + i]!;
      });
    };
  },
};

/** dx = the transpose of the same map, applied to dy. */
export const resizeBackward: ReferenceKernel = {
  prepare(call) {
    call.count(1, 1);
    const { c, forEachWeight } = readResize(call, call.output(0), call.input(0));
    return ([dy], [dx]) => {
      dx!.fill(0);
      forEachWeight((from, to, weight) => {
        for (let i = 0; i < c; i++) dx![to * c + i]! += weight * dy![from * c + i]!;
      });
    };
  },
};
