import { type FileHandle, open } from 'node:fs/promises';
import { backendOf } from '../backends/registry.js';
import { FoveaError } from '../errors.js';
import { fromStorage } from '../tensor/create.js';
import { bytesPerElement, isNarrow, viewTyped, type DType, type TypedArray } from '../tensor/dtype.js';
import { fromPatterns, toPatterns } from '../tensor/narrow.js';
import { formatShape, sizeOf } from '../tensor/shape.js';
import { Storage } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { writeFileAtomic } from '../util/atomic-file.js';
import {
  checkHeaderLength,
  MAX_HEADER_BYTES,
  parseHeader,
  refuse,
  type SafetensorsDType,
  type SafetensorsEntry,
  type SafetensorsHeader,
} from './safetensors-header.js';

export type { SafetensorsDType, SafetensorsEntry } from './safetensors-header.js';

/** Elements with their type and shape: what is written, and what reading gives. */
export interface NamedArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

const TO_FILE: Record<DType, SafetensorsDType> = {
  float32: 'F32',
  bfloat16: 'BF16',
  float16: 'F16',
  float64: 'F64',
  int32: 'I32',
  uint8: 'U8',
  bool: 'BOOL',
};

/** Types whose elements are on devices as they are in the file. */
const AS_STORED: Partial<Record<SafetensorsDType, DType>> = { F32: 'float32', I32: 'int32', U8: 'uint8' };

/**
 * An open safetensors file. The header is read and checked; elements are read when they are asked for, so a file of
 * gigabytes costs what is used of it.
 *
 * @example
 * await using file = await SafetensorsFile.open('weights.safetensors');
 * const { data, shape } = await file.read('conv2d/kernel');
 */
