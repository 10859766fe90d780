import { FoveaError } from '../../errors.js';
import { zlib } from '../../util/builtins.js';

/** Channels, and PNG's colour type for them. */
const COLOR_TYPES: Readonly<Record<number, number>> = { 1: 0, 2: 4, 3: 2, 4: 6 };

/**
 * Pixels as a PNG file: without filters, which images of weights gain little from.
 *
 * @param pixels - `height * width * channels` bytes, rows from the top; 1 to 4 channels: grey, grey and alpha, RGB, RGBA
 */
export function encodePng(pixels: Uint8Array, width: number, height: number, channels: number): Buffer {
  const color = COLOR_TYPES[channels];
  if (color === undefined || width < 1 || height < 1 || pixels.length !== width * height * channels) {
    throw new FoveaError(
      `encodePng: expected height * width * (1 to 4 channels) bytes, received ${pixels.length} for [${height},${width},${channels}]`,
      { op: 'encodePng' },
    );
  }
  const row = width * channels;
  const raw = new Uint8Array(height * (row + 1));
  for (let y = 0; y < height; y++) raw.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, color, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', zlib().deflateSync(raw)),
    chunk('IEND', raw.subarray(0, 0)),
  ]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  out.set(body, 4);
  out.writeUInt32BE(zlib().crc32(body), body.length + 4);
  return out;
}
