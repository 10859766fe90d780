import type { FileHandle } from 'node:fs/promises';
import { ZipDirectory } from '../zip-directory.js';
import { PickleEnds, readPickle, refuseTorch, type PickleValue } from './pickle.js';
import { TORCH_DTYPES, torchPickle, type TorchStorage } from './tensors.js';

/** The two formats of `torch.save`: what both come down to. */
export interface TorchArchive {
  /** The object that was saved. */
  readonly value: PickleValue;
  /** Where the bytes of each storage begin in the file; checked against the file's size and the storage's. */
  readonly positions: ReadonlyMap<TorchStorage, number>;
}

/** A pickle of tensors has some hundred bytes for each. */
const MAX_PICKLE_BYTES = 256 * 1024 * 1024;

/** Reads bytes that must be there. */
export async function readAt(file: string, handle: FileHandle, position: number, length: number): Promise<ArrayBuffer> {
  const bytes = new ArrayBuffer(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(new Uint8Array(bytes, done), 0, length - done, position + done);
    if (bytesRead === 0)
      throw refuseTorch(file, `expected ${length} bytes at ${position}, received ${done} (truncated?)`);
    done += bytesRead;
  }
  return bytes;
}

const bytesOf = ({ dtype, size }: TorchStorage): number => size * TORCH_DTYPES[dtype];

/** Opens what `torch.save` has written since PyTorch 1.6: a zip file with `data.pkl` and a file for each storage. */
export async function openZip(file: string, handle: FileHandle, fileBytes: number): Promise<TorchArchive> {
  const zip = await ZipDirectory.read(file, handle, fileBytes);
  // All lie in one folder, named like the file when it was written.
  const entries = new Map([...zip.entries].map(([name, entry]) => [name.replace(/^[^/]*\//, ''), entry]));
  const pickle = entries.get('data.pkl');
  if (!pickle) throw refuseTorch(file, 'expected a zip file of PyTorch, received one without data.pkl');
  if (entries.has('constants.pkl')) {
    throw refuseTorch(file, 'is a TorchScript program; save its state_dict instead: torch.save(m.state_dict(), file)');
  }
  if (pickle.bytes > MAX_PICKLE_BYTES) throw refuseTorch(file, `its data.pkl has ${pickle.bytes} bytes`);
  const order = entries.get('byteorder');
  if (order && order.bytes < 16) {
    const text = new TextDecoder().decode(await readAt(file, handle, await zip.positionOf(order), order.bytes));
    if (text !== 'little') throw refuseTorch(file, `expected little-endian numbers, received ${JSON.stringify(text)}`);
  }
  const bytes = new Uint8Array(await readAt(file, handle, await zip.positionOf(pickle), pickle.bytes));
  const options = torchPickle(file);
  const { value } = readPickle(bytes, 0, options);
  const positions = new Map<TorchStorage, number>();
  for (const storage of options.storages.values()) {
    const entry = entries.get(`data/${storage.key}`);
    if (!entry) throw refuseTorch(file, `has no storage ${storage.key}`);
    if (entry.bytes !== bytesOf(storage)) {
      throw refuseTorch(file, `storage ${storage.key}: expected ${bytesOf(storage)} bytes, received ${entry.bytes}`);
    }
    positions.set(storage, await zip.positionOf(entry));
  }
  return { value, positions };
}

/** The first pickle of the older format: 0x1950a86a20f9469cfc6c as a long. */
const LEGACY_MAGIC = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

/** Whether a file begins like one of the older format. */
export function isLegacy(head: Uint8Array): boolean {
  return LEGACY_MAGIC.every((byte, i) => head[i] === byte);
}

/** How much of an old file is searched for the end of its pickles at first. */
const FIRST_PIECE = 1024 * 1024;

/**
 * Opens what `torch.save` wrote before PyTorch 1.6 (many official weights are such files): five pickles (magic number,
 * version, system, object, names of storages), then each storage with its length in front.
 */
export async function openLegacy(file: string, handle: FileHandle, fileBytes: number): Promise<TorchArchive> {
  // Where the pickles end is known once they are read; a piece that is too short is tried again, larger.
  for (let length = Math.min(fileBytes, FIRST_PIECE); ; length = Math.min(fileBytes, 8 * length)) {
    const head = new Uint8Array(await readAt(file, handle, 0, length));
    try {
      return await readLegacy(file, handle, fileBytes, head);
    } catch (error) {
      if (!(error instanceof PickleEnds) || length === fileBytes || length >= MAX_PICKLE_BYTES) throw error;
    }
  }
}

async function readLegacy(
  file: string,
  handle: FileHandle,
  fileBytes: number,
  head: Uint8Array,
): Promise<TorchArchive> {
  const options = torchPickle(file);
  const version = readPickle(head, LEGACY_MAGIC.length, options);
  if (version.value !== 1001) throw refuseTorch(file, 'expected version 1001 of the older PyTorch format');
  const system = readPickle(head, version.end, options);
  if (!(system.value instanceof Map) || system.value.get('little_endian') !== true) {
    throw refuseTorch(file, 'expected little-endian numbers');
  }
  const object = readPickle(head, system.end, options);
  const keys = readPickle(head, object.end, options);
  if (!Array.isArray(keys.value) || !keys.value.every((key) => typeof key === 'string')) {
    throw refuseTorch(file, 'expected a list of storages');
  }
  // Lengths count elements, whose width the tensors' descriptions tell.
  const positions = new Map<TorchStorage, number>();
  let position = keys.end;
  for (const key of keys.value as string[]) {
    const storage = options.storages.get(key);
    if (!storage) throw refuseTorch(file, `storage ${key} belongs to no tensor`);
    const count = new DataView(await readAt(file, handle, position, 8)).getBigInt64(0, true);
    if (count !== BigInt(storage.size)) {
      throw refuseTorch(file, `storage ${key}: expected ${storage.size} elements, received ${count}`);
    }
    positions.set(storage, position + 8);
    position += 8 + bytesOf(storage);
    if (position > fileBytes) throw refuseTorch(file, `storage ${key} reaches past the end of the file (truncated?)`);
  }
  return { value: object.value, positions };
}
