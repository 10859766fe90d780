import type { Attributes } from '../backends/backend.js';
import { asTensor, type TensorLike } from '../tensor/create.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { requireArgument, requireFloat, requireRank } from './check.js';
import { defineOp1, type Op1 } from './define.js';
import { pair, windowGeometry, type Padding, type Pair } from './geometry.js';
import { max, mean } from './reduce.js';

export interface Pool2dOptions {
  /** Window, 2x2 by default. */
  poolSize?: Pair;
  /** The window's size by default. */
  strides?: Pair | undefined;
  padding?: Padding;
}

interface PoolAttributes extends Attributes {
  readonly poolSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: readonly [number, number, number, number];
  readonly output: readonly [number, number];
}

const pooled = (x: { shape: Shape; dtype: Tensor['dtype'] }, output: readonly [number, number]) => [
  { shape: [x.shape[0]!, ...output, x.shape[3]!], dtype: x.dtype },
];

/** What the kernels take. */
const WINDOW = ['poolSize', 'strides', 'padding'];

const maxOp: Op1<PoolAttributes> = defineOp1({
  name: 'maxPool2d',
  lowering: { kind: 'kernel', kernel: 'maxPool2d', attributes: WINDOW },
  infer: ([x], { output }) => pooled(x!, output),
  gradient: ({ inputs: [x], outputs: [y], dy: [dy], attributes }) => [() => maxBackward([x!, y!, dy!], attributes)],
});

const maxBackward: Op1<PoolAttributes> = defineOp1({
  name: 'maxPool2dBackward',
  lowering: { kind: 'kernel', kernel: 'maxPool2dBackward', attributes: WINDOW },
  infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
});

const avgOp: Op1<PoolAttributes> = defineOp1({
  name: 'avgPool2d',
  lowering: { kind: 'kernel', kernel: 'avgPool2d', attributes: WINDOW },
  infer: ([x], { output }) => pooled(x!, output),
  gradient: ({ inputs: [x], dy: [dy], attributes }) => [
    () => avgBackward([dy!], { ...attributes, output: [x!.shape[1]!, x!.shape[2]!] }),
  ],
});

const avgBackward: Op1<PoolAttributes> = defineOp1({
  name: 'avgPool2dBackward',
  lowering: { kind: 'kernel', kernel: 'avgPool2dBackward', attributes: WINDOW },
  infer: ([dy], { output }) => pooled(dy!, output),
  gradient: ({ inputs: [dy], dy: [ddx], attributes }) => [
    () => avgOp([ddx!], { ...attributes, output: [dy!.shape[1]!, dy!.shape[2]!] }),
  ],
});

function prepare(op: string, x: TensorLike, options: Pool2dOptions): { t: Tensor; attributes: PoolAttributes } {
  const t = asTensor(op, x);
  requireRank(op, 'x', t, 4);
  requireFloat(op, 'x', t);
  const poolSize = pair(op, 'poolSize', options.poolSize ?? 2);
  const { strides, padding, output } = windowGeometry(op, [t.shape[1]!, t.shape[2]!], poolSize, {
    strides: options.strides ?? poolSize,
    padding: options.padding ?? 'valid',
  });
  const inside = (axis: 0 | 1): boolean =>
    padding[2 * axis]! < poolSize[axis] && (output[axis] - 1) * strides[axis] - padding[2 * axis]! < t.shape[1 + axis]!;
  requireArgument(op, inside(0) && inside(1), 'padding that leaves an element in every window', padding);
  return { t, attributes: { poolSize, strides, padding, output } };
}

/**
 * Largest of each window. Padding never wins; the first of equal elements gets the gradient.
 *
 * @param x - [n, h, w, c]
 * @returns [n, oh, ow, c]
 */
export function maxPool2d(x: TensorLike, options: Pool2dOptions = {}): Tensor {
  const { t, attributes } = prepare('maxPool2d', x, options);
  return maxOp([t], attributes);
}

/** Mean of each window, padding left out of the count. [n, h, w, c] to [n, oh, ow, c]. */
export function avgPool2d(x: TensorLike, options: Pool2dOptions = {}): Tensor {
  const { t, attributes } = prepare('avgPool2d', x, options);
  return avgOp([t], attributes);
}

/** Mean over height and width: [n, h, w, c] to [n, c], or [n, 1, 1, c] with keepDims. */
export function globalAvgPool2d(x: TensorLike, { keepDims = false } = {}): Tensor {
  const t = asTensor('globalAvgPool2d', x);
  requireRank('globalAvgPool2d', 'x', t, 4);
  return mean(t, { axes: [1, 2], keepDims });
}

/** Largest over height and width: [n, h, w, c] to [n, c], or [n, 1, 1, c] with keepDims. */
export function globalMaxPool2d(x: TensorLike, { keepDims = false } = {}): Tensor {
  const t = asTensor('globalMaxPool2d', x);
  requireRank('globalMaxPool2d', 'x', t, 4);
  return max(t, { axes: [1, 2], keepDims });
}
