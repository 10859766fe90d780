/** How pixels between those of the image are made, with TensorFlow's names. */
export const RESIZE_METHODS = [
  ...(['bilinear', 'nearest', 'bicubic', 'area', 'lanczos3', 'lanczos5', 'gaussian', 'mitchellcubic'] as const),
];

export type ResizeMethod = (typeof RESIZE_METHODS)[number];

/** A linear map along one axis: result i is the sum over k of `weights[i * taps + k] * source[starts[i] + k]`. */
export interface Spans {
  /** Where the sources of each result begin; all `taps` of them lie within the axis. */
  readonly starts: readonly number[];
  readonly taps: number;
  readonly weights: readonly number[];
}

interface Filter {
  /** How far it reaches, in pixels. */
  readonly radius: number;
  readonly at: (x: number) => number;
}

/** A piecewise cubic of Mitchell and Netravali, "Reconstruction Filters in Computer Graphics" (1988). */
function cubic(b: number, c: number): Filter {
  const at = (x: number): number => {
    const t = Math.abs(x);
    if (t >= 2) return 0;
    if (t >= 1) return (((-b - 6 * c) * t + 6 * b + 30 * c) * t - 12 * b - 48 * c) * (t / 6) + (8 * b + 24 * c) / 6;
    return (((12 - 9 * b - 6 * c) * t - 18 + 12 * b + 6 * c) * t * t + 6 - 2 * b) / 6;
  };
  return { radius: 2, at };
}

function lanczos(radius: number): Filter {
  const at = (x: number): number => {
    const t = Math.abs(x);
    if (t >= radius) return 0;
    const angle = t * Math.PI;
    return t < 1e-3 ? 1 : (radius * Math.sin(angle) * Math.sin(angle / radius)) / (angle * angle);
  };
  return { radius, at };
}

/** Deviation half a pixel, cut at three deviations, as TensorFlow's. */
const GAUSSIAN: Filter = { radius: 1.5, at: (x) => (Math.abs(x) >= 1.5 ? 0 : Math.exp(-2 * x * x)) };

/** Filters by name; bicubic is R. Keys' with a = -1/2, "Cubic Convolution Interpolation" (1981), as Pillow's is. */
const FILTERS: Readonly<Record<Exclude<ResizeMethod, 'nearest' | 'area'>, Filter>> = {
  bilinear: { radius: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: cubic(0, 0.5),
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
  gaussian: GAUSSIAN,
  mitchellcubic: cubic(1 / 3, 1 / 3),
};

/** TensorFlow reads bicubic weights without antialias from a table of this many steps a pixel. */
const CUBIC_STEPS = 1024;

interface Row {
  readonly first: number;
  readonly weights: readonly number[];
}

/** Rows as spans of one width: shorter ones get zeros, placed so that no source outside of the axis is asked for. */
function spansOf(rows: readonly Row[], size: number): Spans {
  const taps = Math.max(1, ...rows.map(({ weights }) => weights.length));
  const starts = rows.map(({ first }) => Math.max(0, Math.min(first, size - taps)));
  const weights = new Array<number>(rows.length * taps).fill(0);
  for (const [i, row] of rows.entries()) {
    row.weights.forEach((weight, k) => (weights[i * taps + row.first - starts[i]! + k] = weight));
  }
  return { starts, taps, weights };
}

function nearestRow(size: number, target: number, i: number): Row {
  // (2i + 1) * size / (2 * target) is (i + 0.5) * size / target with one rounding only.
  return { first: Math.min(Math.floor(((2 * i + 1) * size) / (2 * target)), size - 1), weights: [1] };
}

/** Every pixel counts by how much of it lies under the result's. */
function areaRow(size: number, target: number, i: number): Row {
  const scale = size / target;
  const [low, high] = [(i * size) / target, ((i + 1) * size) / target];
  const first = Math.floor(low);
  const last = Math.min(Math.ceil(high), size);
  const covered = (k: number): number => (Math.min(high, k + 1) - Math.max(low, k)) / scale;
  return { first, weights: Array.from({ length: last - first }, (_, k) => covered(first + k)) };
}

function filterRow(
  size: number,
  target: number,
  i: number,
  { radius, at }: Filter,
  stretch: number,
  steps: number,
): Row {
  let centre = ((2 * i + 1) * size) / (2 * target);
  if (steps > 0) {
    const below = Math.floor(centre - 0.5);
    centre = below + Math.round((centre - 0.5 - below) * steps) / steps + 0.5;
  }
  const first = Math.max(0, Math.ceil(centre - radius * stretch - 0.5));
  const last = Math.min(size - 1, Math.floor(centre + radius * stretch - 0.5));
  const weights = Array.from({ length: last - first + 1 }, (_, k) => at((first + k + 0.5 - centre) / stretch));
  const sum = weights.reduce((a, b) => a + b, 0);
  return { first, weights: weights.map((weight) => weight / sum) };
}

/**
 * The weights of tf.image.resize along one axis: half-pixel centres, weights that stay within the image and add up to 1.
 *
 * @param size - of the image, at least 1
 * @param target - of the result
 * @param antialias - whether filters widen when the image shrinks; without effect on `nearest` and `area`, as in TensorFlow
 */
export function resizeWeights(size: number, target: number, method: ResizeMethod, antialias: boolean): Spans {
  const indices = Array.from({ length: target }, (_, i) => i);
  if (method === 'nearest')
    return spansOf(
      indices.map((i) => nearestRow(size, target, i)),
      size,
    );
  if (method === 'area')
    return spansOf(
      indices.map((i) => areaRow(size, target, i)),
      size,
    );
  const stretch = antialias ? Math.max(size / target, 1) : 1;
  const steps = method === 'bicubic' && !antialias ? CUBIC_STEPS : 0;
  return spansOf(
    indices.map((i) => filterRow(size, target, i, FILTERS[method], stretch, steps)),
    size,
  );
}

/**
 * The transpose of a linear map along one axis: what carries gradients back through it.
 *
 * @param size - of the axis that the spans read
 */
export function transposeSpans({ starts, taps, weights }: Spans, size: number): Spans {
  const rows = Array.from({ length: size }, () => ({ first: 0, weights: [] as number[] }));
  for (const [i, start] of starts.entries()) {
    for (let k = 0; k < taps; k++) {
      const weight = weights[i * taps + k]!;
      if (weight === 0) continue;
      const row = rows[start + k]!;
      if (row.weights.length === 0) row.first = i;
      // Between two results that read a source there may be one that does not.
      while (row.first + row.weights.length < i) row.weights.push(0);
      row.weights.push(weight);
    }
  }
  return spansOf(rows, starts.length);
}

/** The attributes of kernel `resize` for a linear map along rows and one along columns. */
export function spanAttributes(rows: Spans, columns: Spans): Record<string, readonly number[]> {
  return {
    ...{ rowStarts: rows.starts, rowWeights: rows.weights },
    ...{ columnStarts: columns.starts, columnWeights: columns.weights },
  };
}
