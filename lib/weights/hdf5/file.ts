import { FoveaError } from '../../errors.js';
import { corrupt } from './errors.js';
import type { Hdf5Context } from './cursor.js';
import { readAttributes, type Hdf5Attribute } from './attributes.js';
import { Hdf5Dataset } from './dataset.js';
import { readLinks, type Link } from './links.js';
import { MESSAGE, readObjectHeader, type Message } from './object-header.js';
import { FileSource, MemorySource, type ByteSource } from './source.js';
import { readSuperblock } from './superblock.js';

export type { Hdf5Attribute } from './attributes.js';
export { Hdf5Dataset } from './dataset.js';
export { isHdf5 } from './superblock.js';
export type { Hdf5Data } from './values.js';

const MAX_SOFT_LINKS = 16;
const MAX_OBJECTS = 1_000_000;

/** A folder in an HDF5 file. */
export class Hdf5Group {
  readonly kind = 'group';
  #links: Map<string, Link> | undefined;

  constructor(
    private readonly file: Hdf5File,
    private readonly context: Hdf5Context,
    /** From the root: `/layers/conv`. */
    readonly path: string,
    private readonly messages: readonly Message[],
  ) {}

  /** The names in it, in the order in which they were made when the file keeps it, else sorted. */
  get names(): string[] {
    return [...this.#read().keys()];
  }

  get attributes(): Map<string, Hdf5Attribute> {
    this.context.renew();
    return readAttributes(this.context, this.messages);
  }

  /** The group or dataset at a path from here; undefined when there is none. */
  get(path: string): Hdf5Group | Hdf5Dataset | undefined {
    return this.file.find(this, path, MAX_SOFT_LINKS);
  }

  /** @throws FoveaError ERR_NOT_FOUND */
  group(path: string): Hdf5Group {
    const found = this.get(path);
    if (found?.kind === 'group') return found;
    throw this.#missing('group', path);
  }

  /** @throws FoveaError ERR_NOT_FOUND */
  dataset(path: string): Hdf5Dataset {
    const found = this.get(path);
    if (found?.kind === 'dataset') return found;
    throw this.#missing('dataset', path);
  }

  /** @internal */
  link(name: string): Link | undefined {
    return this.#read().get(name);
  }

  #read(): Map<string, Link> {
    this.context.renew();
    return (this.#links ??= readLinks(this.context, this.messages));
  }

  #missing(kind: string, path: string): FoveaError {
    return new FoveaError(`${this.context.name}: expected a ${kind} "${path}" in ${this.path}, received none`, {
      code: 'ERR_NOT_FOUND',
      op: 'hdf5',
    });
  }
}

/**
 * An open HDF5 file, for reading. Our own reader of the format: the HDF5 library, compiled to WebAssembly, neither ends
 * nor can be stopped on some damaged files. Every size is checked before memory is asked for; links in circles end.
 *
 * Read are: groups of both generations, attributes, arrays of whole and floating-point numbers, booleans and text,
 * whole or in chunks, through deflate, shuffle and Fletcher's checksum.
 *
 * @see The HDF5 File Format Specification, version 3.0
 */
export class Hdf5File implements AsyncDisposable {
  readonly root: Hdf5Group;
  readonly #objects = new Map<number, readonly Message[]>();

  private constructor(
    private readonly source: ByteSource,
    private readonly context: Hdf5Context,
    root: number,
  ) {
    const made = this.#object(root, '/');
    if (made.kind !== 'group') throw corrupt(source.name, 'expected a group at its root, received a dataset');
    this.root = made;
  }

  /** @throws FoveaError ERR_NOT_FOUND, ERR_FILE */
  static async open(path: string): Promise<Hdf5File> {
    return Hdf5File.from(await FileSource.open(path));
  }

  /** @param source - closed with the file, or when it is none */
  static async from(source: ByteSource): Promise<Hdf5File> {
    try {
      return Hdf5File.#from(source);
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  /** @param name - for messages */
  static fromBytes(name: string, bytes: Uint8Array): Hdf5File {
    return Hdf5File.#from(new MemorySource(name, bytes));
  }

  static #from(source: ByteSource): Hdf5File {
    const { context, root } = readSuperblock(source);
    return new Hdf5File(source, context, root);
  }

  /** The path, for messages. */
  get name(): string {
    return this.source.name;
  }

  /** All groups and datasets, each once, groups before what is in them. */
  *walk(from: Hdf5Group = this.root): Generator<Hdf5Group | Hdf5Dataset> {
    const seen = new Set<number>();
    const open: (Hdf5Group | Hdf5Dataset)[] = [from];
    for (let object = open.pop(); object; object = open.pop()) {
      yield object;
      if (object.kind === 'dataset') continue;
      for (const name of object.names.reverse()) {
        const link = object.link(name);
        if (link?.kind !== 'object' || seen.has(link.address)) continue;
        if (seen.size >= MAX_OBJECTS) throw corrupt(this.name, `expected at most ${MAX_OBJECTS} objects`);
        seen.add(link.address);
        open.push(this.#object(link.address, join(object.path, name)));
      }
    }
  }

  async close(): Promise<void> {
    await this.source.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal */
  find(start: Hdf5Group, path: string, softLinks: number): Hdf5Group | Hdf5Dataset | undefined {
    let at: Hdf5Group | Hdf5Dataset = path.startsWith('/') ? this.root : start;
    for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
      if (at.kind === 'dataset') return undefined;
      const link = at.link(name);
      if (!link || link.kind === 'other') return undefined;
      if (link.kind === 'soft') {
        if (softLinks === 0) throw corrupt(this.name, `${at.path}: its links refer to each other in a circle`);
        const target = this.find(at, link.path, softLinks - 1);
        if (!target) return undefined;
        at = target;
      } else {
        at = this.#object(link.address, join(at.path, name));
      }
    }
    return at;
  }

  #object(address: number, path: string): Hdf5Group | Hdf5Dataset {
    this.context.renew();
    const known = this.#objects.get(address);
    const messages = known ?? readObjectHeader(this.context, address);
    if (!known) this.#objects.set(address, messages);
    const isDataset = messages.some(({ type }) => type === MESSAGE.layout);
    return isDataset
      ? new Hdf5Dataset(this.context, path, messages)
      : new Hdf5Group(this, this.context, path, messages);
  }
}

function join(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}
