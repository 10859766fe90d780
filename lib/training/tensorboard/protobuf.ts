/** The little of protocol buffers that events need: https://protobuf.dev/programming-guides/encoding */
import { FoveaError } from '../../errors.js';

const text = new TextEncoder();

/** A field of a message, encoded. */
export type Field = Uint8Array;

function varint(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const key = (field: number, wire: number): number[] => varint((field << 3) | wire);

/** An integer; as in proto3, 0 is left out. */
export function int(field: number, value: number | bigint): Field {
  return BigInt(value) === 0n ? new Uint8Array() : Uint8Array.from([...key(field, WIRE.varint), ...varint(value)]);
}

export function double(field: number, value: number): Field {
  const out = new Uint8Array([...key(field, WIRE.fixed64), ...new Uint8Array(8)]);
  new DataView(out.buffer).setFloat64(out.length - 8, value, true);
  return out;
}

/** Bytes, text, or a message inside. */
export function bytes(field: number, value: Uint8Array | string): Field {
  const data = typeof value === 'string' ? text.encode(value) : value;
  return message(Uint8Array.from([...key(field, WIRE.bytes), ...varint(data.length)]), data);
}

/** Fields one after the other. */
export function message(...fields: readonly Field[]): Uint8Array {
  const out = new Uint8Array(fields.reduce((sum, field) => sum + field.length, 0));
  let at = 0;
  for (const field of fields) {
    out.set(field, at);
    at += field.length;
  }
  return out;
}

/** A field as it was read: numbers for varints and fixed sizes, bytes for the rest. */
export interface RawField {
  readonly field: number;
  readonly value: bigint | Uint8Array;
}

/**
 * The fields of a message, in their order.
 *
 * @throws FoveaError ERR_DATA when it ends in the middle of one
 */
export function readFields(data: Uint8Array): RawField[] {
  const fields: RawField[] = [];
  let at = 0;
  const broken = (): FoveaError =>
    new FoveaError(`protocol buffer: expected a field at byte ${at} of ${data.length}, received less`, {
      code: 'ERR_DATA',
      op: 'readEvents',
    });
  const number = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = data[at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw broken();
  };
  const take = (length: number): Uint8Array => {
    if (length > data.length - at) throw broken();
    return data.subarray(at, (at += length));
  };
  while (at < data.length) {
    const tag = Number(number());
    const wire = tag & 7;
    let value: bigint | Uint8Array;
    if (wire === WIRE.varint) value = number();
    else if (wire === WIRE.bytes) value = take(Number(number()));
    else if (wire === WIRE.fixed64) value = take(8);
    else if (wire === WIRE.fixed32) value = take(4);
    else throw broken();
    fields.push({ field: tag >>> 3, value });
  }
  return fields;
}
