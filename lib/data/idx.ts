import { readFile, stat } from 'node:fs/promises';
import { FoveaError } from '../errors.js';
import { zlib } from '../util/builtins.js';
import { formatShape, type HostData, type HostTensor, hostTensor, sizeOf, uninitialized } from './host-tensor.js';

/** The number types of the IDX format. */
export type IdxType = 'uint8' | 'int8' | 'int16' | 'int32' | 'float32' | 'float64';

/** The contents of an IDX file: int8 and int16 arrive as int32, float64 as float32, the others as they are. */
export interface IdxTensor extends HostTensor {
  /** The type in the file. */
  readonly idxType: IdxType;
}

/** Options of {@link readIdx}. */
export interface ReadIdxOptions {
  /** Refuses files that hold more bytes than this (uncompressed); 4 GiB - 1 unless told. */
  readonly maxBytes?: number;
}

interface Header {
  readonly type: IdxType;
  readonly shape: readonly number[];
  /** Bytes of the header. */
  readonly offset: number;
  /** Bytes of the whole file. */
  readonly total: number;
}

interface TypeInfo {
  readonly name: IdxType;
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number;
}

const TYPES = new Map<number, TypeInfo>([
  [0x08, { name: 'uint8', bytes: 1, read: (view, at) => view.getUint8(at) }],
  [0x09, { name: 'int8', bytes: 1, read: (view, at) => view.getInt8(at) }],
  [0x0b, { name: 'int16', bytes: 2, read: (view, at) => view.getInt16(at) }],
  [0x0c, { name: 'int32', bytes: 4, read: (view, at) => view.getInt32(at) }],
  [0x0d, { name: 'float32', bytes: 4, read: (view, at) => view.getFloat32(at) }],
  [0x0e, { name: 'float64', bytes: 8, read: (view, at) => view.getFloat64(at) }],
]);

const MAX_BYTES = 2 ** 32 - 1;
/** Deflate cannot do better than this; a header that asks for more is lying. */
const MAX_DEFLATE_RATIO = 1032;
/** The longest header: magic and 255 dimensions. */
const MAX_HEADER = 4 + 4 * 255;

function refuse(file: string, expected: string, received: string, cause?: unknown): FoveaError {
  return new FoveaError(`${file}: expected ${expected}, received ${received}`, {
    code: 'ERR_DATA',
    op: 'readIdx',
    expected,
    received,
    cause,
  });
}

