import type SharpModule from 'sharp';
import { FoveaError } from '../../errors.js';
import type { Pixels } from './resize.js';

/** As many pixels as Pillow takes without a warning; more are a mistake or an attack. */
const MAX_PIXELS = 89_478_485;

type Sharp = typeof SharpModule;

let loading: Promise<Sharp> | undefined;

/** The decoder, loaded when the first image is: data without image files need not have it installed. */
function loadSharp(): Promise<Sharp> {
  loading ??= import('sharp').then(
    (module) => module.default,
    (cause: unknown) => {
      loading = undefined;
      throw new FoveaError('decoding image files needs the package sharp: npm install sharp', {
        code: 'ERR_UNSUPPORTED',
        op: 'decodeImage',
        cause,
      });
    },
  );
  return loading;
}

/** Bytes with as many channels as asked for. Grey is Pillow's: 0.299 R + 0.587 G + 0.114 B. */
function toChannels(data: Uint8Array, from: number, to: 1 | 3 | 4): Uint8Array {
  if (from === to) return data;
  const colours = from >= 3;
  const alpha = from === 2 || from === 4;
  const count = data.length / from;
  const out = new Uint8Array(count * to);
  for (let i = 0; i < count; i++) {
    const at = i * from;
    const r = data[at] as number;
    const g = colours ? (data[at + 1] as number) : r;
    const b = colours ? (data[at + 2] as number) : r;
    if (to === 1) {
      out[i] = (r * 19595 + g * 38470 + b * 7471 + 32768) >> 16;
      continue;
    }
    out.set([r, g, b], i * to);
    if (to === 4) out[i * 4 + 3] = alpha ? (data[at + from - 1] as number) : 255;
  }
  return out;
}

/**
 * Decodes an image: the pixels of the file, with no colour management and without its transparency unless that is asked
 * for; of an animation the first picture.
 *
 * @param op - who asks, for messages
 * @param file - its name, for messages
 * @throws FoveaError ERR_DATA for what is no image or corrupt, ERR_UNSUPPORTED when sharp is not installed
 */
export async function decodeImage(
  op: string,
  file: string,
  bytes: Uint8Array,
  options: { readonly channels: 1 | 3 | 4; readonly exifOrientation: boolean },
): Promise<Pixels> {
  const sharp = await loadSharp();
  try {
    let image = sharp(bytes, { ignoreIcc: true, failOn: 'error', limitInputPixels: MAX_PIXELS });
    if (options.exifOrientation) image = image.autoOrient();
    const { data, info } = await image
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { height, width, channels } = info;
    return { data: toChannels(data, channels, options.channels), height, width, channels: options.channels };
  } catch (cause) {
    const reason = (cause as Error).message.trim().replaceAll('\n', '; ');
    throw new FoveaError(`${op}: cannot decode ${file}: ${reason}`, { code: 'ERR_DATA', op, received: file, cause });
  }
}
