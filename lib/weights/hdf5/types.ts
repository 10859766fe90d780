import type { Cursor } from './cursor.js';

/** Number types, by NumPy's names. */
export type Hdf5NumberType =
  | 'float16'
  | 'float32'
  | 'float64'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool';

/** The type of a dataset's or attribute's elements. */
export type Hdf5Type =
  | { readonly kind: 'number'; readonly name: Hdf5NumberType; readonly size: number; readonly bigEndian: boolean }
  | { readonly kind: 'text'; readonly name: 'string'; readonly size: number; readonly padding: 'zero' | 'space' }
  | { readonly kind: 'variableText'; readonly name: 'string'; readonly size: number }
  | { readonly kind: 'opaque'; readonly name: string; readonly size: number };

const FLOATS: Readonly<Record<number, Hdf5NumberType>> = { 2: 'float16', 4: 'float32', 8: 'float64' };
/** Exponent's place and size, fraction's place and size of IEEE 754. */
const IEEE: Readonly<Record<number, string>> = { 2: '10,5,0,10', 4: '23,8,0,23', 8: '52,11,0,52' };

/** Reads a datatype message. Types that no array can be made of are `opaque`: they can be listed and have raw bytes. */
export function readDatatype(cursor: Cursor, depth = 0): Hdf5Type {
  const first = cursor.u8();
  const [kind, version] = [first & 0x0f, first >> 4];
  if (version < 1 || version > 5) throw cursor.fail(`expected a datatype of version 1 to 5, received ${version}`);
  if (depth > 8) throw cursor.fail('expected at most 8 datatypes in each other');
  const bits = cursor.uint(3);
  const size = cursor.u32();
  if (size === 0) throw cursor.fail('expected elements of at least 1 byte, received 0');
  switch (kind) {
    case 0: {
      const [offset, precision] = [cursor.u16(), cursor.u16()];
      const signed = (bits & 8) !== 0;
      const whole = offset === 0 && precision === 8 * size && [1, 2, 4, 8].includes(size);
      if (!whole) return { kind: 'opaque', name: `int of ${precision} bits`, size };
      const name = `${signed ? 'int' : 'uint'}${8 * size}` as Hdf5NumberType;
      return { kind: 'number', name, size, bigEndian: (bits & 1) !== 0 };
    }
    case 1: {
      cursor.skip(4);
      const layout = [cursor.u8(), cursor.u8(), cursor.u8(), cursor.u8()].join(',');
      cursor.skip(4);
      const name = FLOATS[size];
      if (!name || layout !== IEEE[size] || bits & 0x40)
        return { kind: 'opaque', name: `float of ${8 * size} bits`, size };
      return { kind: 'number', name, size, bigEndian: (bits & 1) !== 0 };
    }
    case 3:
      return { kind: 'text', name: 'string', size, padding: (bits & 0xf) === 2 ? 'space' : 'zero' };
    case 8:
      return readEnum(cursor, version, bits & 0xffff, size, depth);
    case 9: {
      const base = readDatatype(cursor, depth + 1);
      if ((bits & 0xf) === 1) return { kind: 'variableText', name: 'string', size };
      return { kind: 'opaque', name: `list of ${base.name}`, size };
    }
    default:
      return { kind: 'opaque', name: KINDS[kind] ?? `class ${kind}`, size };
  }
}

const KINDS: Readonly<Record<number, string>> = {
  2: 'time',
  4: 'bitfield',
  5: 'opaque',
  6: 'compound',
  7: 'reference',
  10: 'array',
};

/** h5py writes booleans as an enumeration of FALSE and TRUE. */
function readEnum(cursor: Cursor, version: number, count: number, size: number, depth: number): Hdf5Type {
  const base = readDatatype(cursor, depth + 1);
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    const start = cursor.position;
    let name = '';
    for (let byte = cursor.u8(); byte !== 0; byte = cursor.u8()) name += String.fromCharCode(byte);
    if (version < 3) cursor.align8(start);
    names.push(name);
  }
  if (base.kind !== 'number') throw cursor.fail('expected an enumeration of whole numbers');
  const values = names.map(() => cursor.take(base.size)[0]);
  const isBool = size === 1 && names.join() === 'FALSE,TRUE' && values.join() === '0,1';
  return isBool ? { ...base, name: 'bool' } : base;
}

/** Reads a dataspace message: the shape; undefined for one that holds nothing at all. */
export function readDataspace(cursor: Cursor): number[] | undefined {
  const version = cursor.version(1, 2);
  const rank = cursor.u8();
  if (rank > 32) throw cursor.fail(`expected at most 32 dimensions, received ${rank}`);
  cursor.skip(1);
  if (version === 1) cursor.skip(5);
  else if (cursor.u8() === 2) return undefined;
  const shape = Array.from({ length: rank }, () => cursor.length());
  const size = shape.reduce((a, b) => a * b, 1);
  if (!Number.isSafeInteger(size)) throw cursor.fail(`expected fewer than 2^53 elements, received ${shape.join('x')}`);
  return shape;
}
