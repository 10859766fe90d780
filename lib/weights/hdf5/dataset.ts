import { corrupt } from './errors.js';
import type { Hdf5Context } from './cursor.js';
import { readAttributes, type Hdf5Attribute } from './attributes.js';
import { readChunkIndex, type Chunk, type ChunkGrid } from './chunk-index.js';
import { readFilters, undoFilters, type Filter } from './filters.js';
import { readLayout, type Layout } from './layout.js';
import { MESSAGE, type Message } from './object-header.js';
import { readDataspace, readDatatype, type Hdf5Type } from './types.js';
import { decodeValues, type Hdf5Data } from './values.js';

/** Deflate makes nothing more than 1032 times larger: what claims more is refused before memory is asked for. */
const MAX_EXPANSION = 1032;
const ALLOWANCE = 1024 * 1024;

/** An array in an HDF5 file. Its elements are read when they are asked for. */
export class Hdf5Dataset {
  readonly kind = 'dataset';
  readonly type: Hdf5Type;
  /** `[]` for one value; undefined for none. */
  readonly shape: readonly number[] | undefined;
  readonly filters: readonly Filter[];
  readonly #layout: Layout;
  readonly #fill: Uint8Array | undefined;

  constructor(
    private readonly context: Hdf5Context,
    /** From the root: `/layers/conv/vars/0`. */
    readonly path: string,
    private readonly messages: readonly Message[],
  ) {
    const [space, type, layout] = [MESSAGE.dataspace, MESSAGE.datatype, MESSAGE.layout].map((kind) => {
      const message = messages.find((m) => m.type === kind);
      if (!message)
        throw corrupt(context.name, `${path}: expected a dataset, received no shape, type or place of data`);
      if (message.shared) throw message.body.unsupported('types that several objects share');
      return message.body;
    });
    this.shape = readDataspace(space!);
    this.type = readDatatype(type!);
    this.#layout = readLayout(layout!);
    const filters = messages.find((m) => m.type === MESSAGE.filters);
    this.filters = filters ? readFilters(filters.body) : [];
    this.#fill = readFill(messages, this.type.size);
  }

  get attributes(): Map<string, Hdf5Attribute> {
    this.context.renew();
    return readAttributes(this.context, this.messages);
  }

  /** The chunks' shape, for datasets that are stored in chunks. */
  get chunks(): readonly number[] | undefined {
    return this.#layout.kind === 'chunked' ? this.#layout.chunk : undefined;
  }

  /** The elements. @throws FoveaError ERR_FILE, ERR_UNSUPPORTED for types and filters that are not read */
  async read(): Promise<Hdf5Data> {
    return decodeValues(this.context, this.type, await this.readBytes());
  }

  /** The bytes of the elements, for types that are not read; in the file's order. */
  async readBytes(): Promise<Uint8Array<ArrayBuffer>> {
    this.context.renew();
    const { shape, context } = this;
    const size = shape === undefined ? 0 : shape.reduce((a, b) => a * b, this.type.size);
    if (size === 0) return new Uint8Array(0);
    const layout = this.#layout;
    switch (layout.kind) {
      case 'compact':
        if (layout.bytes.length !== size) throw this.#fail(`${size} bytes`, `${layout.bytes.length}`);
        return new Uint8Array(layout.bytes);
      case 'contiguous':
        if (layout.address === undefined) return this.#filled(size);
        if (layout.size !== undefined && layout.size !== size) throw this.#fail(`${size} bytes`, `${layout.size}`);
        context.check(layout.address, size, this.path);
        return context.source.load(context.base + layout.address, size);
      case 'chunked':
        return this.#readChunks(layout, size);
    }
  }

  #fail(expected: string, received: string): Error {
    return corrupt(this.context.name, `${this.path}: expected ${expected}, received ${received}`);
  }

  /** Memory for elements that were never written. */
  #filled(size: number): Uint8Array<ArrayBuffer> {
    const most = ALLOWANCE + MAX_EXPANSION * this.context.source.size;
    if (size > most) throw this.#fail(`at most ${most} bytes in a file of ${this.context.source.size}`, `${size}`);
    const out = new Uint8Array(size);
    const fill = this.#fill;
    if (fill?.some((byte) => byte !== 0)) for (let at = 0; at < size; at += fill.length) out.set(fill, at);
    return out;
  }

  async #readChunks(layout: ChunkGrid['layout'], size: number): Promise<Uint8Array<ArrayBuffer>> {
    const { context, filters } = this;
    const shape = this.shape!;
    const { chunk } = layout;
    if (chunk.length !== shape.length) throw this.#fail(`chunks of ${shape.length} dimensions`, `${chunk.length}`);
    const chunkBytes = chunk.reduce((a, b) => a * b, this.type.size);
    const out = this.#filled(size);
    if (chunkBytes > ALLOWANCE + MAX_EXPANSION * context.source.size)
      throw this.#fail('smaller chunks', `${chunkBytes} bytes`);
    const counts = shape.map((n, axis) => Math.ceil(n / chunk[axis]!));
    const grid: ChunkGrid = { layout, counts, chunkBytes, filtered: filters.length > 0 };
    // What several chunks claim to be stored in may not be read again and again.
    let budget = 2 * context.source.size + ALLOWANCE;
    for (const part of readChunkIndex(context, grid)) {
      if (part.place.some((place, axis) => place >= counts[axis]!))
        throw this.#fail('chunks inside its shape', `one at ${part.place.join()}`);
      context.check(part.address, part.size, this.path);
      if ((budget -= part.size) < 0) throw this.#fail('chunks of their own', 'chunks that lie over each other');
      const stored = await context.source.load(context.base + part.address, part.size);
      const bytes = await undoFilters(context.name, stored, filters, part.mask, chunkBytes);
      place(out, bytes, part, shape, chunk, this.type.size);
    }
    return out;
  }
}

/** Copies the part of a chunk that is inside the shape. */
function place(
  out: Uint8Array,
  bytes: Uint8Array,
  { place: numbers }: Chunk,
  shape: readonly number[],
  chunk: readonly number[],
  elementBytes: number,
): void {
  const start = numbers.map((number, axis) => number * chunk[axis]!);
  const extent = shape.map((n, axis) => Math.min(chunk[axis]!, n - start[axis]!));
  const copy = (axis: number, from: number, to: number): void => {
    if (axis === shape.length - 1) {
      const at = from * chunk[axis]! * elementBytes;
      out.set(bytes.subarray(at, at + extent[axis]! * elementBytes), (to * shape[axis]! + start[axis]!) * elementBytes);
      return;
    }
    for (let i = 0; i < extent[axis]!; i++)
      copy(axis + 1, from * chunk[axis]! + i, to * shape[axis]! + start[axis]! + i);
  };
  copy(0, 0, 0);
}

/** What elements have that were never written; undefined for zeros. */
function readFill(messages: readonly Message[], elementBytes: number): Uint8Array | undefined {
  const message = messages.find((m) => m.type === MESSAGE.fillValue);
  if (!message || message.shared) return undefined;
  const { body } = message;
  const version = body.version(1, 2, 3);
  let defined: boolean;
  if (version === 3) {
    defined = (body.u8() & 0x20) !== 0;
  } else {
    body.skip(2);
    defined = body.u8() !== 0;
  }
  if (!defined || body.left < 4) return undefined;
  const size = body.u32();
  return size === elementBytes ? body.take(size) : undefined;
}
