/** Builds a structure byte by byte, little-endian. */
export class Bytes {
  #buffer = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  u8(...values: number[]): this {
    for (const value of values) this.#put(value, 1);
    return this;
  }

  u16(...values: number[]): this {
    for (const value of values) this.#put(value, 2);
    return this;
  }

  u32(...values: number[]): this {
    for (const value of values) this.#put(value, 4);
    return this;
  }

  u64(...values: (number | bigint)[]): this {
    for (const value of values) {
      const at = this.#grow(8);
      new DataView(this.#buffer.buffer).setBigUint64(at, BigInt(value), true);
    }
    return this;
  }

  bytes(values: Uint8Array): this {
    const at = this.#grow(values.length);
    this.#buffer.set(values, at);
    return this;
  }

  /** ASCII. */
  text(value: string): this {
    return this.bytes(Uint8Array.from(value, (letter) => letter.charCodeAt(0)));
  }

  utf8(value: string): this {
    return this.bytes(new TextEncoder().encode(value));
  }

  /** Zeros up to a multiple of 8 bytes. */
  align8(): this {
    return this.padTo(Math.ceil(this.#length / 8) * 8);
  }

  /** Zeros up to a length. */
  padTo(length: number): this {
    this.#grow(Math.max(0, length - this.#length));
    return this;
  }

  done(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #put(value: number, size: number): void {
    const at = this.#grow(size);
    for (let i = 0; i < size; i++) this.#buffer[at + i] = Math.floor(value / 2 ** (8 * i)) & 0xff;
  }

  /** Makes room and returns where it begins. */
  #grow(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#buffer.length));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    return at;
  }
}
