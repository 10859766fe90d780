import { type ColorMode, decodeImage } from '../../vision/decode.js';
import { readImageFile } from '../../vision/read-bytes.js';
import { type HostTensor, hostTensor } from '../host-tensor.js';
import { cropToAspect, type Interpolation, padToAspect, type Pixels, resizePixels } from './resize.js';

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

function pixelsOf({ data, shape }: HostTensor): Pixels {
  const [height, width, channels] = shape as readonly [number, number, number];
  return { data: data as Uint8Array, height, width, channels };
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
  let pixels = pixelsOf(await decodeImage(bytes, { colorMode, exifOrientation, name: file }));
  const size = imageSize ?? [pixels.height, pixels.width];
  if (aspect === 'crop') pixels = cropToAspect(pixels, size);
  else if (aspect === 'pad') pixels = padToAspect(pixels, size);
  const same = pixels.height === size[0] && pixels.width === size[1];
  if (same && dtype === 'uint8') return hostTensor(pixels.data, [...size, pixels.channels]);
  const values = resizePixels(pixels, size, interpolation, antialias);
  // A clamped array rounds to the nearest byte, halves to the even one.
  const data = dtype === 'uint8' ? new Uint8Array(Uint8ClampedArray.from(values).buffer) : values;
  return hostTensor(data, [...size, pixels.channels]);
}
