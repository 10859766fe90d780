import { FoveaError } from '../../errors.js';
import { zlib } from '../../util/builtins.js';
import {
  describeValue,
  type HostData,
  type HostDType,
  type HostTensor,
  isHostTensor,
  sizeOf,
  uninitialized,
} from '../host-tensor.js';
import { isRecord } from '../structure.js';

// An element as bytes: a frame (length and CRC-32 of what follows, length of the JSON), the structure as JSON in which
// tensors are numbered, then their numbers one after the other, in the byte order of this machine.

/** Length of the payload, its CRC-32, length of the JSON in it: three unsigned 32-bit numbers. */
export const FRAME_BYTES = 12;

/** No element is larger. */
export const MAX_PAYLOAD = 2 ** 31 - 1;

/** Tensors are written as this; what else JSON can say stays what it is. */
interface Leaf {
  readonly $: HostDType;
  readonly shape: readonly number[];
}

const BYTES: Readonly<Record<HostDType, number>> = { float32: 4, int32: 4, uint8: 1 };

function bytesOf(data: HostData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function outline(value: unknown, tensors: HostTensor[], where: string): unknown {
  if (isHostTensor(value)) {
    tensors.push(value);
    return { $: value.dtype, shape: value.shape } satisfies Leaf;
  }
  if (Array.isArray(value)) return { a: value.map((item) => outline(item, tensors, where)) };
  if (isRecord(value)) {
    return { o: Object.entries(value).map(([name, item]) => [name, outline(item, tensors, where)]) };
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    // JSON has no way to say NaN, Infinity or -0.
    if (Object.is(value, -0)) return { n: '-0' };
    return Number.isFinite(value) ? value : { n: String(value) };
  }
  const expected = 'tensors, numbers, strings, booleans and null in tuples and records';
  throw new FoveaError(`${where}: expected ${expected}, received ${describeValue(value)}`, {
    code: 'ERR_DATA',
    op: 'cache',
    expected,
    received: value,
  });
}

/**
 * The bytes of an element, in pieces.
 *
 * @param where - the stage, for messages
 * @throws FoveaError ERR_DATA for what has no bytes (functions, class instances) or is larger than 2 GiB
 */
export function encodeElement(element: unknown, where: string): Uint8Array[] {
  const tensors: HostTensor[] = [];
  const json = Buffer.from(JSON.stringify(outline(element, tensors, where)));
  // Without empty ones, of which zlib's CRC makes 0.
  const pieces = [json, ...tensors.map(({ data }) => bytesOf(data))].filter(({ byteLength }) => byteLength > 0);
  const length = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  if (length > MAX_PAYLOAD) {
    throw new FoveaError(`${where}: expected elements of at most ${MAX_PAYLOAD} bytes, received ${length}`, {
      code: 'ERR_DATA',
      op: 'cache',
    });
  }
  const frame = Buffer.alloc(FRAME_BYTES);
  frame.writeUInt32LE(length, 0);
  frame.writeUInt32LE(
    pieces.reduce((crc, piece) => zlib().crc32(piece, crc), 0),
    4,
  );
  frame.writeUInt32LE(json.length, 8);
  return [frame, ...pieces];
}

/** The payload of a frame, or what is wrong with it. */
export function frameOf(
  frame: Buffer,
): { readonly length: number; readonly crc: number; readonly json: number } | undefined {
  const [length, crc, json] = [frame.readUInt32LE(0), frame.readUInt32LE(4), frame.readUInt32LE(8)];
  return length <= MAX_PAYLOAD && json <= length ? { length, crc, json } : undefined;
}

/** The element of a payload whose CRC has been found right. */
export function decodeElement(payload: Buffer, jsonBytes: number): unknown {
  let at = jsonBytes;
  const build = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const node = value as Partial<Leaf> & { a?: unknown[]; o?: [string, unknown][]; n?: string };
    if (node.a) return node.a.map(build);
    if (node.o) return Object.fromEntries(node.o.map(([name, item]) => [name, build(item)]));
    if (node.n !== undefined) return Number(node.n);
    const { $: dtype, shape } = node as Leaf;
    const size = sizeOf(shape) * BYTES[dtype];
    if (!(at + size <= payload.length)) throw new RangeError('a tensor larger than its element');
    const data = uninitialized(dtype, sizeOf(shape));
    bytesOf(data).set(payload.subarray(at, at + size));
    at += size;
    return { data, shape, dtype };
  };
  return build(JSON.parse(payload.toString('utf8', 0, jsonBytes)));
}
