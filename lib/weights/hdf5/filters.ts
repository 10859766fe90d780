import { promisify } from 'node:util';
import { zlib } from '../../util/builtins.js';
import type { Cursor } from './cursor.js';
import { corrupt, unsupported } from './errors.js';

/** A step that chunks went through when they were written. */
export interface Filter {
  readonly id: number;
  readonly name: string;
  readonly values: readonly number[];
}

const NAMES: Readonly<Record<number, string>> = {
  1: 'deflate',
  2: 'shuffle',
  3: 'fletcher32',
  4: 'szip',
  5: 'nbit',
  6: 'scaleoffset',
};
const [DEFLATE, SHUFFLE, FLETCHER32] = [1, 2, 3];

/** Reads a filter pipeline message. */
export function readFilters(cursor: Cursor): Filter[] {
  const version = cursor.version(1, 2);
  const count = cursor.u8();
  if (version === 1) cursor.skip(6);
  return Array.from({ length: count }, () => {
    const id = cursor.u16();
    const nameBytes = version === 1 || id >= 256 ? cursor.u16() : 0;
    cursor.skip(2);
    const values = cursor.u16();
    cursor.skip(version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes);
    const list = Array.from({ length: values }, () => cursor.u32());
    if (version === 1 && values % 2 === 1) cursor.skip(4);
    return { id, name: NAMES[id] ?? `filter ${id}`, values: list };
  });
}

/**
 * Undoes the filters of a chunk.
 *
 * @param mask - bit i: filter i was left out for this chunk
 * @param size - bytes of the chunk without filters; no more is ever made
 */
export async function undoFilters(
  file: string,
  chunk: Uint8Array<ArrayBuffer>,
  filters: readonly Filter[],
  mask: number,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = chunk;
  for (let i = filters.length - 1; i >= 0; i--) {
    if (mask & (1 << i)) continue;
    const { id, name, values } = filters[i]!;
    if (id === DEFLATE) bytes = await inflateChunk(file, bytes, size);
    else if (id === SHUFFLE) bytes = unshuffle(bytes, values[0] ?? 1);
    else if (id === FLETCHER32) bytes = checkFletcher32(file, bytes);
    else throw unsupported(file, `chunks through the filter "${name}"`);
  }
  if (bytes.length !== size) throw corrupt(file, `a chunk: expected ${size} bytes, received ${bytes.length}`);
  return bytes;
}

async function inflateChunk(file: string, bytes: Uint8Array, size: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    // A checksum of 4 bytes may be inside.
    return new Uint8Array(await promisify(zlib().inflate)(bytes, { maxOutputLength: size + 4 }));
  } catch (cause) {
    throw corrupt(file, `a chunk cannot be inflated to ${size} bytes: ${(cause as Error).message}`, cause);
  }
}

/** All first bytes of the elements, then all second ones, and so on: back to elements. */
function unshuffle(bytes: Uint8Array, width: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes);
  if (width <= 1) return out;
  const count = Math.floor(bytes.length / width);
  for (let byte = 0, from = 0; byte < width; byte++) {
    for (let i = 0, to = byte; i < count; i++, to += width) out[to] = bytes[from++]!;
  }
  return out;
}

function checkFletcher32(file: string, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length < 4) throw corrupt(file, `a chunk: expected a checksum, received ${bytes.length} bytes`);
  const data = bytes.subarray(0, bytes.length - 4);
  const stored = new DataView(bytes.buffer, bytes.byteOffset + data.length, 4).getUint32(0, true);
  const computed = fletcher32(data);
  // Writers before HDF5 1.6.3 left the bytes of each half the other way round.
  const swapped = (((stored & 0x00ff00ff) << 8) | ((stored >>> 8) & 0x00ff00ff)) >>> 0;
  if (stored !== computed && swapped !== computed) {
    throw corrupt(file, `a chunk: expected checksum ${stored.toString(16)}, received ${computed.toString(16)}`);
  }
  return data;
}

/** Fletcher's checksum over 16-bit words, as HDF5's filter has it: big-endian words, sums folded into 1..65535. */
export function fletcher32(data: Uint8Array): number {
  let [low, high] = [0, 0];
  for (let i = 0; i < data.length; i += 2) {
    low += (data[i]! << 8) | (data[i + 1] ?? 0);
    if (low > 65535) low -= 65535;
    high += low;
    if (high > 65535) high -= 65535;
  }
  return ((high << 16) | low) >>> 0;
}
