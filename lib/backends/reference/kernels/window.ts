import { formatShape } from '../../../tensor/shape.js';
import type { Shape } from '../../../tensor/shape.js';
import type { KernelCall } from './kernel.js';

/** One spatial axis of a sliding window: output `i`, tap `k` looks at input `i * stride - before + k * dilation`. */
export interface WindowAxis {
  readonly input: number;
  readonly output: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
}

/** A two-dimensional window over NHWC images. */
export interface Window2d {
  readonly batch: number;
  readonly rows: WindowAxis;
  readonly columns: WindowAxis;
}

/**
 * Reads strides, padding and (when the kernel has them) dilations and verifies that they lead from `image` to `result`:
 * output = floor((input + padding - ((taps - 1) * dilation + 1)) / stride) + 1, or 0 where the window does not fit.
 *
 * @param call - the kernel call, for attributes and errors
 * @param image - `[n,h,w,...]`, the side with the padding
 * @param result - `[n,oh,ow,...]`
 * @param taps - height and width of the window
 * @param dilated - whether the kernel has a `dilations` attribute
 */
export function readWindow(
  call: KernelCall,
  image: Shape,
  result: Shape,
  taps: readonly number[],
  dilated: boolean,
): Window2d {
  const strides = call.integers('strides', 2, 1);
  const dilations = dilated ? call.integers('dilations', 2, 1) : [1, 1];
  const padding = call.integers('padding', 4, 0);
  const axis = (i: 0 | 1): WindowAxis => {
    const input = image[i + 1]!;
    const [stride, dilation, before, after] = [strides[i]!, dilations[i]!, padding[2 * i]!, padding[2 * i + 1]!];
    const span = input + before + after - ((taps[i]! - 1) * dilation + 1);
    const output = span < 0 ? 0 : Math.floor(span / stride) + 1;
    return { input, output, taps: taps[i]!, stride, dilation, before };
  };
  const [rows, columns] = [axis(0), axis(1)];
  if (image[0] !== result[0] || rows.output !== result[1] || columns.output !== result[2]) {
    throw call.invalid(
      `an output of [${image[0]},${rows.output},${columns.output},...] for an input of ${formatShape(image)}`,
      formatShape(result),
    );
  }
  return { batch: image[0]!, rows, columns };
}

/** The taps [from, to) of output `i` that look at the image and not at padding. */
export function tapRange(axis: WindowAxis, i: number): { from: number; to: number } {
  const origin = i * axis.stride - axis.before;
  const from = origin < 0 ? Math.ceil(-origin / axis.dilation) : 0;
  const to = Math.min(axis.taps, Math.ceil((axis.input - origin) / axis.dilation));
  return { from: Math.min(from, axis.taps), to: Math.max(to, 0) };
}

/** {@link tapRange} of every output of an axis. */
export function tapRanges(axis: WindowAxis): { from: number; to: number }[] {
  return Array.from({ length: axis.output }, (_, i) => tapRange(axis, i));
}

/**
 * Calls `visit(outputPixel, tap, inputPixel)` for every pair of an output position and a tap that sees the image, where
 * pixels are numbered row-major over `[n,h,w]` and taps over `[kh,kw]`; taps in row-major order for each output.
 */
export function forEachTap(
  window: Window2d,
  visit: (outputPixel: number, tap: number, inputPixel: number) => void,
): void {
  const { batch, rows, columns } = window;
  const rowTaps = tapRanges(rows);
  const columnTaps = tapRanges(columns);
  for (let n = 0; n < batch; n++) {
    for (let oy = 0; oy < rows.output; oy++) {
      const { from: ky0, to: ky1 } = rowTaps[oy]!;
      for (let ox = 0; ox < columns.output; ox++) {
        const { from: kx0, to: kx1 } = columnTaps[ox]!;
        const outputPixel = (n * rows.output + oy) * columns.output + ox;
        for (let ky = ky0; ky < ky1; ky++) {
          const y = oy * rows.stride - rows.before + ky * rows.dilation;
          for (let kx = kx0; kx < kx1; kx++) {
            const x = ox * columns.stride - columns.before + kx * columns.dilation;
            visit(outputPixel, ky * columns.taps + kx, (n * rows.input + y) * columns.input + x);
          }
        }
      }
    }
  }
}
