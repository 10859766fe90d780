import { transposedDimension, windowGeometry, type Padding, type Pair } from '../ops/geometry.js';
import type { SymbolicShape } from './symbolic.js';

/** Stands for a size that is not known: large enough for every window. */
const ANY = 1 << 20;

/** Height and width behind a window; null stays null. */
export function windowOutput(
  op: string,
  [height, width]: readonly [number | null, number | null],
  kernel: readonly [number, number],
  options: { strides: Pair; dilations?: Pair; padding: Padding },
): [number | null, number | null] {
  const { output } = windowGeometry(op, [height ?? ANY, width ?? ANY], kernel, options);
  return [height === null ? null : output[0], width === null ? null : output[1]];
}

/** Height or width behind a transposed window; null stays null. */
export function transposedOutput(
  size: number | null,
  kernel: number,
  stride: number,
  dilation: number,
  padding: 'same' | 'valid',
  outputPadding: number | undefined,
): number | null {
  return size === null ? null : transposedDimension(size, kernel, stride, dilation, padding, outputPadding).output;
}

/** Height and width of an image shape. */
export function imageSize(shape: SymbolicShape): [number | null, number | null] {
  return [shape[1] ?? null, shape[2] ?? null];
}
