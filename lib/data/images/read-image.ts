import { readFile, stat } from 'node:fs/promises';
import { FoveaError, mismatch } from '../../errors.js';
import { type HostTensor, hostTensor } from '../host-tensor.js';
import { decodeImage } from './decode.js';
import { cropToAspect, type Interpolation, padToAspect, resizePixels } from './resize.js';

/** What an image of the data set is made of a file. */
export interface ImageReading {
  /** Height and width; `null` keeps each image's own. */
  readonly imageSize: readonly [number, number] | null;
  readonly channels: 1 | 3 | 4;
  readonly interpolation: Interpolation;
  readonly antialias: boolean;
  /** What happens to images of other proportions than `imageSize`. */
  readonly aspect: 'stretch' | 'crop' | 'pad';
  /** float32 values from 0 to 255, or bytes (rounded). */
  readonly dtype: 'float32' | 'uint8';
  /** Whether images are turned as their EXIF orientation says. */
  readonly exifOrientation: boolean;
}

const MAX_FILE_BYTES = 2 ** 28;

async function readBytes(op: string, file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) {
      throw mismatch('ERR_DATA', { op }, `image files of at most ${MAX_FILE_BYTES} bytes`, `${file} of ${size}`);
    }
    return await readFile(file);
  } catch (cause) {
    if (cause instanceof FoveaError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new FoveaError(`${op}: cannot read ${file}: ${message}`, {
      code: code === 'ENOENT' ? 'ERR_NOT_FOUND' : 'ERR_FILE',
      op,
      cause,
    });
  }
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
  const { imageSize, channels, interpolation, antialias, aspect, dtype, exifOrientation } = reading;
  let pixels = await decodeImage(op, file, await readBytes(op, file), { channels, exifOrientation });
  const size = imageSize ?? [pixels.height, pixels.width];
  if (aspect === 'crop') pixels = cropToAspect(pixels, size);
  else if (aspect === 'pad') pixels = padToAspect(pixels, size);
  const same = pixels.height === size[0] && pixels.width === size[1];
  if (same && dtype === 'uint8') return hostTensor(pixels.data, [...size, channels]);
  const values = resizePixels(pixels, size, interpolation, antialias);
  // A clamped array rounds to the nearest byte, halves to the even one.
  const data = dtype === 'uint8' ? new Uint8Array(Uint8ClampedArray.from(values).buffer) : values;
  return hostTensor(data, [...size, channels]);
}
