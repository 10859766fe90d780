import { hostTensor, type HostTensor } from '../data/host-tensor.js';
import { mismatch } from '../errors.js';
import { checkNumber } from '../util/options.js';
import { centerCrop } from './crop.js';
import { requireHostImage } from './host-image.js';
import { preprocessingOf } from './models.js';
import { preprocessInput } from './preprocess-input.js';
import { resizeImage, type ResizeImageOptions } from './resize-image.js';

/** Brings the shorter side to `size` pixels and keeps the proportions (torchvision's `resize`). */
export function resizeShorterSide(image: HostTensor, size: number, options: ResizeImageOptions = {}): HostTensor {
  const [, h, w] = requireHostImage('resizeShorterSide', image);
  checkNumber('resizeShorterSide', 'size', size, { min: 1, integer: true });
  const longer = Math.trunc((size * Math.max(h, w)) / Math.min(h, w));
  return resizeImage(image, h <= w ? [size, longer] : [longer, size], options);
}

/**
 * Brings a decoded image to what a network with published weights was evaluated on: size, crop, interpolation,
 * {@link preprocessInput}.
 *
 * @param image - uint8 [h, w, 3]
 * @param model - its name in the zoo: `'resnet50'`
 * @param weights - which weights, the preferred ones unless told
 * @returns float32 [height, width, 3]
 */
export function prepareImage(image: HostTensor, model: string, weights?: string): HostTensor {
  const { mode, size, shorterSide, interpolation } = preprocessingOf('prepareImage', model, weights);
  const sized =
    shorterSide === undefined
      ? resizeImage(image, size, { interpolation })
      : centerCrop(resizeShorterSide(image, shorterSide, { interpolation }), size);
  return preprocessInput(sized, mode);
}

/**
 * Images of one size as a batch.
 *
 * @returns [n, h, w, c]
 */
export function stackImages(images: readonly HostTensor[]): HostTensor {
  const op = 'stackImages';
  const first = images[0];
  if (!first) throw mismatch('ERR_ARGUMENT', { op }, 'at least one image', 'none');
  const alike = (image: HostTensor): boolean =>
    image.dtype === first.dtype && String(image.shape) === String(first.shape);
  const other = images.find((image) => !alike(image));
  if (other) {
    const text = ({ dtype, shape }: HostTensor): string => `${dtype} [${shape.join(',')}]`;
    throw mismatch('ERR_SHAPE', { op }, `images like the first, ${text(first)}`, text(other));
  }
  const data = first.data.constructor as new (length: number) => Uint8Array | Float32Array | Int32Array;
  const all = new data(images.length * first.data.length);
  images.forEach((image, i) => all.set(image.data, i * first.data.length));
  return hostTensor(all, [images.length, ...first.shape]);
}
