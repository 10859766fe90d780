import type { FileHandle } from 'node:fs/promises';
import { zlib } from '../../util/builtins.js';
import { decodeElement, FRAME_BYTES, frameOf } from './record.js';

const CHUNK = 2 ** 20;

/** Where a file of elements ends: as it should, or in something that is no whole element. */
export type FileEnd = 'end' | 'torn';

/** Reads the elements of a file one after the other, each checked by its CRC-32. */
export class FrameReader {
  #buffer: Buffer = Buffer.alloc(0);
  /** Where the buffer begins in the file. */
  #start = 0;
  #end = 0;
  count = 0;

  /** @param size - how many bytes of the file there are to read */
  constructor(
    private readonly file: FileHandle,
    private readonly size: number,
  ) {}

  /** Where the elements read so far end. */
  get end(): number {
    return this.#end;
  }

  async next(): Promise<{ readonly element: unknown } | FileEnd> {
    if (this.#end === this.size) return 'end';
    if (this.size - this.#end < FRAME_BYTES) return 'torn';
    const frame = frameOf(await this.#bytes(this.#end, FRAME_BYTES));
    // Checked before anything of that length is allocated.
    if (!frame || this.#end + FRAME_BYTES + frame.length > this.size) return 'torn';
    const payload = await this.#bytes(this.#end + FRAME_BYTES, frame.length);
    if (zlib().crc32(payload) !== frame.crc) return 'torn';
    let element: unknown;
    try {
      element = decodeElement(payload, frame.json);
    } catch {
      return 'torn';
    }
    this.#end += FRAME_BYTES + frame.length;
    this.count++;
    return { element };
  }

  async #bytes(from: number, length: number): Promise<Buffer> {
    const have = this.#start + this.#buffer.length;
    if (from + length > have) {
      const rest = this.#buffer.subarray(from - this.#start);
      const wanted = Math.min(Math.max(length, CHUNK), this.size - from);
      const buffer = Buffer.allocUnsafeSlow(wanted);
      rest.copy(buffer);
      for (let at = rest.length; at < wanted;) {
        const { bytesRead } = await this.file.read(buffer, at, wanted - at, from + at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      this.#buffer = buffer;
      this.#start = from;
    }
    return this.#buffer.subarray(from - this.#start, from - this.#start + length);
  }
}

/** Appends elements to a file; small ones are written together. */
export class FrameWriter {
  #pending: Uint8Array[] = [];
  #bytes = 0;

  /** @param end - where in the file to go on */
  constructor(
    private readonly file: FileHandle,
    public end: number,
  ) {}

  async append(pieces: readonly Uint8Array[]): Promise<void> {
    // Tensors may be reused by whoever made them once this has returned.
    if (this.#bytes === 0 && pieces.reduce((sum, piece) => sum + piece.byteLength, 0) >= CHUNK) {
      this.#pending = [...pieces];
      await this.flush();
      return;
    }
    for (const piece of pieces) {
      this.#pending.push(piece.slice());
      this.#bytes += piece.byteLength;
    }
    if (this.#bytes >= CHUNK) await this.flush();
  }

  async flush(): Promise<void> {
    const pieces = this.#pending;
    this.#pending = [];
    this.#bytes = 0;
    for (const piece of pieces) {
      for (let at = 0; at < piece.byteLength;) {
        const { bytesWritten } = await this.file.write(piece, at, piece.byteLength - at, this.end);
        at += bytesWritten;
        this.end += bytesWritten;
      }
    }
  }
}
