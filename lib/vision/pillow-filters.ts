/** Names of Pillow's resampling filters. */
export const PILLOW_FILTERS = [...(['nearest', 'bilinear', 'bicubic', 'lanczos', 'box', 'hamming'] as const)];

export type PillowFilter = (typeof PILLOW_FILTERS)[number];

/** As Pillow keeps them: weights are whole numbers of 2^-22. */
export interface PillowSpans {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** [targets, taps]. */
  readonly weights: Float64Array;
  readonly taps: number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** Radius and shape of each; Pillow's formulas in Pillow's order, for the same roundings. */
const FILTERS: Readonly<Record<Exclude<PillowFilter, 'nearest'>, readonly [number, (x: number) => number]>> = {
  box: [0.5, (x) => (x > -0.5 && x <= 0.5 ? 1 : 0)],
  bilinear: [1, (x) => Math.max(0, 1 - Math.abs(x))],
  hamming: [
    1,
    (x) => {
      const t = Math.abs(x);
      if (t === 0) return 1;
      return t >= 1 ? 0 : (Math.sin(t * Math.PI) / (t * Math.PI)) * (0.54 + 0.46 * Math.cos(t * Math.PI));
    },
  ],
  bicubic: [
    2,
    (x) => {
      const t = Math.abs(x);
      if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
      return t < 2 ? (((t - 5) * t + 8) * t - 4) * -0.5 : 0;
    },
  ],
  lanczos: [3, (x) => (-3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0)],
};

function nearest(size: number, target: number): PillowSpans {
  const scale = size / target;
  const starts = new Int32Array(target);
  // Added up step by step, as Pillow does.
  for (let i = 0, at = scale * 0.5; i < target; i++, at += scale) starts[i] = Math.min(Math.floor(at), size - 1);
  return { starts, counts: starts.map(() => 1), weights: new Float64Array(target).fill(2 ** 22), taps: 1 };
}

/** The weights of Pillow's `Image.resize` along one axis (`precompute_coeffs` in its Resample.c). */
export function pillowSpans(size: number, target: number, filter: PillowFilter): PillowSpans {
  if (filter === 'nearest') return nearest(size, target);
  const [radius, at] = FILTERS[filter];
  const scale = size / target;
  const stretch = Math.max(scale, 1);
  const support = radius * stretch;
  const taps = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(target);
  const counts = new Int32Array(target);
  const weights = new Float64Array(target * taps);
  for (let i = 0; i < target; i++) {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(size, Math.trunc(centre + support + 0.5)) - first;
    const row = weights.subarray(i * taps, i * taps + count);
    let sum = 0;
    for (let k = 0; k < count; k++) sum += row[k] = at((k + first - centre + 0.5) * (1 / stretch));
    for (let k = 0; k < count; k++) {
      const weight = (sum === 0 ? row[k]! : row[k]! / sum) * 2 ** 22;
      row[k] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    starts[i] = first;
    counts[i] = count;
  }
  return { starts, counts, weights, taps };
}
