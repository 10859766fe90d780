import type { Cursor, Hdf5Context } from './cursor.js';
import { readBTree2 } from './btree2.js';
import { FractalHeap } from './fractal-heap.js';
import { MESSAGE, type Message } from './object-header.js';
import { readDataspace, readDatatype, type Hdf5Type } from './types.js';
import { decodeValues, type Hdf5Data } from './values.js';

/** A named value of a group or dataset. */
export interface Hdf5Attribute {
  readonly name: string;
  readonly type: Hdf5Type;
  /** `[]` for one value; undefined for none. */
  readonly shape: readonly number[] | undefined;
  /** The elements; none for types that are not read. */
  readonly data: Hdf5Data | undefined;
}

const utf8 = new TextDecoder();

/** The attributes of an object, by name. */
export function readAttributes(context: Hdf5Context, messages: readonly Message[]): Map<string, Hdf5Attribute> {
  const found: Hdf5Attribute[] = [];
  for (const { type, body, shared } of messages) {
    if (type === MESSAGE.attribute && !shared) found.push(readAttribute(context, body));
    else if (type === MESSAGE.attributeInfo) found.push(...denseAttributes(context, body));
  }
  return new Map(found.map((attribute) => [attribute.name, attribute]));
}

function denseAttributes(context: Hdf5Context, info: Cursor): Hdf5Attribute[] {
  info.version(0);
  const flags = info.u8();
  if (flags & 1) info.skip(2);
  const [heapAddress, tree] = [info.address(), info.address()];
  if (heapAddress === undefined || tree === undefined) return [];
  const heap = new FractalHeap(context, heapAddress);
  return readBTree2(context, tree, 'attributes').map((record) =>
    readAttribute(context, heap.read(record.part(8), 'attribute')),
  );
}

function readAttribute(context: Hdf5Context, cursor: Cursor): Hdf5Attribute {
  const version = cursor.version(1, 2, 3);
  const flags = cursor.u8();
  const sizes = [cursor.u16(), cursor.u16(), cursor.u16()] as const;
  if (version === 3) cursor.skip(1);
  if (version > 1 && flags & 3) throw cursor.unsupported('types that several objects share');
  const part = (size: number): Cursor => {
    const made = cursor.part(size);
    if (version === 1) cursor.skip((8 - (size % 8)) % 8);
    return made;
  };
  const nameBytes = part(sizes[0]).bytes;
  const zero = nameBytes.indexOf(0);
  const name = utf8.decode(zero < 0 ? nameBytes : nameBytes.subarray(0, zero));
  const type = readDatatype(part(sizes[1]));
  const shape = readDataspace(part(sizes[2]));
  if (shape === undefined || type.kind === 'opaque') return { name, type, shape, data: undefined };
  const bytes = cursor.take(shape.reduce((a, b) => a * b, type.size));
  return { name, type, shape, data: decodeValues(context, type, new Uint8Array(bytes)) };
}
