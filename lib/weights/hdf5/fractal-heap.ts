import type { Cursor, Hdf5Context } from './cursor.js';
import { readBTree2 } from './btree2.js';

/** Where links and attributes of large groups lie: blocks of doubling sizes, in rows. */
export class FractalHeap {
  readonly #context: Hdf5Context;
  readonly #offsetBytes: number;
  readonly #lengthBytes: number;
  readonly #checksums: boolean;
  readonly #width: number;
  readonly #firstSize: number;
  readonly #directRows: number;
  readonly #rootRows: number;
  readonly #root: number | undefined;
  readonly #head: Cursor;
  readonly #hugeTree: number | undefined;
  readonly #idBytes: number;

  constructor(context: Hdf5Context, address: number) {
    const { lengthSize: length, offsetSize: offset } = context;
    this.#context = context;
    const head = context.upTo(address, 256, 'fractal heap');
    this.#head = head;
    head.signature('FRHP');
    head.version(0);
    this.#idBytes = head.u16();
    const filterBytes = head.u16();
    if (filterBytes > 0) throw head.unsupported('compressed heaps');
    this.#checksums = (head.u8() & 2) !== 0;
    const maxManaged = head.u32();
    head.skip(length);
    this.#hugeTree = head.address();
    head.skip(length + offset + 4 * length + 4 * length);
    this.#width = head.u16();
    this.#firstSize = head.length();
    const maxDirect = head.length();
    const heapBits = head.u16();
    head.skip(2);
    this.#root = head.address();
    this.#rootRows = head.u16();
    const sound = this.#width > 0 && this.#firstSize > 0 && maxDirect >= this.#firstSize && heapBits <= 64;
    if (!sound || this.#rootRows > 64) throw head.fail('expected blocks of a size, received none');
    this.#offsetBytes = Math.ceil(heapBits / 8);
    this.#lengthBytes = Math.min(bytesOf(maxDirect), bytesOf(maxManaged));
    this.#directRows = Math.log2(maxDirect) - Math.log2(this.#firstSize) + 2;
  }

  /** The object with an id. */
  read(id: Cursor, what: string): Cursor {
    const flags = id.u8();
    switch ((flags >> 4) & 3) {
      case 0: {
        const offset = id.uint(this.#offsetBytes);
        const length = id.uint(this.#lengthBytes);
        return this.#context.cursor(this.#locate(offset, length), length, what);
      }
      case 1:
        return this.#huge(id, what);
      case 2: {
        // Ids of more than 17 bytes have a second byte of length.
        const length = this.#idBytes - 1 <= 16 ? flags & 0x0f : ((flags & 0x0f) << 8) | id.u8();
        return id.part(length + 1, what);
      }
      default:
        throw id.fail('expected an id of a heap');
    }
  }

  /** The address of an offset in the heap's own space. */
  #locate(offset: number, length: number): number {
    if (this.#root === undefined) throw this.#head.fail('expected blocks, received an empty heap');
    if (this.#rootRows === 0) return this.#inBlock(this.#root, 0, this.#firstSize, offset, length);
    return this.#inRows(this.#root, this.#rootRows, 0, offset, length, 0);
  }

  #inRows(address: number, rows: number, start: number, offset: number, length: number, depth: number): number {
    if (depth > 16) throw this.#head.fail('expected at most 16 indirect blocks in each other');
    const entries = rows * this.#width;
    const { offsetSize } = this.#context;
    const prefix = 5 + offsetSize + this.#offsetBytes;
    const block = this.#context.cursor(address, prefix + entries * offsetSize, 'fractal heap');
    block.signature('FHIB');
    block.skip(prefix - 4);
    let at = start;
    for (let row = 0; row < rows; row++) {
      const size = this.#rowSize(row);
      for (let column = 0; column < this.#width; column++, at += size) {
        const child = block.address();
        if (offset < at || offset >= at + size) continue;
        if (child === undefined) throw this.#head.fail(`expected a block at ${offset}, received none`);
        if (row < this.#directRows) return this.#inBlock(child, at, size, offset, length);
        const childRows = Math.log2(size) - Math.log2(this.#firstSize * this.#width) + 1;
        return this.#inRows(child, childRows, at, offset, length, depth + 1);
      }
    }
    throw this.#head.fail(`expected an offset in the heap, received ${offset}`);
  }

  #rowSize(row: number): number {
    return row === 0 ? this.#firstSize : this.#firstSize * 2 ** (row - 1);
  }

  #inBlock(address: number, start: number, size: number, offset: number, length: number): number {
    const prefix = 5 + this.#context.offsetSize + this.#offsetBytes + (this.#checksums ? 4 : 0);
    this.#context.cursor(address, prefix, 'fractal heap').signature('FHDB');
    const inside = offset - start;
    if (inside < prefix || inside + length > size) {
      throw this.#head.fail(`expected an object in a block of ${size} bytes, received ${length} at ${inside}`);
    }
    return address + inside;
  }

  /** Objects too large for blocks have a tree of their own. */
  #huge(id: Cursor, what: string): Cursor {
    const { offsetSize, lengthSize } = this.#context;
    if (this.#idBytes >= 1 + offsetSize + lengthSize) {
      const address = id.addressOf('an object');
      return this.#context.cursor(address, id.length(), what);
    }
    if (this.#hugeTree === undefined) throw id.fail('expected a tree of huge objects, received none');
    const wanted = id.uint(Math.min(this.#idBytes - 1, lengthSize));
    for (const record of readBTree2(this.#context, this.#hugeTree, what)) {
      const [address, length, number] = [record.addressOf('an object'), record.length(), record.length()];
      if (number === wanted) return this.#context.cursor(address, length, what);
    }
    throw id.fail(`expected huge object ${wanted} in the tree, received none`);
  }
}

function bytesOf(limit: number): number {
  return Math.floor(Math.log2(Math.max(1, limit)) / 8) + 1;
}
