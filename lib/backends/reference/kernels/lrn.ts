import type { KernelCall, ReferenceKernel, TensorType } from './kernel.js';

interface Lrn {
  readonly c: number;
  readonly radius: number;
  readonly bias: number;
  readonly alpha: number;
  readonly beta: number;
}

function readLrn(call: KernelCall, ...operands: readonly TensorType[]): Lrn {
  call.float(...operands);
  const x = operands[0]!;
  const c = x.shape.at(-1);
  if (c === undefined) throw call.invalid('x of rank 1 or more', '[]');
  for (const operand of operands) call.shape('every operand', operand, x.shape);
  return {
    c,
    radius: call.integer('depthRadius', 0),
    bias: call.number('bias'),
    alpha: call.number('alpha'),
    beta: call.number('beta'),
  };
}

/** Sum of `values` over channels j - radius .. j + radius of the pixel that starts at `row`. */
function windowSum({ c, radius }: Lrn, row: number, j: number, value: (index: number) => number): number {
  let sum = 0;
  const last = Math.min(c - 1, j + radius);
  for (let k = Math.max(0, j - radius); k <= last; k++) sum += value(row + k);
  return sum;
}

/** scale[i] = bias + alpha * sum over the window of x². */
function scales(lrn: Lrn, x: Float64Array): Float64Array {
  const square = (i: number): number => x[i]! * x[i]!;
  return x.map((_, i) => lrn.bias + lrn.alpha * windowSum(lrn, i - (i % lrn.c), i % lrn.c, square));
}

/** y = x / scale^beta. */
export const lrn: ReferenceKernel = {
  prepare(call) {
    call.count(1, 1);
    const parameters = readLrn(call, call.input(0), call.output(0));
    return ([x], [y]) => {
      const scale = scales(parameters, x!);
      for (let i = 0; i < y!.length; i++) y![i] = x![i]! * scale[i]! ** -parameters.beta;
    };
  },
};

/**
 * x[i] is in its own numerator and in the scale of every channel whose window holds it, and windows are symmetric:
 * dx[i] = dy[i] * scale[i]^-beta - 2 alpha beta x[i] * sum over the window of dy[j] * x[j] * scale[j]^(-beta - 1).
 */
export const lrnBackward: ReferenceKernel = {
  prepare(call) {
    call.count(2, 1);
    const parameters = readLrn(call, call.input(0), call.input(1), call.output(0));
    const { c, alpha, beta } = parameters;
    return ([x, dy], [dx]) => {
      const scale = scales(parameters, x!);
      const inner = x!.map((value, i) => dy![i]! * value * scale[i]! ** (-beta - 1));
      for (let i = 0; i < dx!.length; i++) {
        const sum = windowSum(parameters, i - (i % c), i % c, (j) => inner[j]!);
        dx![i] = dy![i]! * scale[i]! ** -beta - 2 * alpha * beta * x![i]! * sum;
      }
    };
  },
};
