import type { HostTensor } from '../data/host-tensor.js';
import { mismatch } from '../errors.js';
import { checkKeys } from '../util/options.js';
import { cropToAspect } from './crop.js';
import { decodeImage, type ColorMode } from './decode.js';
import { sizePair } from './host-image.js';
import { readImageFile } from './read-bytes.js';
import { resizeImage, type ImageInterpolation } from './resize-image.js';

export interface LoadImageOptions {
  /** New height and width. The image's own unless told. */
  readonly size?: number | readonly [height: number, width: number] | null | undefined;
  /** `'rgb'` unless told. */
  readonly colorMode?: ColorMode | undefined;
  /** How it is resized, as Pillow does. `'nearest'` unless told, as in Keras; `'bilinear'` looks better. */
  readonly interpolation?: ImageInterpolation | undefined;
  /** Cuts the part with the proportions of `size` out of the middle first, instead of stretching the image. */
  readonly keepAspectRatio?: boolean | undefined;
  /** Turns the image as its EXIF orientation says. False unless told, as in Keras. */
  readonly exifOrientation?: boolean | undefined;
  /** Larger images are refused. Pillow's limit unless told. */
  readonly maxPixels?: number | undefined;
}

const KEYS = ['size', 'colorMode', 'interpolation', 'keepAspectRatio', 'exifOrientation', 'maxPixels'];

/**
 * Reads an image file, or the bytes of one (Keras's `load_img`).
 *
 * @example
 * const image = await vision.loadImage('cat.jpg', { size: 224, interpolation: 'bilinear' });
 *
 * @returns uint8 [height, width, channels]
 * @throws FoveaError ERR_NOT_FOUND or ERR_FILE when the file cannot be read, ERR_DATA when it is no image or corrupt (both
 *   name it), ERR_UNSUPPORTED without the package sharp
 */
export async function loadImage(
  source: string | URL | Uint8Array,
  options: LoadImageOptions = {},
): Promise<HostTensor> {
  const op = 'loadImage';
  checkKeys(op, options, KEYS);
  const { size, colorMode, interpolation = 'nearest', keepAspectRatio = false, exifOrientation, maxPixels } = options;
  const target = size === undefined || size === null ? undefined : sizePair(op, size);
  const isFile = typeof source === 'string' || source instanceof URL;
  if (!isFile && !(source instanceof Uint8Array)) {
    throw mismatch('ERR_ARGUMENT', { op }, 'a path or the bytes of an image file', typeof source);
  }
  const bytes = isFile ? await readImageFile(op, source) : source;
  const name = isFile ? String(source) : undefined;
  const image = await decodeImage(bytes, { colorMode, exifOrientation, maxPixels, name });
  if (!target) return image;
  return resizeImage(keepAspectRatio ? cropToAspect(image, target) : image, target, { interpolation });
}
