import { corrupt, unsupported } from './errors.js';
import type { ByteSource } from './source.js';

/** Structures may be read this many times the file's size in one operation: links in a circle end there. */
const READ_FACTOR = 16;
const READ_ALLOWANCE = 4 * 1024 * 1024;

/** What all structures of a file need: its bytes, and how it writes addresses. */
export class Hdf5Context {
  /** Where addresses count from: behind a user block. */
  base = 0;
  offsetSize = 8;
  lengthSize = 8;
  #left = 0;

  constructor(readonly source: ByteSource) {
    this.renew();
  }

  get name(): string {
    return this.source.name;
  }

  /** Begins an operation: what it may read is counted anew. */
  renew(): void {
    this.#left = READ_FACTOR * this.source.size + READ_ALLOWANCE;
  }

  /** A cursor at `length` bytes from an address. */
  cursor(address: number, length: number, what: string): Cursor {
    this.check(address, length, what);
    // Each costs something even when it is empty, so that loops end.
    this.#left -= length + 64;
    if (this.#left < 0) throw corrupt(this.name, `${what}: its structures refer to each other in a circle`);
    return new Cursor(this, this.source.at(this.base + address, length), what);
  }

  /** Throws unless a range lies in the file. */
  check(address: number, length: number, what: string): void {
    if (address < 0 || length < 0 || this.base + address + length > this.source.size) {
      const where = `${length} bytes at ${this.base + address}`;
      throw corrupt(this.name, `${what}: expected ${where}, received a file of ${this.source.size} bytes (truncated?)`);
    }
  }

  /** A cursor from an address to the end of the file, `most` bytes at most. */
  upTo(address: number, most: number, what: string): Cursor {
    this.check(address, 1, what);
    return this.cursor(address, Math.min(most, this.source.size - this.base - address), what);
  }
}

/** Reads the fields of a structure one after the other; little-endian, as HDF5 writes its own. */
export class Cursor {
  position = 0;
  readonly #view: DataView;

  constructor(
    readonly context: Hdf5Context,
    readonly bytes: Uint8Array,
    readonly what: string,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.position;
  }

  fail(why: string): Error {
    return corrupt(this.context.name, `${this.what}: ${why}`);
  }

  unsupported(what: string): Error {
    return unsupported(this.context.name, `${this.what}: ${what}`);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** An unsigned number of 1 to 8 bytes. */
  uint(size: number): number {
    const at = this.#take(size);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.bytes[at + i]!;
    if (!Number.isSafeInteger(value)) throw this.fail(`expected a number below 2^53, received ${value}`);
    return value;
  }

  length(): number {
    return this.uint(this.context.lengthSize);
  }

  /** An address; undefined where there is none (all bits set). */
  address(): number | undefined {
    const at = this.position;
    const size = this.context.offsetSize;
    this.#take(size);
    if (this.bytes.subarray(at, at + size).every((byte) => byte === 0xff)) return undefined;
    this.position = at;
    return this.uint(size);
  }

  /** An address that must be there. */
  addressOf(target: string): number {
    const address = this.address();
    if (address === undefined) throw this.fail(`expected an address of ${target}, received none`);
    return address;
  }

  take(length: number): Uint8Array {
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }

  /** A cursor over the next bytes, which this one skips. */
  part(length: number, what = this.what): Cursor {
    return new Cursor(this.context, this.take(length), what);
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** Skips to a multiple of 8 bytes from `start`. */
  align8(start = 0): void {
    const rest = (this.position - start) % 8;
    if (rest > 0) this.skip(8 - rest);
  }

  signature(expected: string): void {
    const received = String.fromCharCode(...this.take(4));
    if (received !== expected) throw this.fail(`expected "${expected}", received ${JSON.stringify(received)}`);
  }

  /** One of the versions that are known. */
  version(...known: number[]): number {
    const version = this.u8();
    if (!known.includes(version)) throw this.fail(`expected version ${known.join(' or ')}, received ${version}`);
    return version;
  }

  #take(length: number): number {
    const at = this.position;
    if (length < 0 || at + length > this.bytes.length) {
      throw this.fail(`expected ${length} bytes more, received ${this.left}`);
    }
    this.position = at + length;
    return at;
  }
}
