import { mismatch } from '../errors.js';
import { requireShape, where } from './check.js';

/** `'same'` as TensorFlow has it, `'valid'`, or explicit `[top, bottom, left, right]`. */
export type Padding = 'same' | 'valid' | readonly [number, number, number, number];

/** One number for both directions, or `[height, width]`. */
export type Pair = number | readonly [number, number];

/** A window's geometry with everything worked out. */
export interface WindowGeometry {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly padding: readonly [number, number, number, number];
  /** Output `[height, width]`. */
  readonly output: readonly [number, number];
}

/** Makes a pair of whole numbers of at least `least`. */
export function pair(op: string, name: string, value: Pair, least = 1): [number, number] {
  const [first, second, ...more]: readonly unknown[] = Array.isArray(value) ? value : [value, value];
  const fits = (v: unknown): v is number => Number.isInteger(v) && (v as number) >= least;
  if (fits(first) && fits(second) && more.length === 0) return [first, second];
  throw mismatch(
    'ERR_ARGUMENT',
    where(op),
    `${name} of one or two whole numbers of at least ${least}`,
    JSON.stringify(value),
  );
}

/**
 * Pads before and after one dimension. 'same' makes the output ceil(n / stride) long and puts the smaller half of
 * max((ceil(n/s)-1)*s + (k-1)*d + 1 - n, 0) before (TensorFlow's rule).
 */
export function samePadding(n: number, kernel: number, stride: number, dilation: number): [number, number] {
  const out = Math.ceil(n / stride);
  const total = Math.max((out - 1) * stride + (kernel - 1) * dilation + 1 - n, 0);
  const before = Math.floor(total / 2);
  return [before, total - before];
}

/**
 * Works out padding and output size of a convolution or pooling window.
 *
 * @param op - for errors
 * @param input - `[height, width]` of the input
 * @param kernel - `[height, width]` of the window
 */
export function windowGeometry(
  op: string,
  input: readonly [number, number],
  kernel: readonly [number, number],
  options: { strides: Pair; dilations?: Pair; padding: Padding },
): WindowGeometry {
  const strides = pair(op, 'strides', options.strides);
  const dilations = pair(op, 'dilations', options.dilations ?? 1);
  const padding = resolvePadding(op, input, kernel, strides, dilations, options.padding);
  const size = (axis: 0 | 1): number => {
    const span = (kernel[axis] - 1) * dilations[axis] + 1;
    const padded = input[axis] + padding[2 * axis]! + padding[2 * axis + 1]!;
    return Math.floor((padded - span) / strides[axis]) + 1;
  };
  const output: [number, number] = [size(0), size(1)];
  const dilated = dilations.some((d) => d > 1) ? ` dilated by ${dilations.join('x')}` : '';
  requireShape(
    op,
    output[0] >= 1 && output[1] >= 1,
    'an input at least as large as the window',
    `${input.join('x')} with padding [${padding.join(',')}] for a window of ${kernel.join('x')}${dilated}`,
  );
  return { strides, dilations, padding, output };
}

function resolvePadding(
  op: string,
  input: readonly [number, number],
  kernel: readonly [number, number],
  strides: readonly [number, number],
  dilations: readonly [number, number],
  padding: Padding,
): [number, number, number, number] {
  if (padding === 'valid') return [0, 0, 0, 0];
  if (padding === 'same') {
    const [top, bottom] = samePadding(input[0], kernel[0], strides[0], dilations[0]);
    const [left, right] = samePadding(input[1], kernel[1], strides[1], dilations[1]);
    return [top, bottom, left, right];
  }
  if (!Array.isArray(padding) || padding.length !== 4 || !padding.every((p) => Number.isInteger(p) && p >= 0)) {
    throw mismatch(
      'ERR_ARGUMENT',
      where(op),
      `padding 'same', 'valid' or [top, bottom, left, right]`,
      JSON.stringify(padding),
    );
  }
  return [...(padding as [number, number, number, number])];
}

/** One dimension of a transposed convolution, as Keras has it. */
export interface TransposedDimension {
  readonly output: number;
  readonly before: number;
  readonly after: number;
}

/**
 * Output length and padding of a transposed convolution: the padding that the convolution from the output back to the
 * input would have.
 *
 * @param outputPadding - extra length at the end; undefined as in Keras: 'same' gives n * stride, 'valid'
 *   n * stride + max(kernel - stride, 0)
 */
export function transposedDimension(
  n: number,
  kernel: number,
  stride: number,
  dilation: number,
  padding: 'same' | 'valid',
  outputPadding: number | undefined,
): TransposedDimension {
  const span = (kernel - 1) * dilation + 1;
  if (padding === 'same') {
    if (outputPadding === undefined) {
      const output = n * stride;
      const [before, after] = samePadding(output, kernel, stride, dilation);
      return { output, before, after };
    }
    const pad = Math.floor(span / 2);
    const output = (n - 1) * stride + span - 2 * pad + outputPadding;
    // The padding is what the convolution back from `output` would have, as in TensorFlow.
    const total = Math.max((n - 1) * stride + span - output, 0);
    return { output, before: Math.floor(total / 2), after: total - Math.floor(total / 2) };
  }
  const output =
    outputPadding === undefined ? n * stride + Math.max(span - stride, 0) : (n - 1) * stride + span + outputPadding;
  return { output, before: 0, after: 0 };
}
