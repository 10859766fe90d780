import type { HostTensor } from '../data/host-tensor.js';
import { mismatch } from '../errors.js';
import { imageOf, requireHostImage, sizePair } from './host-image.js';
import { PILLOW_FILTERS, pillowSpans, type PillowFilter, type PillowSpans } from './pillow-filters.js';

/** Pillow's filters; all but `nearest` are antialiased. */
export type ImageInterpolation = PillowFilter;

export interface ResizeImageOptions {
  /** `'bilinear'` unless told. */
  readonly interpolation?: ImageInterpolation | undefined;
}

/** Weights are whole numbers of 2^-22, as Pillow has them. */
const UNIT = 2 ** 22;

/** Sums of bytes, rounded to bytes: [outer, size, inner] to [outer, target, inner]. */
function pass(
  x: Uint8Array,
  outer: number,
  size: number,
  inner: number,
  { starts, counts, weights, taps }: PillowSpans,
): Uint8Array {
  const target = starts.length;
  const y = new Uint8Array(outer * target * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < target; i++) {
      const from = (o * size + starts[i]!) * inner;
      const to = (o * target + i) * inner;
      for (let c = 0; c < inner; c++) {
        let sum = UNIT / 2;
        for (let k = 0; k < counts[i]!; k++) sum += x[from + k * inner + c]! * weights[i * taps + k]!;
        y[to + c] = Math.max(0, Math.min(255, Math.floor(sum / UNIT)));
      }
    }
  }
  return y;
}

/** Colours times alpha, so that what cannot be seen does not shine through. */
function premultiply(x: Uint8Array): Uint8Array {
  const y = x.slice();
  for (let i = 0; i < y.length; i += 4) {
    for (let c = i; c < i + 3; c++) {
      const t = x[c]! * x[i + 3]! + 128;
      y[c] = ((t >> 8) + t) >> 8;
    }
  }
  return y;
}

function unpremultiply(x: Uint8Array): Uint8Array {
  for (let i = 0; i < x.length; i += 4) {
    const alpha = x[i + 3]!;
    if (alpha === 0 || alpha === 255) continue;
    for (let c = i; c < i + 3; c++) x[c] = Math.min(255, Math.floor((255 * x[c]!) / alpha));
  }
  return x;
}

/**
 * Resizes bytes as Pillow's `Image.resize` does: columns, then rows, each rounded to bytes; with the same weights, so the
 * same bytes. For values that are not rounded, and TensorFlow's semantics, see {@link resize}.
 *
 * @param image - uint8 [h, w, c] or [n, h, w, c]; four channels are taken for RGB and alpha
 * @param size - new height and width
 */
export function resizeImage(
  image: HostTensor,
  size: number | readonly [height: number, width: number],
  options: ResizeImageOptions = {},
): HostTensor {
  const op = 'resizeImage';
  const { interpolation = 'bilinear' } = options;
  const [n, h, w, c] = requireHostImage(op, image);
  if (image.dtype !== 'uint8') throw mismatch('ERR_DTYPE', { op }, 'an image of dtype uint8', image.dtype);
  if (!PILLOW_FILTERS.includes(interpolation)) {
    throw mismatch(
      'ERR_ARGUMENT',
      { op },
      `interpolation to be one of ${PILLOW_FILTERS.join(', ')}`,
      String(interpolation),
    );
  }
  const [height, width] = sizePair(op, size);
  const alpha = c === 4 && interpolation !== 'nearest' && (height !== h || width !== w);
  let data = image.data as Uint8Array;
  if (alpha) data = premultiply(data);
  if (width !== w) data = pass(data, n * h, w, c, pillowSpans(w, width, interpolation));
  if (height !== h) data = pass(data, n, h, width * c, pillowSpans(h, height, interpolation));
  if (alpha) data = unpremultiply(data);
  return imageOf(data, [n, height, width, c], image);
}
