import { resizeWeights, type Spans } from '../../ops/resize-weights.js';
import { cropImage } from '../../vision/crop.js';
import { type HostTensor, hostTensor } from '../host-tensor.js';

/** How pixels between those of the file are made, with TensorFlow's names. */
export const INTERPOLATIONS = ['bilinear', 'nearest', 'bicubic', 'area', 'lanczos3', 'lanczos5'] as const;

export type Interpolation = (typeof INTERPOLATIONS)[number];

/** Weights by what they depend on: the images of a folder share few sizes. */
const known = new Map<string, Spans>();

function spansOf(from: number, to: number, method: Interpolation, antialias: boolean): Spans {
  const key = `${from} ${to} ${method} ${antialias}`;
  let spans = known.get(key);
  if (!spans) {
    if (known.size >= 256) known.clear();
    known.set(key, (spans = resizeWeights(from, to, method, antialias)));
  }
  return spans;
}

const sidesOf = ({ shape }: HostTensor): readonly [height: number, width: number, channels: number] =>
  shape as readonly [number, number, number];

/**
 * Resizes an image as tf.image.resize does: half-pixel centres, weights that stay within the image. Rows first: a large
 * image that shrinks without antialias is not read as a whole.
 *
 * @param image - [height, width, channels], with at least one pixel
 * @param size - new height and width
 * @param antialias - whether the filter grows when the image shrinks; as in TensorFlow without effect on 'nearest' and
 *   'area'
 * @returns float32 [...size, channels], not rounded
 */
export function resizePixels(
  image: HostTensor,
  size: readonly [height: number, width: number],
  method: Interpolation,
  antialias = false,
): HostTensor {
  const { data } = image;
  const [height, width, channels] = sidesOf(image);
  const [toHeight, toWidth] = size;
  if (toHeight === height && toWidth === width) return hostTensor(Float32Array.from(data), [...size, channels]);
  const rows = spansOf(height, toHeight, method, antialias);
  const columns = spansOf(width, toWidth, method, antialias);
  const out = new Float32Array(toHeight * toWidth * channels);
  const line = new Float64Array(width * channels);
  for (let y = 0; y < toHeight; y++) {
    line.fill(0);
    for (let k = 0; k < rows.taps; k++) {
      const weight = rows.weights[y * rows.taps + k] as number;
      if (weight === 0) continue;
      const from = ((rows.starts[y] as number) + k) * line.length;
      for (let i = 0; i < line.length; i++) line[i]! += weight * (data[from + i] as number);
    }
    let to = y * toWidth * channels;
    for (let x = 0; x < toWidth; x++) {
      const first = (columns.starts[x] as number) * channels;
      for (let c = 0; c < channels; c++, to++) {
        let sum = 0;
        for (let k = 0; k < columns.taps; k++) {
          sum += (columns.weights[x * columns.taps + k] as number) * (line[first + k * channels + c] as number);
        }
        out[to] = sum;
      }
    }
  }
  return hostTensor(out, [...size, channels]);
}

/** The image with black borders that give it the proportions of `size` (Keras's pad_to_aspect_ratio). */
export function padToAspect(image: HostTensor, [toHeight, toWidth]: readonly [number, number]): HostTensor {
  const [h, w] = sidesOf(image);
  const height = Math.max(h, Math.floor((w * toHeight) / toWidth));
  const width = Math.max(w, Math.floor((h * toWidth) / toHeight));
  const [top, left] = [-Math.floor((height - h) / 2), -Math.floor((width - w) / 2)];
  return cropImage(image, { top, left, height, width });
}
