import { mismatch } from '../errors.js';
import { asTensor, type TensorLike } from '../tensor/create.js';
import { isFloat } from '../tensor/dtype.js';
import { normalizeAxes, sameShape, sizeOf, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { div, equal, mul } from './binary.js';
import { requireFloat, where } from './check.js';
import { defineOp1, type GradientContext } from './define.js';
import { broadcastTo, reshape } from './shape.js';
import { cast } from './unary.js';

export interface ReduceOptions {
  /** Axes to reduce, negative ones from the end; all when left out. */
  axes?: number | readonly number[] | undefined;
  /** Keeps reduced axes as 1. */
  keepDims?: boolean | undefined;
}

type Mode = 'sum' | 'mean' | 'max' | 'min' | 'prod';
interface ReduceAttributes extends Record<string, string | readonly number[]> {
  mode: Mode;
  axes: readonly number[];
}

const reduceOp = defineOp1<ReduceAttributes>({
  name: 'reduce',
  lowering: { kind: 'kernel', kernel: 'reduce' },
  infer: ([x], { mode, axes }) => {
    if (mode === 'mean') requireFloat('mean', 'x', x!);
    else if (!isFloat(x!.dtype) && x!.dtype !== 'int32') {
      throw mismatch('ERR_DTYPE', where(mode), 'x of dtype float32 or int32', x!.dtype);
    }
    return [{ shape: x!.shape.filter((_, i) => !axes.includes(i)), dtype: x!.dtype }];
  },
  gradient: (context) => [() => reduceGradient(context)],
});

function reduceGradient({
  inputs: [x],
  outputs: [y],
  dy: [dy],
  attributes: { mode, axes },
}: GradientContext<ReduceAttributes>): Tensor {
  const kept = x!.shape.map((d, i) => (axes.includes(i) ? 1 : d));
  const spread = (t: Tensor): Tensor => broadcastTo(reshape(t, kept), x!.shape);
  switch (mode) {
    case 'sum':
      return spread(dy!);
    case 'mean':
      return spread(mul(dy!, 1 / Math.max(1, sizeOf(x!.shape) / Math.max(1, sizeOf(y!.shape)))));
    case 'max':
    case 'min': {
      // Ties share the gradient, as in TensorFlow.
      const hit = cast(equal(x!, reshape(y!, kept)), x!.dtype);
      const count = reshape(sum(hit, { axes }), kept);
      return mul(div(hit, count), reshape(dy!, kept));
    }
    case 'prod':
      return mul(spread(dy!), div(reshape(y!, kept), x!));
  }
}

function reduce(mode: Mode, x: TensorLike, { axes, keepDims = false }: ReduceOptions = {}): Tensor {
  const t = asTensor(mode, x);
  const which = normalizeAxes(mode, axes, t.rank);
  const y = reduceOp([t], { mode, axes: which });
  return keepDims
    ? reshape(
        y,
        t.shape.map((d, i) => (which.includes(i) ? 1 : d)),
      )
    : y;
}

/** Sum over axes. */
export const sum = (x: TensorLike, options?: ReduceOptions): Tensor => reduce('sum', x, options);
/** Mean over axes; floating point. */
export const mean = (x: TensorLike, options?: ReduceOptions): Tensor => reduce('mean', x, options);
/** Largest over axes; ties share the gradient. */
export const max = (x: TensorLike, options?: ReduceOptions): Tensor => reduce('max', x, options);
/** Smallest over axes; ties share the gradient. */
export const min = (x: TensorLike, options?: ReduceOptions): Tensor => reduce('min', x, options);
/** Product over axes; the gradient needs elements other than 0. */
export const prod = (x: TensorLike, options?: ReduceOptions): Tensor => reduce('prod', x, options);

/** Sums a gradient back to the shape of an operand that was broadcast. */
export function sumTo(t: Tensor, shape: Shape): Tensor {
  if (sameShape(t.shape, shape)) return t;
  const lead = t.shape.length - shape.length;
  const axes: number[] = [];
  t.shape.forEach((d, i) => {
    if (i < lead || (shape[i - lead] === 1 && d !== 1)) axes.push(i);
  });
  const summed = axes.length > 0 ? reduceOp([t], { mode: 'sum', axes }) : t;
  return sameShape(summed.shape, shape) ? summed : reshape(summed, shape);
}
