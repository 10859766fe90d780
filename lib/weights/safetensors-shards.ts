import { readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { FoveaError } from '../errors.js';
import { bytesPerElement, type DType } from '../tensor/dtype.js';
import { writeJsonAtomic } from '../util/atomic-file.js';
import { refuse, type SafetensorsEntry } from './safetensors-header.js';
import type { Tensor } from '../tensor/tensor.js';
import { SafetensorsFile, writeSafetensors, type NamedArray } from './safetensors.js';

/** Tensors in one safetensors file, or in several with an index. */
export interface SafetensorsSource extends AsyncDisposable {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  read(name: string): Promise<NamedArray>;
  /** See {@link SafetensorsFile.load}. */
  load(name: string, dtype: DType, device: string): Promise<Tensor> | undefined;
  close(): Promise<void>;
}

/** How the names of indices end: `model.safetensors.index.json`. */
export const INDEX_SUFFIX = '.safetensors.index.json';
/** An index larger than this is none. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024;

/** What an index says: in which file each tensor is. */
interface ShardIndex {
  readonly metadata: Readonly<Record<string, string>>;
  readonly shards: ReadonlyMap<string, string>;
}

/** Opens a safetensors file, or an index (`model.safetensors.index.json`) with all its files. */
export async function openSafetensors(file: string): Promise<SafetensorsSource> {
  return file.endsWith(INDEX_SUFFIX) ? await ShardedSafetensors.open(file) : await SafetensorsFile.open(file);
}

/** The tensors of several safetensors files under one index, as Hugging Face's libraries write them. */
export class ShardedSafetensors implements SafetensorsSource {
  private constructor(
    readonly path: string,
    readonly metadata: Readonly<Record<string, string>>,
    readonly entries: ReadonlyMap<string, SafetensorsEntry>,
    private readonly owners: ReadonlyMap<string, SafetensorsFile>,
    private readonly files: readonly SafetensorsFile[],
  ) {}

  /**
   * Opens an index and every file it names, which must lie beside it and hold the tensors it says, and no others.
   *
   * @throws FoveaError ERR_NOT_FOUND, ERR_FILE
   */
  static async open(file: string): Promise<ShardedSafetensors> {
    const { metadata, shards } = await readIndex(file);
    const files = new Map<string, SafetensorsFile>();
    try {
      for (const name of new Set(shards.values())) {
        files.set(name, await SafetensorsFile.open(path.join(path.dirname(file), name)));
      }
      const entries = new Map<string, SafetensorsEntry>();
      const owners = new Map<string, SafetensorsFile>();
      for (const [name, shard] of shards) {
        const owner = files.get(shard)!;
        const entry = owner.entries.get(name);
        if (!entry) throw refuse(file, `expected tensor "${name}" in ${shard}, where it is not`);
        entries.set(name, entry);
        owners.set(name, owner);
      }
      for (const [shard, { entries: held }] of files) {
        const stray = [...held.keys()].find((name) => shards.get(name) !== shard);
        if (stray !== undefined) throw refuse(file, `says nothing of tensor "${stray}" in ${shard}`);
      }
      const described = [...files.values()][0]?.metadata ?? {};
      return new ShardedSafetensors(file, { ...described, ...metadata }, entries, owners, [...files.values()]);
    } catch (error) {
      await Promise.all([...files.values()].map((opened) => opened.close()));
      throw error;
    }
  }

  async read(name: string): Promise<NamedArray> {
    const owner = this.owners.get(name);
    if (owner) return await owner.read(name);
    throw new FoveaError(`${this.path}: has no tensor "${name}"`, { code: 'ERR_NOT_FOUND', op: 'safetensors' });
  }

  load(name: string, dtype: DType, device: string): Promise<Tensor> | undefined {
    return this.owners.get(name)?.load(name, dtype, device);
  }

  async close(): Promise<void> {
    await Promise.all(this.files.map((file) => file.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function readIndex(file: string): Promise<ShardIndex> {
  const text = await stat(file).then(
    async ({ size }) => {
      if (size > MAX_INDEX_BYTES) throw refuse(file, `expected at most ${MAX_INDEX_BYTES} bytes, received ${size}`);
      return await readFile(file, 'utf8');
    },
    (cause: Error) => {
      throw new FoveaError(`cannot read ${file}: ${cause.message}`, {
        code: 'ERR_NOT_FOUND',
        op: 'safetensors',
        cause,
      });
    },
  );
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw refuse(file, `expected JSON: ${(cause as Error).message}`, cause);
  }
  const { weight_map: map, metadata } = (json ?? {}) as { weight_map?: unknown; metadata?: unknown };
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw refuse(file, 'expected a weight_map');
  const shards = new Map<string, string>();
  for (const [name, shard] of Object.entries(map as Record<string, unknown>)) {
    // A name, never a way to another folder.
    if (typeof shard !== 'string' || shard !== path.basename(shard) || !/^[^\\/:]+\.safetensors$/.test(shard)) {
      throw refuse(
        file,
        `tensor "${name}": expected the name of a safetensors file, received ${JSON.stringify(shard)}`,
      );
    }
    shards.set(name, shard);
  }
  const texts = Object.entries((metadata ?? {}) as Record<string, unknown>).filter(
    ([, value]) => typeof value === 'string',
  );
  return { metadata: Object.fromEntries(texts) as Record<string, string>, shards };
}

/**
 * Writes tensors to safetensors files of a limited size, with an index that names them; where one file is enough, that
 * alone. The index is written last, and files of an earlier one are not overwritten but removed afterwards: a process
 * killed at any moment leaves the old tensors or the new ones.
 *
 * @param file - `model.safetensors`; the index becomes `model.safetensors.index.json`
 * @param maxShardBytes - of the tensors of one file; one that is larger alone gets a file of its own
 * @returns the file or the index
 */
export async function writeShardedSafetensors(
  file: string,
  tensors: ReadonlyMap<string, NamedArray>,
  maxShardBytes: number,
  metadata: Readonly<Record<string, string>> = {},
): Promise<string> {
  if (!file.endsWith('.safetensors') || !(maxShardBytes >= 1)) {
    throw new FoveaError(
      `safetensors: expected a name that ends in .safetensors and a limit of at least 1 byte, received ${file}, ${maxShardBytes}`,
      { code: 'ERR_ARGUMENT', op: 'safetensors', received: maxShardBytes },
    );
  }
  const parts = split(tensors, maxShardBytes);
  const index = `${file}.index.json`;
  const earlier = await readIndex(index).then(
    ({ shards }) => new Set(shards.values()),
    () => new Set<string>(),
  );
  const kept = new Set<string>();
  if (parts.length <= 1) {
    await writeSafetensors(file, tensors, metadata);
    await rm(index, { force: true });
    kept.add(path.basename(file));
  } else {
    const map: Record<string, string> = {};
    for (const [i, part] of parts.entries()) {
      const name = await freeName(file, i + 1, parts.length);
      await writeSafetensors(path.join(path.dirname(file), name), part, metadata);
      for (const tensor of part.keys()) map[tensor] = name;
      kept.add(name);
    }
    const total = [...tensors.values()].reduce((sum, tensor) => sum + bytesOf(tensor), 0);
    await writeJsonAtomic(index, { metadata: { total_size: total, ...metadata }, weight_map: map });
    if (!kept.has(path.basename(file))) await rm(file, { force: true });
  }
  for (const name of earlier) if (!kept.has(name)) await rm(path.join(path.dirname(file), name), { force: true });
  return parts.length <= 1 ? file : index;
}

const bytesOf = ({ dtype, data }: NamedArray): number => data.length * bytesPerElement(dtype);

function split(tensors: ReadonlyMap<string, NamedArray>, maxBytes: number): Map<string, NamedArray>[] {
  const parts: Map<string, NamedArray>[] = [];
  let bytes = Infinity;
  for (const [name, tensor] of tensors) {
    const size = bytesOf(tensor);
    if (bytes + size > maxBytes) {
      parts.push(new Map());
      bytes = 0;
    }
    parts.at(-1)!.set(name, tensor);
    bytes += size;
  }
  return parts;
}

/** `model-00001-of-00002.safetensors`, with a number behind it while there is a file of that name. */
async function freeName(file: string, part: number, of: number): Promise<string> {
  const digits = (n: number): string => String(n).padStart(5, '0');
  const stem = `${path.basename(file, '.safetensors')}-${digits(part)}-of-${digits(of)}`;
  for (let i = 0; ; i++) {
    const name = `${stem}${i === 0 ? '' : `-${i}`}.safetensors`;
    const taken = await stat(path.join(path.dirname(file), name)).catch(() => undefined);
    if (!taken) return name;
  }
}
