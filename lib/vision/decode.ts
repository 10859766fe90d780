import type SharpModule from 'sharp';
import { hostTensor, type HostTensor } from '../data/host-tensor.js';
import { FoveaError, mismatch } from '../errors.js';
import { checkNumber } from '../util/options.js';
import { toChannels } from './channels.js';

/** What pixels are made of: Keras's words. */
export type ColorMode = 'rgb' | 'grayscale' | 'rgba';

export interface DecodeOptions {
  /** `'rgb'` unless told. Transparency is dropped, not blended, unless it is `'rgba'`. */
  readonly colorMode?: ColorMode | undefined;
  /** Turns the image as its EXIF orientation says. False unless told: Keras, TensorFlow and Pillow take pixels as stored. */
  readonly exifOrientation?: boolean | undefined;
  /** Larger images are refused before they are decoded. Pillow's limit, 89,478,485 pixels, unless told. */
  readonly maxPixels?: number | undefined;
  /** What the bytes are called in messages. */
  readonly name?: string | undefined;
}

type Sharp = typeof SharpModule;

const MAX_PIXELS = 89_478_485;
const CHANNELS = { grayscale: 1, rgb: 3, rgba: 4 } as const;

let loading: Promise<Sharp> | undefined;

/** The decoder, loaded with the first image: whoever has no image files need not have it installed. */
function loadSharp(): Promise<Sharp> {
  loading ??= import('sharp').then(
    (module) => module.default,
    (cause: unknown) => {
      loading = undefined;
      throw new FoveaError('decodeImage: decoding image files needs the package sharp: npm install sharp', {
        code: 'ERR_UNSUPPORTED',
        op: 'decodeImage',
        cause,
      });
    },
  );
  return loading;
}

/** How many channels images of a mode have. */
export function channelsOf(op: string, colorMode: ColorMode): 1 | 3 | 4 {
  if (Object.hasOwn(CHANNELS, colorMode)) return CHANNELS[colorMode];
  const expected = `colorMode to be one of 'rgb', 'grayscale', 'rgba'`;
  throw mismatch('ERR_ARGUMENT', { op }, expected, JSON.stringify(colorMode) ?? 'nothing');
}

/**
 * Decodes an image file (JPEG, PNG, WebP, GIF, TIFF, AVIF: whatever sharp reads) to the bytes that Pillow's
 * `Image.convert('RGB')` gives: pixels as stored, without colour management; CMYK by Pillow's plain formula, the upper
 * half of 16-bit values. Of an animation the first picture.
 *
 * @param bytes - the whole file
 * @returns uint8 [height, width, channels]
 * @throws FoveaError ERR_DATA for what is no image, corrupt, cut short or too large; ERR_UNSUPPORTED without sharp
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeOptions = {}): Promise<HostTensor> {
  const { colorMode = 'rgb', exifOrientation = false, maxPixels = MAX_PIXELS, name = 'an image' } = options;
  const channels = channelsOf('decodeImage', colorMode);
  checkNumber('decodeImage', 'maxPixels', maxPixels, { min: 1, integer: true });
  if (!(bytes instanceof Uint8Array)) {
    throw mismatch('ERR_ARGUMENT', { op: 'decodeImage' }, 'the bytes of an image file', typeof bytes);
  }
  const sharp = await loadSharp();
  try {
    const open = sharp(bytes, { ignoreIcc: true, failOn: 'error', limitInputPixels: maxPixels });
    const { space } = await open.metadata();
    const image = exifOrientation ? open.autoOrient() : open;
    const inks = space === 'cmyk';
    const pixels = inks ? image.pipelineColourspace('cmyk').toColourspace('cmyk') : image.toColourspace('srgb');
    const { data, info } = await pixels.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    const converted = toChannels(data, inks ? 'cmyk' : info.channels, channels);
    return hostTensor(converted, [info.height, info.width, channels]);
  } catch (cause) {
    const reason = (cause as Error).message.trim().replaceAll('\n', '; ');
    throw new FoveaError(`decodeImage: cannot decode ${name}: ${reason}`, {
      code: 'ERR_DATA',
      op: 'decodeImage',
      received: name,
      cause,
    });
  }
}
