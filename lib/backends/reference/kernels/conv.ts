import { formatShape } from '../../../tensor/shape.js';
import type { KernelCall, ReferenceKernel, TensorType } from './kernel.js';
import { forEachTap, readWindow } from './window.js';
import type { Window2d } from './window.js';

/** Sizes of one convolution: channels are counted per group. */
interface Convolution {
  readonly window: Window2d;
  readonly groups: number;
  /** Channels of the input, in all and in one group. */
  readonly c: number;
  readonly cg: number;
  /** Channels of the output, in all and in one group. */
  readonly o: number;
  readonly og: number;
}

/**
 * Verifies that image [n,h,w,c], kernel [kh,kw,c/groups,o] and result [n,oh,ow,o] belong to one convolution.
 */
function readConvolution(call: KernelCall, x: TensorType, kernel: TensorType, y: TensorType): Convolution {
  call.float(x, y);
  call.floatOrWider(x, kernel);
  call.rank('the image', x, 4);
  call.rank('the kernel', kernel, 4);
  call.rank('the result', y, 4);
  const groups = call.integer('groups', 1);
  const [kh, kw, cg, o] = kernel.shape as [number, number, number, number];
  const c = x.shape[3]!;
  if (kh < 1 || kw < 1 || c !== cg * groups || o % groups !== 0 || y.shape[3] !== o) {
    throw call.invalid(
      `kernel [kh,kw,c/groups,o] for ${c} channels, ${groups} groups and ${y.shape[3]} outputs`,
      formatShape(kernel.shape),
    );
  }
  return { window: readWindow(call, x.shape, y.shape, [kh, kw], true), groups, c, cg, o, og: o / groups };
}

/**
 * y[p,o] = bias[o] + residual[p,o] + sum over taps and ci of x[q,ci] * kernel[tap,ci,o], where p sees q through the tap.
 */
export const conv2d: ReferenceKernel = {
  prepare(call) {
    const residuals = call.flag('residual') ? 1 : 0;
    call.count([2 + residuals, 3 + residuals], 1);
    const conv = readConvolution(call, call.input(0), call.input(1), call.output(0));
    const relu = call.word('activation', 'linear', 'relu') === 'relu';
    const hasBias = call.inputs.length - residuals === 3;
    if (hasBias) {
      call.floatOrWider(call.output(0), call.input(2));
      call.shape('bias', call.input(2), [conv.o]);
    }
    if (residuals > 0) {
      const residual = call.input(call.inputs.length - 1);
      call.float(call.output(0), residual);
      call.shape('residual', residual, call.output(0).shape);
    }
    return ([x, kernel, ...more], [y]) => {
      const bias = hasBias ? more[0] : undefined;
      const residual = residuals > 0 ? more.at(-1) : undefined;
      if (bias === undefined) y!.fill(0);
      else for (let i = 0; i < y!.length; i += conv.o) y!.set(bias, i);
      accumulate(conv, x!, kernel!, y!);
      if (residual) for (let i = 0; i < y!.length; i++) y![i]! += residual[i]!;
      if (relu) for (let i = 0; i < y!.length; i++) y![i] = y![i]! < 0 ? 0 : y![i]!;
    };
  },
};

function accumulate(conv: Convolution, x: Float64Array, kernel: Float64Array, y: Float64Array): void {
  const { groups, c, cg, o, og } = conv;
  forEachTap(conv.window, (p, tap, q) => {
    for (let g = 0; g < groups; g++) {
      const out = p * o + g * og;
      for (let ci = 0; ci < cg; ci++) {
        const value = x[q * c + g * cg + ci]!;
        const k = (tap * cg + ci) * o + g * og;
        for (let co = 0; co < og; co++) y[out + co]! += value * kernel[k + co]!;
      }
    }
  });
}

/** dx[q,ci] = sum over the p and taps that see q, and over o, of dy[p,o] * kernel[tap,ci,o]. */
export const conv2dBackwardInput: ReferenceKernel = {
  prepare(call) {
    call.count(2, 1);
    const conv = readConvolution(call, call.output(0), call.input(1), call.input(0));
    const { groups, c, cg, o, og } = conv;
    return ([dy, kernel], [dx]) => {
      dx!.fill(0);
      forEachTap(conv.window, (p, tap, q) => {
        for (let g = 0; g < groups; g++) {
          const out = p * o + g * og;
          for (let ci = 0; ci < cg; ci++) {
            const k = (tap * cg + ci) * o + g * og;
            let sum = 0;
            for (let co = 0; co < og; co++) sum += dy![out + co]! * kernel![k + co]!;
            dx![q * c + g * cg + ci]! += sum;
          }
        }
      });
    };
  },
};

/** dkernel[tap,ci,o] = sum over p of x[q,ci] * dy[p,o]; dbias[o] = sum over p of dy[p,o]. */
export const conv2dBackwardKernel: ReferenceKernel = {
  prepare(call) {
    call.count(2, [1, 2]);
    const conv = readConvolution(call, call.input(0), call.output(0), call.input(1));
    const { groups, c, cg, o, og } = conv;
    if (call.outputs.length === 2) {
      call.floatOrWider(call.input(0), call.output(1));
      call.shape('dbias', call.output(1), [o]);
    }
    return ([x, dy], [dkernel, dbias]) => {
      dkernel!.fill(0);
      forEachTap(conv.window, (p, tap, q) => {
        for (let g = 0; g < groups; g++) {
          const out = p * o + g * og;
          for (let ci = 0; ci < cg; ci++) {
            const value = x![q * c + g * cg + ci]!;
            const k = (tap * cg + ci) * o + g * og;
            for (let co = 0; co < og; co++) dkernel![k + co]! += value * dy![out + co]!;
          }
        }
      });
      if (dbias === undefined) return;
      dbias.fill(0);
      for (let i = 0; i < dy!.length; i++) dbias[i % o]! += dy![i]!;
    };
  },
};
