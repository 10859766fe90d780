import type { Hdf5Context } from './cursor.js';
import { readBTree2 } from './btree2.js';
import type { Layout } from './layout.js';

/** A piece of a dataset. */
export interface Chunk {
  /** Its number along each dimension. */
  readonly place: readonly number[];
  readonly address: number;
  /** Bytes in the file. */
  readonly size: number;
  /** Filters that were left out. */
  readonly mask: number;
}

/** What an index needs to know of the dataset. */
export interface ChunkGrid {
  readonly layout: Extract<Layout, { kind: 'chunked' }>;
  /** Chunks along each dimension. */
  readonly counts: readonly number[];
  /** Bytes of a chunk without filters. */
  readonly chunkBytes: number;
  readonly filtered: boolean;
}

const MAX_LEVELS = 64;

/** The chunks that were written. */
export function readChunkIndex(context: Hdf5Context, grid: ChunkGrid): Chunk[] {
  const { index } = grid.layout;
  if (index.address === undefined) return [];
  switch (index.kind) {
    case 'tree1':
      return fromTree1(context, grid, index.address);
    case 'single':
      return [
        {
          place: grid.counts.map(() => 0),
          address: index.address,
          size: index.size ?? grid.chunkBytes,
          mask: index.mask,
        },
      ];
    case 'implicit': {
      const { address } = index;
      return Array.from({ length: total(grid) }, (_, i) => ({
        place: placeOf(grid, i),
        address: address + i * grid.chunkBytes,
        size: grid.chunkBytes,
        mask: 0,
      }));
    }
    case 'fixed':
      return fromFixedArray(context, grid, index.address, index.pageBits);
    case 'tree2':
      return fromTree2(context, grid, index.address);
    case 'extensible':
      throw context
        .cursor(0, 0, 'chunks')
        .unsupported('datasets that can grow along one dimension, of the latest format');
  }
}

function total({ counts }: ChunkGrid): number {
  return counts.reduce((a, b) => a * b, 1);
}

function placeOf({ counts }: ChunkGrid, index: number): number[] {
  const place = new Array<number>(counts.length);
  for (let axis = counts.length - 1, rest = index; axis >= 0; axis--) {
    place[axis] = rest % counts[axis]!;
    rest = Math.floor(rest / counts[axis]!);
  }
  return place;
}

function fromTree1(context: Hdf5Context, grid: ChunkGrid, root: number): Chunk[] {
  const { chunk } = grid.layout;
  const keyBytes = 8 + 8 * (chunk.length + 1);
  const chunks: Chunk[] = [];
  const visit = (address: number, level: number): void => {
    const head = context.cursor(address, 8 + 2 * context.offsetSize, 'B-tree of chunks');
    head.signature('TREE');
    if (head.u8() !== 1) throw head.fail('expected a node of chunks');
    const depth = head.u8();
    const count = head.u16();
    if (depth >= level) throw head.fail(`expected a level below ${level}, received ${depth}`);
    const at = address + 8 + 2 * context.offsetSize;
    const entries = context.cursor(at, count * (keyBytes + context.offsetSize), 'B-tree of chunks');
    for (let i = 0; i < count; i++) {
      const [size, mask] = [entries.u32(), entries.u32()];
      const offsets = chunk.map(() => entries.uint(8));
      entries.skip(8);
      const child = entries.addressOf('a chunk');
      if (depth > 0) visit(child, depth);
      else
        chunks.push({
          place: offsets.map((offset, axis) => Math.floor(offset / chunk[axis]!)),
          address: child,
          size,
          mask,
        });
    }
  };
  visit(root, MAX_LEVELS);
  return chunks;
}

/** Records: address, then with filters size and mask, then the place as scaled offsets of 8 bytes. */
function fromTree2(context: Hdf5Context, grid: ChunkGrid, address: number): Chunk[] {
  return readBTree2(context, address, 'chunks').map((record) => {
    const at = record.addressOf('a chunk');
    const sizeBytes = record.left - 4 - 8 * grid.counts.length;
    const size = grid.filtered ? record.uint(sizeBytes) : grid.chunkBytes;
    const mask = grid.filtered ? record.u32() : 0;
    return { place: grid.counts.map(() => record.uint(8)), address: at, size, mask };
  });
}

function fromFixedArray(context: Hdf5Context, grid: ChunkGrid, address: number, pageBits: number): Chunk[] {
  const head = context.upTo(address, 64, 'fixed array');
  head.signature('FAHD');
  head.version(0);
  const filtered = head.u8() === 1;
  const entryBytes = head.u8();
  head.skip(1);
  const entries = head.length();
  const block = head.address();
  if (block === undefined) return [];
  if (entries !== total(grid)) throw head.fail(`expected ${total(grid)} chunks, received ${entries}`);
  const { offsetSize } = context;
  if (entryBytes < offsetSize + (filtered ? 5 : 0))
    throw head.fail(`expected larger entries, received ${entryBytes} bytes`);
  if (pageBits > 30) throw head.fail(`expected pages of at most 2^30 entries, received 2^${pageBits}`);
  const perPage = 2 ** pageBits;
  const pages = entries > perPage ? Math.ceil(entries / perPage) : 0;
  const prefix = 6 + offsetSize + Math.ceil(pages / 8);
  context.cursor(block, prefix, 'fixed array').signature('FADB');
  const chunks: Chunk[] = [];
  const readEntries = (at: number, first: number, count: number): void => {
    const list = context.cursor(at, count * entryBytes, 'fixed array');
    for (let i = first; i < first + count; i++) {
      const chunk = list.address();
      const size = filtered ? list.uint(entryBytes - offsetSize - 4) : grid.chunkBytes;
      const mask = filtered ? list.u32() : 0;
      if (chunk !== undefined) chunks.push({ place: placeOf(grid, i), address: chunk, size, mask });
    }
  };
  if (pages === 0) {
    readEntries(block + prefix, 0, entries);
    return chunks;
  }
  const written = context.cursor(block + 6 + offsetSize, Math.ceil(pages / 8), 'fixed array').bytes;
  for (let page = 0; page < pages; page++) {
    // Bits from the most significant on; a checksum ends the prefix and each page.
    if (!(written[page >> 3]! & (0x80 >> (page & 7)))) continue;
    const at = block + prefix + 4 + page * (perPage * entryBytes + 4);
    readEntries(at, page * perPage, Math.min(perPage, entries - page * perPage));
  }
  return chunks;
}