export class SafetensorsFile implements AsyncDisposable {
  readonly #entries: ReadonlyMap<string, SafetensorsEntry>;
  /** Tensors that are being loaded before they are asked for. */
  readonly #ahead = new Map<string, { readonly device: string; readonly loading: Promise<Tensor> }>();

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private readonly start: number,
    private readonly header: SafetensorsHeader,
  ) {
    this.#entries = new Map(header.entries.map((entry) => [entry.name, entry]));
  }

  /**
   * Opens a file and checks its header as a whole.
   *
   * @throws FoveaError ERR_NOT_FOUND, or ERR_FILE naming what is wrong with it
   */
  static async open(path: string): Promise<SafetensorsFile> {
    let handle: FileHandle;
    try {
      handle = await open(path, 'r');
    } catch (cause) {
      const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      throw new FoveaError(`cannot read ${path}: ${(cause as Error).message}`, {
        code: missing ? 'ERR_NOT_FOUND' : 'ERR_FILE',
        op: 'safetensors',
        cause,
      });
    }
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw refuse(path, 'expected a file');
      if (stats.size < 8) throw refuse(path, `expected at least 8 bytes, received ${stats.size}`);
      const first = await readExactly(path, handle, 0, 8);
      const length = checkHeaderLength(path, new DataView(first).getBigUint64(0, true), stats.size);
      const header = await readExactly(path, handle, 8, length);
      const parsed = parseHeader(path, new Uint8Array(header), stats.size - 8 - length);
      return new SafetensorsFile(path, handle, 8 + length, parsed);
    } catch (error) {
      await handle.close();
      throw error instanceof FoveaError ? error : refuse(path, (error as Error).message, error);
    }
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.header.metadata;
  }

  /** The tensors, by name, in the order of their bytes. */
  get entries(): ReadonlyMap<string, SafetensorsEntry> {
    return this.#entries;
  }

  /**
   * The elements of a tensor. Half precision becomes float32; 64-bit and 16-bit integers become int32 when they fit.
   *
   * @throws FoveaError ERR_NOT_FOUND, ERR_UNSUPPORTED for integers that do not fit
   */
  async read(name: string): Promise<NamedArray> {
    const entry = this.#entries.get(name);
    if (!entry) {
      throw new FoveaError(`${this.path}: has no tensor "${name}"`, { code: 'ERR_NOT_FOUND', op: 'safetensors' });
    }
    const bytes = await readExactly(this.path, this.handle, this.start + entry.begin, entry.end - entry.begin);
    return { ...convert(this.path, entry, bytes), shape: entry.shape };
  }

  /**
   * @internal The tensor, which the device reads from the file itself: nothing is copied on the host. Undefined where the
   * device does not read files or has the type in another form: see {@link read}.
   */
  load(name: string, dtype: DType, device: string): Promise<Tensor> | undefined {
    const ahead = this.#ahead.get(name);
    const entry = this.#entries.get(name);
    if (!entry || AS_STORED[entry.dtype] !== dtype) return undefined;
    if (ahead?.device !== device) return this.#load(entry, dtype, device);
    this.#ahead.delete(name);
    return ahead.loading;
  }

  /** @internal Starts to load every tensor: for a caller that will ask for all of them and has other work to do first. */
  loadAhead(device: string): void {
    for (const [name, entry] of this.#entries) {
      const dtype = AS_STORED[entry.dtype];
      const loading = dtype && this.#load(entry, dtype, device);
      if (!loading) continue;
      loading.catch(() => undefined); // Who asks for the tensor is told.
      this.#ahead.set(name, { device, loading });
    }
  }

  #load({ name, shape, begin }: SafetensorsEntry, dtype: DType, device: string): Promise<Tensor> | undefined {
    const loading = backendOf(device).loadBuffer?.(dtype, sizeOf(shape), this.handle.fd, this.start + begin);
    return loading?.then(
      (buffer) => fromStorage(new Storage(buffer), shape, dtype, device),
      (error: unknown) => {
        if (!(error instanceof FoveaError) || error.code !== 'ERR_FILE') throw error;
        throw refuse(this.path, `tensor "${name}": ${error.message}`, error);
      },
    );
  }

  async close(): Promise<void> {
    for (const { loading } of this.#ahead.values())
      void loading.then(
        (tensor) => tensor.dispose(),
        () => undefined,
      );
    this.#ahead.clear();
    await this.handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function readExactly(path: string, handle: FileHandle, position: number, length: number): Promise<ArrayBuffer> {
  const bytes = new ArrayBuffer(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(new Uint8Array(bytes, done), 0, length - done, position + done);
    if (bytesRead === 0) throw refuse(path, `expected ${length} bytes at ${position}, received ${done} (truncated?)`);
    done += bytesRead;
  }
  return bytes;
}

function convert(
  path: string,
  { name, dtype }: SafetensorsEntry,
  bytes: ArrayBuffer,
): { dtype: DType; data: TypedArray } {
  switch (dtype) {
    case 'F32':
      return { dtype: 'float32', data: new Float32Array(bytes) };
    case 'F64':
      return { dtype: 'float64', data: new Float64Array(bytes) };
    case 'F16':
      return { dtype: 'float32', data: fromPatterns('float16', new Uint16Array(bytes)) };
    case 'BF16':
      return { dtype: 'float32', data: fromPatterns('bfloat16', new Uint16Array(bytes)) };
    case 'I32':
      return { dtype: 'int32', data: new Int32Array(bytes) };
    case 'U8':
      return { dtype: 'uint8', data: new Uint8Array(bytes) };
    case 'BOOL':
      return { dtype: 'bool', data: checkBooleans(path, name, new Uint8Array(bytes)) };
    case 'I8':
      return { dtype: 'int32', data: Int32Array.from(new Int8Array(bytes)) };
    case 'I16':
      return { dtype: 'int32', data: Int32Array.from(new Int16Array(bytes)) };
    case 'U16':
      return { dtype: 'int32', data: Int32Array.from(new Uint16Array(bytes)) };
    case 'U32':
      return { dtype: 'int32', data: narrow(path, name, new Uint32Array(bytes)) };
    case 'I64':
      return { dtype: 'int32', data: narrow(path, name, new BigInt64Array(bytes)) };
    case 'U64':
      return { dtype: 'int32', data: narrow(path, name, new BigUint64Array(bytes)) };
  }
}

function checkBooleans(path: string, name: string, data: Uint8Array): Uint8Array {
  const odd = data.findIndex((value) => value > 1);
  if (odd >= 0) throw refuse(path, `tensor "${name}": expected 0 or 1, received ${data[odd]} at ${odd}`);
  return data;
}

function narrow(path: string, name: string, data: Uint32Array | BigInt64Array | BigUint64Array): Int32Array {
  const out = new Int32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    out[i] = Number(value);
    if (BigInt(out[i]!) !== BigInt(value)) {
      throw new FoveaError(`${path}: tensor "${name}": expected integers that fit int32, received ${value} at ${i}`, {
        code: 'ERR_UNSUPPORTED',
        op: 'safetensors',
      });
    }
  }
  return out;
}

/** All tensors of a safetensors file, by name, and its metadata. See {@link SafetensorsFile} to read some of many. */
export async function readSafetensors(
  path: string,
): Promise<{ tensors: Map<string, NamedArray>; metadata: Readonly<Record<string, string>> }> {
  await using file = await SafetensorsFile.open(path);
  const tensors = new Map<string, NamedArray>();
  for (const name of file.entries.keys()) tensors.set(name, await file.read(name));
  return { tensors, metadata: file.metadata };
}

/**
 * Writes tensors to a safetensors file, atomically: see {@link writeFileAtomic}.
 *
 * @param tensors - by name
 * @param metadata - strings only, as the format wants them
 */
export async function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, NamedArray>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeFileAtomic(file, encodeSafetensors(file, tensors, metadata));
}

/** The pieces of a safetensors file, in order. Wider elements come first, so that all are aligned. */
export function encodeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, NamedArray>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const width = ({ dtype }: NamedArray): number => bytesPerElement(dtype);
  const sorted = [...tensors].sort(([, a], [, b]) => width(b) - width(a));
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  const pieces: Uint8Array[] = [];
  let position = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    if (name === '__metadata__') throw refuse(file, 'a tensor cannot be called "__metadata__"');
    if (sizeOf(shape) !== data.length) {
      throw refuse(
        file,
        `tensor "${name}": expected ${sizeOf(shape)} elements for shape ${formatShape(shape)}, received ${data.length}`,
      );
    }
    // A typed array of another type than its dtype says would be read as something else.
    const stored = isNarrow(dtype) && data instanceof Float32Array ? toPatterns(dtype, data) : data;
    const bytes = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
    if (viewTyped(dtype, new ArrayBuffer(0)).constructor !== data.constructor)
      throw refuse(file, `tensor "${name}": its elements are not ${dtype}`);
    header.push([name, { dtype: TO_FILE[dtype], shape, data_offsets: [position, position + bytes.length] }]);
    position += bytes.length;
    pieces.push(bytes);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  if (json.length > MAX_HEADER_BYTES)
    throw refuse(file, `its header would have ${json.length} bytes, more than ${MAX_HEADER_BYTES}`);
  const head = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  head.set(json, 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  return [head, ...pieces];
}
