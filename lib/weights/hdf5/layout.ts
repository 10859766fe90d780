import type { Cursor } from './cursor.js';

/** Where the elements of a dataset are. */
export type Layout =
  | { readonly kind: 'compact'; readonly bytes: Uint8Array }
  | { readonly kind: 'contiguous'; readonly address: number | undefined; readonly size: number | undefined }
  | { readonly kind: 'chunked'; readonly chunk: readonly number[]; readonly index: ChunkIndexPlace };

/** Which structure tells where the chunks are. */
export type ChunkIndexPlace =
  | { readonly kind: 'tree1' | 'implicit' | 'tree2' | 'extensible'; readonly address: number | undefined }
  | {
      readonly kind: 'single';
      readonly address: number | undefined;
      readonly size: number | undefined;
      readonly mask: number;
    }
  | { readonly kind: 'fixed'; readonly address: number | undefined; readonly pageBits: number };

/** Reads a data layout message. */
export function readLayout(cursor: Cursor): Layout {
  const version = cursor.version(1, 2, 3, 4, 5);
  if (version <= 2) return oldLayout(cursor);
  const kind = cursor.u8();
  switch (kind) {
    case 0:
      return { kind: 'compact', bytes: cursor.take(cursor.u16()) };
    case 1:
      return { kind: 'contiguous', address: cursor.address(), size: cursor.length() };
    case 2:
      return version === 3 ? chunkedVersion3(cursor) : chunkedVersion4(cursor);
    default:
      throw cursor.unsupported(kind === 3 ? 'virtual datasets' : `layout ${kind}`);
  }
}

function oldLayout(cursor: Cursor): Layout {
  const rank = cursor.u8();
  const kind = cursor.u8();
  cursor.skip(5);
  const address = kind === 0 ? undefined : cursor.address();
  const sizes = Array.from({ length: rank }, () => cursor.u32());
  if (kind === 0) return { kind: 'compact', bytes: cursor.take(cursor.u32()) };
  if (kind === 1) return { kind: 'contiguous', address, size: undefined };
  return { kind: 'chunked', chunk: checkChunk(cursor, sizes.slice(0, -1)), index: { kind: 'tree1', address } };
}

function chunkedVersion3(cursor: Cursor): Layout {
  const rank = cursor.u8() - 1;
  const address = cursor.address();
  const chunk = Array.from({ length: rank }, () => cursor.u32());
  return { kind: 'chunked', chunk: checkChunk(cursor, chunk), index: { kind: 'tree1', address } };
}

function chunkedVersion4(cursor: Cursor): Layout {
  const flags = cursor.u8();
  const rank = cursor.u8() - 1;
  const width = cursor.u8();
  if (width < 1 || width > 8) throw cursor.fail(`expected sizes of 1 to 8 bytes, received ${width}`);
  const chunk = checkChunk(
    cursor,
    Array.from({ length: rank }, () => cursor.uint(width)),
  );
  cursor.skip(width);
  return { kind: 'chunked', chunk, index: readIndexPlace(cursor, flags) };
}

function readIndexPlace(cursor: Cursor, flags: number): ChunkIndexPlace {
  const kind = cursor.u8();
  switch (kind) {
    case 1: {
      const filtered = (flags & 2) !== 0;
      const size = filtered ? cursor.length() : undefined;
      const mask = filtered ? cursor.u32() : 0;
      return { kind: 'single', size, mask, address: cursor.address() };
    }
    case 2:
      return { kind: 'implicit', address: cursor.address() };
    case 3: {
      const pageBits = cursor.u8();
      return { kind: 'fixed', pageBits, address: cursor.address() };
    }
    case 4:
      cursor.skip(5);
      return { kind: 'extensible', address: cursor.address() };
    case 5:
      cursor.skip(6);
      return { kind: 'tree2', address: cursor.address() };
    default:
      throw cursor.fail(`expected a chunk index of 1 to 5, received ${kind}`);
  }
}

function checkChunk(cursor: Cursor, chunk: number[]): number[] {
  if (chunk.length === 0 || chunk.length > 32 || chunk.some((size) => size === 0)) {
    throw cursor.fail(`expected chunks of 1 to 32 dimensions, received ${chunk.join('x') || 'none'}`);
  }
  return chunk;
}
