import type { Attributes } from '../backends/backend.js';
import { asTensor, type TensorLike } from '../tensor/create.js';
import { formatShape, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { add } from './binary.js';
import { requireArgument, requireFloat, requireRank, requireSameDType, requireShape } from './check.js';
import { defineOp1, type Op1 } from './define.js';
import { pair, transposedDimension, windowGeometry, type Padding, type Pair } from './geometry.js';
import { reshape } from './shape.js';

export interface Conv2dOptions {
  strides?: Pair;
  /** `'same'`, `'valid'` or `[top, bottom, left, right]`. */
  padding?: Padding;
  dilations?: Pair;
  /** Channels are split into this many groups that are convolved apart. */
  groups?: number;
}

interface ConvAttributes extends Attributes {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly padding: readonly [number, number, number, number];
  readonly groups: number;
  readonly activation: 'linear';
  /** Height and width of the output (of the input, for conv2dBackwardInput). */
  readonly output: readonly [number, number];
}

const hw = (shape: Shape): [number, number] => [shape[1]!, shape[2]!];

/** What the three kernels take. */
const WINDOW = ['strides', 'dilations', 'padding', 'groups'];

const convOp: Op1<ConvAttributes> = defineOp1({
  name: 'conv2d',
  lowering: { kind: 'kernel', kernel: 'conv2d', attributes: [...WINDOW, 'activation'] },
  infer: ([x, kernel], { output }) => [{ shape: [x!.shape[0]!, ...output, kernel!.shape[3]!], dtype: x!.dtype }],
  gradient: ({ inputs: [x, kernel], dy: [dy], attributes }) => [
    () => backwardInput([dy!, kernel!], { ...attributes, output: hw(x!.shape) }),
    () => backwardKernel([x!, dy!], { ...attributes, output: [kernel!.shape[0]!, kernel!.shape[1]!] }),
  ],
});

const backwardInput: Op1<ConvAttributes> = defineOp1({
  name: 'conv2dBackwardInput',
  lowering: { kind: 'kernel', kernel: 'conv2dBackwardInput', attributes: WINDOW },
  infer: ([dy, kernel], { output, groups }) => [
    { shape: [dy!.shape[0]!, ...output, kernel!.shape[2]! * groups], dtype: dy!.dtype },
  ],
  gradient: ({ inputs: [dy, kernel], dy: [ddx], attributes }) => [
    () => convOp([ddx!, kernel!], { ...attributes, output: hw(dy!.shape) }),
    () => backwardKernel([ddx!, dy!], { ...attributes, output: [kernel!.shape[0]!, kernel!.shape[1]!] }),
  ],
});

const backwardKernel: Op1<ConvAttributes> = defineOp1({
  name: 'conv2dBackwardKernel',
  lowering: { kind: 'kernel', kernel: 'conv2dBackwardKernel', attributes: WINDOW },
  infer: ([x, dy], { output, groups }) => [
    { shape: [...output, x!.shape[3]! / groups, dy!.shape[3]!], dtype: x!.dtype },
  ],
  gradient: ({ inputs: [x, dy], dy: [ddk], attributes }) => [
    () => backwardInput([dy!, ddk!], { ...attributes, output: hw(x!.shape) }),
    () => convOp([x!, ddk!], { ...attributes, output: hw(dy!.shape) }),
  ],
});

/**
 * 2-D convolution (cross-correlation) of NHWC images.
 *
 * @param x - [n, h, w, c]
 * @param kernel - [kh, kw, c / groups, filters] (HWIO)
 * @param bias - [filters], optional
 * @returns [n, oh, ow, filters]
 * @throws FoveaError ERR_SHAPE when channels do not fit the kernel and groups, or the window does not fit the input
 */
export function conv2d(
  x: TensorLike,
  kernel: TensorLike,
  options: Conv2dOptions & { bias?: TensorLike | undefined } = {},
): Tensor {
  return convolve('conv2d', x, kernel, options);
}

/** As {@link conv2d}, for the function that `op` names in errors. */
function convolve(
  op: string,
  x: TensorLike,
  kernel: TensorLike,
  options: Conv2dOptions & { bias?: TensorLike | undefined },
): Tensor {
  const input = asTensor(op, x);
  const k = asTensor(op, kernel);
  const groups = options.groups ?? 1;
  requireRank(op, 'x', input, 4);
  requireRank(op, 'kernel', k, 4);
  requireFloat(op, 'x', input);
  requireSameDType(op, [input, k]);
  requireArgument(op, Number.isInteger(groups) && groups >= 1, 'groups as a whole number of at least 1', groups);
  const [kh, kw, perGroup, filters] = k.shape as [number, number, number, number];
  requireShape(
    op,
    input.shape[3] === perGroup * groups,
    `inputs with ${perGroup * groups} channels (kernel is ${formatShape(k.shape)}${groups > 1 ? `, groups ${groups}` : ''})`,
    formatShape(input.shape),
  );
  requireShape(op, filters % groups === 0, `filters divisible by groups ${groups}`, `kernel ${formatShape(k.shape)}`);
  const geometry = windowGeometry(op, hw(input.shape), [kh, kw], {
    strides: options.strides ?? 1,
    dilations: options.dilations ?? 1,
    padding: options.padding ?? 'valid',
  });
  return biasAdd(op, convOp([input, k], { ...geometry, groups, activation: 'linear' }), options.bias);
}

/**
 * Convolves every channel with `multiplier` kernels of its own.
 *
 * @param x - [n, h, w, c]
 * @param kernel - [kh, kw, c, multiplier]
 * @returns [n, oh, ow, c * multiplier]; output channel c * multiplier + j
 */
export function depthwiseConv2d(
  x: TensorLike,
  kernel: TensorLike,
  options: Omit<Conv2dOptions, 'groups'> & { bias?: TensorLike | undefined } = {},
): Tensor {
  return convolveDepthwise('depthwiseConv2d', x, kernel, options);
}

function convolveDepthwise(
  op: string,
  x: TensorLike,
  kernel: TensorLike,
  options: Omit<Conv2dOptions, 'groups'> & { bias?: TensorLike | undefined },
): Tensor {
  const input = asTensor(op, x);
  const k = asTensor(op, kernel);
  requireRank(op, 'x', input, 4);
  requireRank(op, 'kernel', k, 4);
  const [kh, kw, channels, multiplier] = k.shape as [number, number, number, number];
  requireShape(
    op,
    input.shape[3] === channels,
    `inputs with ${channels} channels (kernel is ${formatShape(k.shape)})`,
    formatShape(input.shape),
  );
  const flat = reshape(k, [kh, kw, 1, channels * multiplier]);
  return convolve(op, input, flat, { ...options, groups: Math.max(channels, 1) });
}

/**
 * A depthwise convolution followed by a 1x1 convolution.
 *
 * @param depthwiseKernel - [kh, kw, c, multiplier]
 * @param pointwiseKernel - [1, 1, c * multiplier, filters]
 */
export function separableConv2d(
  x: TensorLike,
  depthwiseKernel: TensorLike,
  pointwiseKernel: TensorLike,
  options: Omit<Conv2dOptions, 'groups'> & { bias?: TensorLike | undefined } = {},
): Tensor {
  const { bias, ...window } = options;
  const op = 'separableConv2d';
  return convolve(op, convolveDepthwise(op, x, depthwiseKernel, window), pointwiseKernel, { bias });
}

/**
 * Transposed convolution: the gradient of conv2d by its input, used forward.
 *
 * @param x - [n, h, w, c]
 * @param kernel - [kh, kw, filters, c] (Keras's layout)
 * @returns [n, oh, ow, filters]
 */
export function conv2dTranspose(
  x: TensorLike,
  kernel: TensorLike,
  options: {
    strides?: Pair;
    padding?: 'same' | 'valid';
    dilations?: Pair;
    outputPadding?: Pair | undefined;
    bias?: TensorLike | undefined;
  } = {},
): Tensor {
  const op = 'conv2dTranspose';
  const input = asTensor(op, x);
  const k = asTensor(op, kernel);
  requireRank(op, 'x', input, 4);
  requireRank(op, 'kernel', k, 4);
  requireFloat(op, 'x', input);
  requireSameDType(op, [input, k]);
  const [kh, kw, , channels] = k.shape as [number, number, number, number];
  requireShape(
    op,
    input.shape[3] === channels,
    `inputs with ${channels} channels (kernel is ${formatShape(k.shape)})`,
    formatShape(input.shape),
  );
  const padding = options.padding ?? 'valid';
  requireArgument(op, padding === 'same' || padding === 'valid', `padding 'same' or 'valid'`, padding);
  const strides = pair(op, 'strides', options.strides ?? 1);
  const dilations = pair(op, 'dilations', options.dilations ?? 1);
  const extra = options.outputPadding === undefined ? undefined : pair(op, 'outputPadding', options.outputPadding, 0);
  requireArgument(op, !extra || extra.every((e, i) => e < strides[i]!), 'outputPadding smaller than strides', extra);
  const rows = transposedDimension(input.shape[1]!, kh, strides[0], dilations[0], padding, extra?.[0]);
  const columns = transposedDimension(input.shape[2]!, kw, strides[1], dilations[1], padding, extra?.[1]);
  const y = backwardInput([input, k], {
    strides,
    dilations,
    padding: [rows.before, rows.after, columns.before, columns.after],
    groups: 1,
    activation: 'linear',
    output: [rows.output, columns.output],
  });
  return biasAdd(op, y, options.bias);
}

/** Adds one number a channel (the last axis). */
export function biasAdd(op: string, x: Tensor, bias: TensorLike | undefined): Tensor {
  if (bias === undefined) return x;
  const b = asTensor(op, bias);
  requireShape(
    op,
    b.rank === 1 && b.shape[0] === x.shape.at(-1),
    `a bias of shape [${x.shape.at(-1)}]`,
    formatShape(b.shape),
  );
  requireSameDType(op, [x, b]);
  return add(x, b);
}
