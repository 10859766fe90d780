import type { Shape } from '../../tensor/shape.js';
import type { SummaryImage } from './summary-writer.js';

/** More images than these are not shown by TensorBoard unless asked for: `tf.summary.image` keeps three. */
const MOST_IMAGES = 3;

/**
 * Weights as pictures, as Keras's callback cuts them (axes of length 1 are dropped first): a vector is one row; a matrix is
 * one picture, lying; `[h, w, n]` are n pictures; `[n, h, w, c]` with 1, 3 or 4 channels n pictures in colour; others
 * none. The first three are kept. Values are stretched from least to greatest, where Keras cuts off what is outside of
 * 0 to 1, so that half of most weights is black there.
 */
export function weightImages(data: Float64Array, weightShape: Shape): SummaryImage[] {
  const shape = weightShape.filter((size) => size !== 1);
  const scaled = stretch(data);
  const pick = (
    height: number,
    width: number,
    channels: number,
    at: (y: number, x: number, c: number) => number,
  ): SummaryImage => {
    const out = new Float32Array(height * width * channels);
    let i = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) out[i++] = scaled[at(y, x, c)]!;
    }
    return { data: out, shape: [height, width, channels] };
  };
  const [a = 1, b = 1, c = 1, d = 1] = shape;
  if (data.length === 0) return [];
  if (shape.length <= 1) return [pick(1, a, 1, (_, x) => x)];
  if (shape.length === 2) {
    return a > b ? [pick(b, a, 1, (y, x) => x * b + y)] : [pick(a, b, 1, (y, x) => y * b + x)];
  }
  const numbers = (count: number): number[] => Array.from({ length: Math.min(count, MOST_IMAGES) }, (_, i) => i);
  if (shape.length === 3) return numbers(c).map((n) => pick(a, b, 1, (y, x) => (y * b + x) * c + n));
  if (shape.length === 4 && [3, 4].includes(d)) {
    return numbers(a).map((n) => pick(b, c, d, (y, x, channel) => ((n * b + y) * c + x) * d + channel));
  }
  return [];
}

function stretch(data: Float64Array): Float64Array {
  let [least, most] = [Infinity, -Infinity];
  for (const value of data) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const range = most - least;
  return data.map((value) => (range > 0 ? (value - least) / range : 0.5));
}
