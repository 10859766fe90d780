import { cropToAspect } from '../../vision/crop.js';
import { type ColorMode, decodeImage } from '../../vision/decode.js';
import { readImageFile } from '../../vision/read-bytes.js';
import { type HostTensor, hostTensor } from '../host-tensor.js';
import { type Interpolation, padToAspect, resizePixels } from './resize.js';

/** What an image of the data set is made of a file. */
export interface ImageReading {
  /** Height and width; `null` keeps each image's own. */
  readonly imageSize: readonly [number, number] | null;
  readonly colorMode: ColorMode;
  readonly interpolation: Interpolation;
  readonly antialias: boolean;
  /** What happens to images of other proportions than `imageSize`. */
  readonly aspect: 'stretch' | 'crop' | 'pad';
  /** float32 values from 0 to 255, or bytes (rounded). */
  readonly dtype: 'float32' | 'uint8';
  /** Whether images are turned as their EXIF orientation says. */
  readonly exifOrientation: boolean;
}

/**
 * Reads an image file.
 *
 * @param op - who asks, for messages
 * @returns `[height, width, channels]`
 * @throws FoveaError ERR_DATA for a file that is no image or corrupt, ERR_NOT_FOUND or ERR_FILE when it cannot be read;
 *   each names the file
 */
export async function readImage(op: string, file: string, reading: ImageReading): Promise<HostTensor> {
  const { imageSize, colorMode, interpolation, antialias, aspect, dtype, exifOrientation } = reading;
  const bytes = await readImageFile(op, file);
  let image = await decodeImage(bytes, { colorMode, exifOrientation, name: file });
  const size = imageSize ?? ([image.shape[0]!, image.shape[1]!] as const);
  if (aspect === 'crop') image = cropToAspect(image, size);
  else if (aspect === 'pad') image = padToAspect(image, size);
  if (dtype === 'uint8' && image.shape[0] === size[0] && image.shape[1] === size[1]) return image;
  const resized = resizePixels(image, size, interpolation, antialias);
  if (dtype === 'float32') return resized;
  // A clamped array rounds to the nearest byte, halves to the even one.
  return hostTensor(new Uint8Array(Uint8ClampedArray.from(resized.data).buffer), resized.shape);
}
