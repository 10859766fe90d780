import { corrupt } from './errors.js';
import { Hdf5Context } from './cursor.js';
import type { ByteSource } from './source.js';

/** The first bytes of every HDF5 file. */
export const HDF5_SIGNATURE = Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a);

/** Whether bytes begin as an HDF5 file does. */
export function isHdf5(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && HDF5_SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/**
 * Reads how the file is written and where its root is.
 *
 * @returns the context for everything else, and the address of the root group's object header
 */
export function readSuperblock(source: ByteSource): { context: Hdf5Context; root: number } {
  const context = new Hdf5Context(source);
  context.base = findSignature(source);
  const cursor = context.upTo(0, 256, 'superblock');
  cursor.skip(8);
  const version = cursor.version(0, 1, 2, 3);
  if (version <= 1) cursor.skip(4);
  const sizes = [cursor.u8(), cursor.u8()] as const;
  if (!sizes.every((size) => size === 2 || size === 4 || size === 8)) {
    throw cursor.fail(`expected addresses of 2, 4 or 8 bytes, received ${sizes.join(' and ')}`);
  }
  [context.offsetSize, context.lengthSize] = sizes;
  if (version <= 1) cursor.skip(version === 0 ? 9 : 13);
  else cursor.skip(1);
  const base = cursor.addressOf('the base');
  cursor.skip(context.offsetSize);
  const end = cursor.addressOf('the end');
  // Some writers leave the base at 0 in front of which a user block was put later.
  if (base !== context.base && base !== 0) throw cursor.fail(`expected base ${context.base}, received ${base}`);
  const last = base === 0 ? context.base + end : end;
  if (last > source.size) {
    throw corrupt(source.name, `expected ${last} bytes, received ${source.size} (truncated?)`);
  }
  // Driver information and the name's offset in the root's symbol table entry.
  if (version <= 1) cursor.skip(2 * context.offsetSize);
  return { context, root: cursor.addressOf('the root group') };
}

function findSignature(source: ByteSource): number {
  for (let at = 0; at + 8 <= source.size; at = at === 0 ? 512 : at * 2) {
    if (isHdf5(source.at(at, 8))) return at;
  }
  const start = [...source.at(0, Math.min(8, source.size))].map((b) => b.toString(16).padStart(2, '0')).join(' ');
  throw corrupt(source.name, `expected the HDF5 signature, received ${start || 'an empty file'}`);
}
