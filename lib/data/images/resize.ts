/** Pixels of one image, row-major, channels last. */
export interface Pixels {
  readonly data: Uint8Array | Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** How pixels between those of the file are made, with TensorFlow's names. */
export const INTERPOLATIONS = ['bilinear', 'nearest', 'bicubic', 'area', 'lanczos3', 'lanczos5'] as const;

export type Interpolation = (typeof INTERPOLATIONS)[number];

interface Filter {
  /** How far it reaches, in pixels. */
  readonly radius: number;
  readonly at: (x: number) => number;
}

/** Keys' cubic with a = -1/2 (R. Keys 1981, "Cubic Convolution Interpolation for Digital Image Processing"). */
function cubic(x: number): number {
  const t = Math.abs(x);
  if (t >= 2) return 0;
  return t >= 1 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : (1.5 * t - 2.5) * t * t + 1;
}

function lanczos(radius: number): Filter {
  const at = (x: number): number => {
    const t = Math.abs(x) * Math.PI;
    if (t >= radius * Math.PI) return 0;
    return t < 1e-3 ? 1 : (radius * Math.sin(t) * Math.sin(t / radius)) / (t * t);
  };
  return { radius, at };
}

const FILTERS: Readonly<Record<Exclude<Interpolation, 'nearest' | 'area'>, Filter>> = {
  bilinear: { radius: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { radius: 2, at: cubic },
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
};

/** TensorFlow reads bicubic weights without antialias from a table of this many steps a pixel. */
const CUBIC_STEPS = 1024;

/** For each pixel along one axis of the result: the first pixel of the source that counts, and the weights from there. */
interface Taps {
  readonly first: Int32Array;
  /** `width` weights for each. */
  readonly weights: Float64Array;
  readonly width: number;
}

function spread(from: number, to: number, each: (i: number) => { first: number; weights: number[] }): Taps {
  const rows = Array.from({ length: to }, (_, i) => each(i));
  const width = Math.max(...rows.map(({ weights }) => weights.length));
  const taps = { first: new Int32Array(to), weights: new Float64Array(to * width), width };
  for (const [i, { first, weights }] of rows.entries()) {
    // Rows of fewer weights end in zeros, moved so that no pixel behind the last is asked for.
    const start = Math.max(0, Math.min(first, from - width));
    taps.first[i] = start;
    taps.weights.set(weights, i * width + first - start);
  }
  return taps;
}

function filterTaps(from: number, to: number, method: Interpolation, antialias: boolean): Taps {
  const scale = from / to;
  if (method === 'nearest') {
    return spread(from, to, (i) => ({ first: Math.min(Math.floor((i + 0.5) * scale), from - 1), weights: [1] }));
  }
  if (method === 'area') {
    return spread(from, to, (i) => {
      const [low, high] = [i * scale, (i + 1) * scale];
      const first = Math.floor(low);
      const last = Math.min(Math.ceil(high - 1e-9), from);
      const weights = Array.from({ length: last - first }, (_, k) => {
        return (Math.min(high, first + k + 1) - Math.max(low, first + k)) / scale;
      });
      return { first, weights };
    });
  }
  const { radius, at } = FILTERS[method];
  const stretch = antialias ? Math.max(scale, 1) : 1;
  const table = method === 'bicubic' && !antialias;
  return spread(from, to, (i) => {
    let centre = (i + 0.5) * scale;
    if (table) {
      const below = Math.floor(centre - 0.5);
      centre = below + Math.round((centre - 0.5 - below) * CUBIC_STEPS) / CUBIC_STEPS + 0.5;
    }
    const first = Math.max(0, Math.ceil(centre - radius * stretch - 0.5));
    const last = Math.min(from - 1, Math.floor(centre + radius * stretch - 0.5));
    const weights = Array.from({ length: last - first + 1 }, (_, k) => at((first + k + 0.5 - centre) / stretch));
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((w) => w / sum) };
  });
}

/** Taps by what they depend on: the images of a folder share few sizes. */
const known = new Map<string, Taps>();

function tapsOf(from: number, to: number, method: Interpolation, antialias: boolean): Taps {
  const key = `${from} ${to} ${method} ${antialias}`;
  let taps = known.get(key);
  if (!taps) {
    if (known.size >= 256) known.clear();
    known.set(key, (taps = filterTaps(from, to, method, antialias)));
  }
  return taps;
}

/**
 * Resizes an image as tf.image.resize does: half-pixel centres, weights that stay within the image.
 *
 * @param image - with at least one pixel
 * @param size - new height and width
 * @param antialias - whether the filter grows when the image shrinks; as in TensorFlow without effect on 'nearest' and
 *   'area'
 * @returns float32 values, not rounded
 */
export function resizePixels(
  { data, height, width, channels }: Pixels,
  size: readonly [height: number, width: number],
  method: Interpolation,
  antialias = false,
): Float32Array {
  const [toHeight, toWidth] = size;
  if (toHeight === height && toWidth === width) return Float32Array.from(data);
  const rows = tapsOf(height, toHeight, method, antialias);
  const columns = tapsOf(width, toWidth, method, antialias);
  const out = new Float32Array(toHeight * toWidth * channels);
  const line = new Float64Array(width * channels);
  for (let y = 0; y < toHeight; y++) {
    line.fill(0);
    for (let k = 0; k < rows.width; k++) {
      const weight = rows.weights[y * rows.width + k] as number;
      if (weight === 0) continue;
      const from = ((rows.first[y] as number) + k) * line.length;
      for (let i = 0; i < line.length; i++) line[i]! += weight * (data[from + i] as number);
    }
    let to = y * toWidth * channels;
    for (let x = 0; x < toWidth; x++) {
      const first = (columns.first[x] as number) * channels;
      for (let c = 0; c < channels; c++, to++) {
        let sum = 0;
        for (let k = 0; k < columns.width; k++) {
          sum += (columns.weights[x * columns.width + k] as number) * (line[first + k * channels + c] as number);
        }
        out[to] = sum;
      }
    }
  }
  return out;
}

/** The part of an image that has the proportions of `size`, from its middle, as large as there is (Keras's smart_resize). */
export function cropToAspect(image: Pixels, [toHeight, toWidth]: readonly [number, number]): Pixels {
  const { data, height, width, channels } = image;
  const cropHeight = Math.max(1, Math.min(height, Math.floor((width * toHeight) / toWidth)));
  const cropWidth = Math.max(1, Math.min(width, Math.floor((height * toWidth) / toHeight)));
  const top = Math.floor((height - cropHeight) / 2);
  const left = Math.floor((width - cropWidth) / 2);
  const out = new Uint8Array(cropHeight * cropWidth * channels);
  for (let y = 0; y < cropHeight; y++) {
    const from = ((top + y) * width + left) * channels;
    out.set(data.subarray(from, from + cropWidth * channels), y * cropWidth * channels);
  }
  return { data: out, height: cropHeight, width: cropWidth, channels };
}

/** The image with black borders that give it the proportions of `size` (Keras's pad_to_aspect_ratio). */
export function padToAspect(image: Pixels, [toHeight, toWidth]: readonly [number, number]): Pixels {
  const { data, height, width, channels } = image;
  const padHeight = Math.max(height, Math.floor((width * toHeight) / toWidth));
  const padWidth = Math.max(width, Math.floor((height * toWidth) / toHeight));
  const top = Math.floor((padHeight - height) / 2);
  const left = Math.floor((padWidth - width) / 2);
  const out = new Uint8Array(padHeight * padWidth * channels);
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width * channels, (y + 1) * width * channels);
    out.set(row, ((top + y) * padWidth + left) * channels);
  }
  return { data: out, height: padHeight, width: padWidth, channels };
}
