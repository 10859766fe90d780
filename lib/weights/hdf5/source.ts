import { readSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { FoveaError } from '../../errors.js';
import { corrupt } from './errors.js';

/** Where the bytes of an HDF5 file come from. */
export interface ByteSource {
  /** For messages: the path. */
  readonly name: string;
  readonly size: number;
  /** Bytes of structures: small and needed at once. The range lies in the file. */
  at(offset: number, length: number): Uint8Array;
  /** Bytes of data, in a buffer of their own. The range lies in the file. */
  load(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

const PAGE_BYTES = 64 * 1024;
const MAX_PAGES = 256;

/** An open file. Structures are read by pages, which are kept; data is read when asked for. */
export class FileSource implements ByteSource {
  readonly #pages = new Map<number, Uint8Array>();

  /**
   * @param handle - closed with the source
   * @param start - where the bytes begin: an HDF5 file may lie in a larger one
   */
  constructor(
    readonly name: string,
    private readonly handle: FileHandle,
    readonly size: number,
    private readonly start = 0,
  ) {}

  /** @throws FoveaError ERR_NOT_FOUND, ERR_FILE */
  static async open(path: string): Promise<FileSource> {
    let handle: FileHandle;
    try {
      handle = await open(path, 'r');
    } catch (cause) {
      throw new FoveaError(`cannot read ${path}: ${(cause as Error).message}`, {
        code: (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'ERR_NOT_FOUND' : 'ERR_FILE',
        op: 'hdf5',
        cause,
      });
    }
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw corrupt(path, 'expected a file');
      return new FileSource(path, handle, stats.size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  at(offset: number, length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const index = Math.floor((offset + done) / PAGE_BYTES);
      const inPage = offset + done - index * PAGE_BYTES;
      const piece = this.#page(index).subarray(inPage, inPage + length - done);
      if (piece.length === 0) throw this.#short(offset, length, done);
      out.set(piece, done);
      done += piece.length;
    }
    return out;
  }

  async load(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const out = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const { bytesRead } = await this.handle.read(out, done, length - done, this.start + offset + done);
      if (bytesRead === 0) throw this.#short(offset, length, done);
      done += bytesRead;
    }
    return out;
  }

  async close(): Promise<void> {
    this.#pages.clear();
    await this.handle.close();
  }

  #page(index: number): Uint8Array {
    const known = this.#pages.get(index);
    if (known) return known;
    if (this.#pages.size >= MAX_PAGES) this.#pages.delete(this.#pages.keys().next().value!);
    const page = new Uint8Array(PAGE_BYTES);
    const read = readSync(this.handle.fd, page, 0, PAGE_BYTES, this.start + index * PAGE_BYTES);
    const filled = page.subarray(0, read);
    this.#pages.set(index, filled);
    return filled;
  }

  #short(offset: number, length: number, done: number): FoveaError {
    return corrupt(this.name, `expected ${length} bytes at ${offset}, received ${done} (truncated?)`);
  }
}

/** A file that is in memory as a whole: the weights inside a `.keras` file. */
export class MemorySource implements ByteSource {
  constructor(
    readonly name: string,
    private readonly bytes: Uint8Array,
  ) {}

  get size(): number {
    return this.bytes.length;
  }

  at(offset: number, length: number): Uint8Array {
    return this.bytes.subarray(offset, offset + length);
  }

  load(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return Promise.resolve(new Uint8Array(this.bytes.subarray(offset, offset + length)));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
