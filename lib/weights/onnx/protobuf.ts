/**
 * Protocol buffers, the writing half: a message is a list of pieces, so that the bytes of weights are never copied.
 * https://protobuf.dev/programming-guides/encoding
 */
export class ProtoWriter {
  readonly #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  get pieces(): readonly Uint8Array[] {
    return this.#pieces;
  }

  /** An int64 or enum field. */
  int(field: number, value: number): this {
    return this.#varint(field * 8).#varint(value);
  }

  /** A float field. */
  float(field: number, value: number): this {
    const piece = new Uint8Array(4);
    new DataView(piece.buffer).setFloat32(0, value, true);
    return this.#varint(field * 8 + 5).#push(piece);
  }

  string(field: number, text: string): this {
    return this.raw(field, new TextEncoder().encode(text));
  }

  /** A field of bytes, which are kept, not copied. */
  raw(field: number, value: Uint8Array): this {
    return this.#varint(field * 8 + 2)
      .#varint(value.length)
      .#push(value);
  }

  message(field: number, message: ProtoWriter): this {
    this.#varint(field * 8 + 2).#varint(message.bytes);
    for (const piece of message.pieces) this.#push(piece);
    return this;
  }

  #push(piece: Uint8Array): this {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    return this;
  }

  /** A whole number, negative ones as 64-bit two's complement. */
  #varint(value: number): this {
    const digits: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    do {
      const digit = Number(rest & 0x7fn);
      rest >>= 7n;
      digits.push(rest > 0n ? digit | 0x80 : digit);
    } while (rest > 0n);
    return this.#push(Uint8Array.from(digits));
  }
}
