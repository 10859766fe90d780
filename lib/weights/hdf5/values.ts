import { unsupported } from './errors.js';
import type { Hdf5Context } from './cursor.js';
import type { Hdf5NumberType, Hdf5Type } from './types.js';

/** Elements as they come from a file; half precision as its bit patterns. */
export type Hdf5Numbers =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** Elements of an array: numbers, or text. */
export type Hdf5Data = Hdf5Numbers | string[];

type NumbersClass = new (buffer: ArrayBuffer, byteOffset: number, length: number) => Hdf5Numbers;

const ARRAYS: Readonly<Record<Hdf5NumberType, NumbersClass>> = {
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/**
 * Turns the bytes of elements into an array of them.
 *
 * @param bytes - at the start of a buffer of their own; they are changed where the order of bytes is another
 */
export function decodeValues(context: Hdf5Context, type: Hdf5Type, bytes: Uint8Array<ArrayBuffer>): Hdf5Data {
  switch (type.kind) {
    case 'number':
      if (type.bigEndian) swap(bytes, type.size);
      return new ARRAYS[type.name](bytes.buffer, bytes.byteOffset, bytes.length / type.size);
    case 'text':
      return pieces(bytes, type.size).map((piece) => fixedText(piece, type.padding));
    case 'variableText': {
      const decoder = new VariableText(context);
      return pieces(bytes, type.size).map((piece) => decoder.read(piece));
    }
    case 'opaque':
      throw unsupported(context.name, `elements of type "${type.name}"`);
  }
}

function swap(bytes: Uint8Array, size: number): void {
  for (let at = 0; at + size <= bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

const utf8 = new TextDecoder();

function fixedText(bytes: Uint8Array, padding: 'zero' | 'space'): string {
  const zero = bytes.indexOf(0);
  const text = utf8.decode(zero < 0 ? bytes : bytes.subarray(0, zero));
  return padding === 'space' ? text.replace(/ +$/, '') : text;
}

/** Text of any length lies in the file's global heap. */
class VariableText {
  readonly #collections = new Map<number, ReadonlyMap<number, Uint8Array>>();

  constructor(private readonly context: Hdf5Context) {}

  read(bytes: Uint8Array): string {
    const { context } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const length = view.getUint32(0, true);
    let address = 0;
    for (let i = context.offsetSize - 1; i >= 0; i--) address = address * 256 + bytes[4 + i]!;
    if (length === 0 || address === 0) return '';
    const index = view.getUint32(4 + context.offsetSize, true);
    const object = this.#collection(address).get(index);
    if (!object || object.length < length) {
      throw context.cursor(0, 0, 'global heap').fail(`expected ${length} bytes as object ${index} at ${address}`);
    }
    return fixedText(object.subarray(0, length), 'zero');
  }

  #collection(address: number): ReadonlyMap<number, Uint8Array> {
    const known = this.#collections.get(address);
    if (known) return known;
    const { context } = this;
    const head = context.cursor(address, 8 + context.lengthSize, 'global heap');
    head.signature('GCOL');
    head.version(1);
    head.skip(3);
    const size = head.length();
    const objects = context.cursor(address + head.position, size - head.position, 'global heap');
    const found = new Map<number, Uint8Array>();
    while (objects.left >= 8 + context.lengthSize) {
      const index = objects.u16();
      objects.skip(6);
      const length = objects.length();
      if (index === 0) break;
      found.set(index, objects.take(length));
      objects.skip(Math.min(objects.left, (8 - (length % 8)) % 8));
    }
    this.#collections.set(address, found);
    return found;
  }
}
