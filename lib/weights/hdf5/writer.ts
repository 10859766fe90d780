import { FoveaError } from '../../errors.js';
import type { DType } from '../../tensor/dtype.js';
import type { NamedArray } from '../safetensors.js';
import { HDF5_SIGNATURE } from './superblock.js';
import { Bytes } from './bytes.js';

/** What a group or dataset is marked with: text, or a list of texts. */
export type WrittenAttributes = Readonly<Record<string, string | readonly string[]>>;

/** A group to be written. */
export interface WrittenGroup {
  readonly attributes?: WrittenAttributes;
  /** By name; no names with a slash. */
  readonly children: ReadonlyMap<string, WrittenGroup | NamedArray>;
}

/** Half the entries of a node of symbols; as few as that may be in one. */
const LEAF_K = 16;
/** Half the children of a node of a group's tree; more for larger groups. */
const LEAST_INTERNAL_K = 16;
const NONE = 0xffffffffffffffffn;
const MESSAGE_LIMIT = 64 * 1024;

/**
 * The pieces of an HDF5 file, in order, in the oldest layout (superblock 0, symbol tables, version 1 headers), which
 * every version of the HDF5 library reads: whole arrays, little-endian, and attributes of variable-length UTF-8 text.
 * Arrays are not copied.
 *
 * @see The HDF5 File Format Specification, version 3.0
 * @throws FoveaError ERR_UNSUPPORTED for 16-bit floats: HDF5 has no bfloat16, and no variable of a model is float16
 */
export function encodeHdf5(file: string, root: WrittenGroup): Uint8Array[] {
  const writer = new Writer(file, Math.max(LEAST_INTERNAL_K, Math.ceil(largestGroup(root) / (4 * LEAF_K))));
  return writer.write(root);
}

function largestGroup({ children }: WrittenGroup): number {
  let most = children.size;
  for (const child of children.values()) if (isGroup(child)) most = Math.max(most, largestGroup(child));
  return most;
}

function isGroup(value: WrittenGroup | NamedArray): value is WrittenGroup {
  return 'children' in value;
}

/** Where a group's parts are. */
interface GroupPlace {
  readonly header: number;
  readonly tree: number;
  readonly heap: number;
}

const SUPERBLOCK_BYTES = 96;

class Writer {
  /** Behind the superblock, which is known last. */
  readonly #pieces: Uint8Array[] = [];
  #end = SUPERBLOCK_BYTES;

  constructor(
    private readonly file: string,
    private readonly internalK: number,
  ) {}

  write(root: WrittenGroup): Uint8Array[] {
    const place = this.#group(root);
    return [this.#superblock(place), ...this.#pieces];
  }

  #superblock({ header, tree, heap }: GroupPlace): Uint8Array {
    const out = new Bytes();
    out.bytes(HDF5_SIGNATURE);
    out.u8(0, 0, 0, 0, 0, 8, 8, 0).u16(LEAF_K, this.internalK).u32(0);
    out.u64(0, NONE, this.#end, NONE);
    // The root's entry says where its tree and heap are.
    out.u64(0, header).u32(1, 0).u64(tree, heap);
    return out.done();
  }

  /** Writes bytes at the next multiple of 8 and returns where. */
  #append(bytes: Uint8Array): number {
    const at = this.#end;
    this.#pieces.push(bytes);
    const rest = (8 - (bytes.length % 8)) % 8;
    if (rest > 0) this.#pieces.push(new Uint8Array(rest));
    this.#end += bytes.length + rest;
    return at;
  }

  #group({ attributes = {}, children }: WrittenGroup): GroupPlace {
    const encoder = new TextEncoder();
    const entries = [...children]
      .map(([name, child]) => {
        const bytes = encoder.encode(name);
        if (name === '' || name.includes('/') || bytes.includes(0))
          throw this.#refuse(`a name ${JSON.stringify(name)}`);
        return { bytes, header: isGroup(child) ? this.#group(child).header : this.#dataset(child) };
      })
      .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
    // Names: an empty one first, each with a zero behind it, at multiples of 8.
    const names = new Bytes();
    names.u64(0);
    const placed = entries.map(({ bytes, header }) => {
      const offset = names.length;
      names.bytes(bytes).u8(0).align8();
      return { offset, header };
    });
    const data = this.#append(names.done());
    // 1 for "nothing is free".
    const heap = this.#append(new Bytes().text('HEAP').u8(0, 0, 0, 0).u64(names.length, 1, data).done());
    const tree = this.#append(this.#tree(placed));
    const header = this.#header([[0x11, new Bytes().u64(tree, heap).done()], ...this.#attributes(attributes)]);
    return { header, tree, heap };
  }