/** Reads and checks the header, before anything is allocated for the rest. */
function parseHeader(bytes: Uint8Array, file: string, maxBytes: number): Header {
  const magic = Buffer.from(bytes.subarray(0, 4));
  const info = TYPES.get(magic[2] ?? -1);
  if (magic.length < 4) throw refuse(file, 'an IDX file', `a truncated one of ${bytes.length} bytes`);
  if (magic.readUInt16BE() !== 0 || !info) {
    throw refuse(file, 'an IDX file (0x0000, then a type of 0x08 to 0x0e)', `the bytes 0x${magic.toString('hex')}`);
  }
  const rank = magic[3] as number;
  const offset = 4 + 4 * rank;
  if (bytes.length < offset) {
    throw refuse(file, `a header of ${offset} bytes (${rank} dimensions)`, `a truncated one of ${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, offset);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const total = offset + sizeOf(shape) * info.bytes;
  if (!(total <= maxBytes))
    throw refuse(file, `at most ${maxBytes} bytes`, `a header for ${formatShape(shape)}, ${total} bytes`);
  return { type: info.name, shape, offset, total };
}

function checkLength(header: Header, received: number, file: string): void {
  if (received === header.total) return;
  const what = received < header.total ? 'a truncated file of' : 'trailing data:';
  throw refuse(
    file,
    `${header.total} bytes for ${formatShape(header.shape)} of ${header.type}`,
    `${what} ${received} bytes`,
  );
}

function decode(bytes: Uint8Array, header: Header): IdxTensor {
  const { type, shape, offset } = header;
  const count = sizeOf(shape);
  let data: HostData;
  if (type === 'uint8') {
    data = new Uint8Array(bytes.buffer, bytes.byteOffset + offset, count);
  } else {
    const info = [...TYPES.values()].find(({ name }) => name === type) as TypeInfo;
    data = uninitialized(type.startsWith('float') ? 'float32' : 'int32', count);
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, count * info.bytes);
    for (let i = 0; i < count; i++) data[i] = info.read(view, i * info.bytes);
  }
  return { ...hostTensor(data, shape), idxType: type };
}

/**
 * Decodes the bytes of an IDX file (not compressed).
 *
 * @param bytes - the file; data of type uint8 stays a view of it
 * @param file - its name, for messages
 * @throws FoveaError ERR_DATA for a wrong magic number, truncated or trailing data
 */
export function parseIdx(bytes: Uint8Array, file = 'IDX data', options: ReadIdxOptions = {}): IdxTensor {
  const header = parseHeader(bytes, file, options.maxBytes ?? MAX_BYTES);
  checkLength(header, bytes.length, file);
  return decode(bytes, header);
}

/** Decompresses as much as the header says, never more. */
async function inflate(compressed: Uint8Array, file: string, maxBytes: number): Promise<Uint8Array> {
  const corrupt = (cause: unknown): FoveaError => {
    const { code, message } = cause as NodeJS.ErrnoException;
    const what = code === 'Z_BUF_ERROR' ? 'a truncated one' : `a corrupt one (${message})`;
    return refuse(file, 'a whole gzip file', what, cause);
  };
  let start: Uint8Array;
  try {
    // Enough input for any header, however it is compressed.
    const head = compressed.subarray(0, MAX_HEADER + 65_536);
    start = zlib().gunzipSync(head, { finishFlush: zlib().constants.Z_SYNC_FLUSH });
  } catch (cause) {
    throw corrupt(cause);
  }
  const header = parseHeader(start, file, maxBytes);
  if (header.total > compressed.length * MAX_DEFLATE_RATIO + MAX_HEADER) {
    throw refuse(
      file,
      `${header.total} bytes for ${formatShape(header.shape)} of ${header.type}`,
      `${compressed.length} compressed bytes, too few for that`,
    );
  }
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    // One byte more than the header says, to notice trailing data without following it to its end.
    const maxOutputLength = header.total + 1;
    const chunkSize = Math.min(Math.max(64, maxOutputLength), 2 ** 20);
    zlib().gunzip(compressed, { maxOutputLength, chunkSize }, (error, result) => {
      if (!error) resolve(result);
      else if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') reject(corrupt(error));
      else
        reject(refuse(file, `${header.total} bytes for ${formatShape(header.shape)}`, 'trailing data: more than that'));
    });
  });
  return bytes;
}

/**
 * Reads an IDX file, the format of MNIST and its relatives: all number types, gzipped or not (told by the content).
 *
 * @param file - the path
 * @param options - `maxBytes` caps what a file may hold
 * @returns a host tensor of the file's shape
 * @throws FoveaError ERR_NOT_FOUND or ERR_FILE when it cannot be read; ERR_DATA, with the file's name, when it is no IDX
 *   file, truncated, corrupt, larger than allowed, or followed by other data. Nothing is allocated by a lying header.
 */
export async function readIdx(file: string, options: ReadIdxOptions = {}): Promise<IdxTensor> {
  const { maxBytes = MAX_BYTES } = options;
  let bytes: Uint8Array;
  try {
    const { size } = await stat(file);
    if (size > maxBytes) throw refuse(file, `at most ${maxBytes} bytes`, `a file of ${size} bytes`);
    bytes = await readFile(file);
  } catch (cause) {
    if (cause instanceof FoveaError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new FoveaError(`cannot read ${file}: ${(cause as Error).message}`, {
      code: missing ? 'ERR_NOT_FOUND' : 'ERR_FILE',
      op: 'readIdx',
      cause,
    });
  }
  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return parseIdx(zipped ? await inflate(bytes, file, maxBytes) : bytes, file, options);
}