  #tree(entries: readonly { offset: number; header: number }[]): Uint8Array {
    const perNode = 2 * LEAF_K;
    const nodes: { address: number; last: number }[] = [];
    for (let i = 0; i < entries.length; i += perNode) {
      const part = entries.slice(i, i + perNode);
      const node = new Bytes().text('SNOD').u8(1, 0).u16(part.length);
      for (const { offset, header } of part) node.u64(offset, header).u32(0, 0).u64(0, 0);
      nodes.push({ address: this.#append(node.padTo(8 + perNode * 40).done()), last: part.at(-1)!.offset });
    }
    const tree = new Bytes().text('TREE').u8(0, 0).u16(nodes.length).u64(NONE, NONE, 0);
    for (const { address, last } of nodes) tree.u64(address, last);
    return tree.padTo(24 + (4 * this.internalK + 1) * 8).done();
  }

  #dataset({ dtype, shape, data }: NamedArray): number {
    const type = TYPES[dtype];
    if (!type) throw this.#refuse(`elements of ${dtype}`);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const address = bytes.length === 0 ? NONE : this.#append(bytes);
    return this.#header([
      [0x01, dataspace(shape)],
      [0x03, type()],
      // Room is made late, nothing is filled in.
      [0x05, new Bytes().u8(2, 2, 2, 0).done()],
      [0x08, new Bytes().u8(3, 1).u64(address, bytes.length).done()],
    ]);
  }

  #attributes(attributes: WrittenAttributes): [type: number, body: Uint8Array][] {
    return Object.entries(attributes).map(([name, value]) => {
      const texts = typeof value === 'string' ? [value] : value;
      const space = dataspace(typeof value === 'string' ? [] : [value.length]);
      const type = variableText();
      const nameBytes = new Bytes().utf8(name).u8(0).done();
      const body = new Bytes().u8(1, 0).u16(nameBytes.length, type.length, space.length);
      body.bytes(nameBytes).align8().bytes(type).align8().bytes(space).align8();
      for (const text of texts) body.bytes(this.#text(text));
      if (body.length >= MESSAGE_LIMIT) throw this.#refuse(`an attribute "${name}" of ${texts.length} texts`);
      return [0x0c, body.done()];
    });
  }

  /** Puts a text into a heap of its own; what stands for it elsewhere. */
  #text(text: string): Uint8Array {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length === 0) return new Bytes().u32(0).u64(0).u32(0).done();
    const size = Math.max(4096, 16 + 16 + Math.ceil(bytes.length / 8) * 8 + 16);
    const heap = new Bytes().text('GCOL').u8(1, 0, 0, 0).u64(size);
    heap.u16(1, 1).u32(0).u64(bytes.length).bytes(bytes).align8();
    // Object 0 is what is free, its own header included: a reader goes on behind it.
    const free = size - heap.length;
    heap.u16(0, 0).u32(0).u64(free);
    return new Bytes()
      .u32(bytes.length)
      .u64(this.#append(heap.padTo(size).done()))
      .u32(1)
      .done();
  }

  #header(messages: readonly (readonly [type: number, body: Uint8Array])[]): number {
    const body = new Bytes();
    for (const [type, content] of messages) {
      const size = Math.ceil(content.length / 8) * 8;
      body.u16(type, size).u8(0, 0, 0, 0).bytes(content).align8();
    }
    const head = new Bytes().u8(1, 0).u16(messages.length).u32(1, body.length, 0);
    return this.#append(head.bytes(body.done()).done());
  }

  #refuse(what: string): FoveaError {
    return new FoveaError(`${this.file}: HDF5: ${what} cannot be written`, { code: 'ERR_UNSUPPORTED', op: 'hdf5' });
  }
}

function dataspace(shape: readonly number[]): Uint8Array {
  return new Bytes()
    .u8(1, shape.length, 0, 0)
    .u32(0)
    .u64(...shape)
    .done();
}

/** Little-endian whole numbers; bit 3 for signed ones. */
function integer(size: number, signed: boolean): Uint8Array {
  return new Bytes()
    .u8(0x10, signed ? 8 : 0, 0, 0)
    .u32(size)
    .u16(0, 8 * size)
    .done();
}

/** Little-endian IEEE 754: where sign, exponent and fraction are, how large they are, and the bias. */
function float(size: number, exponentBits: number, fractionBits: number, bias: number): Uint8Array {
  const out = new Bytes()
    .u8(0x11, 0x20, 8 * size - 1, 0)
    .u32(size)
    .u16(0, 8 * size);
  return out.u8(fractionBits, exponentBits, 0, fractionBits).u32(bias).done();
}

/** An enumeration of FALSE and TRUE, as h5py writes booleans. */
function boolean(): Uint8Array {
  const out = new Bytes().u8(0x18, 2, 0, 0).u32(1).bytes(integer(1, true));
  return out.text('FALSE').u8(0, 0, 0).text('TRUE').u8(0, 0, 0, 0).u8(0, 1).done();
}

/** UTF-8 text of any length. */
function variableText(): Uint8Array {
  const base = new Bytes().u8(0x10, 0, 0, 0).u32(1).u16(0, 8).done();
  return new Bytes().u8(0x19, 1, 1, 0).u32(16).bytes(base).done();
}

const TYPES: Readonly<Partial<Record<DType, () => Uint8Array>>> = {
  float32: () => float(4, 8, 23, 127),
  float64: () => float(8, 11, 52, 1023),
  int32: () => integer(4, true),
  uint8: () => integer(1, false),
  bool: boolean,
};
