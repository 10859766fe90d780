import { open } from 'node:fs/promises';
import { FoveaError } from '../../errors.js';
import { Hdf5File } from '../hdf5/file.js';
import { FileSource, MemorySource } from '../hdf5/source.js';
import { ZipDirectory } from '../zip-directory.js';
import { parseJson, type Json } from './json.js';

/** The files in a `.keras` file. */
export const KERAS_FILES = {
  metadata: 'metadata.json',
  config: 'config.json',
  weights: 'model.weights.h5',
} as const;
/** A configuration larger than this is none. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;
/** Weights that another program compressed are unpacked in memory, up to this size. */
const MAX_UNPACKED_BYTES = 2 ** 31;

/** What is in a `.keras` file. */
export interface KerasArchive {
  readonly config: Json;
  readonly weights: Hdf5File;
}

/**
 * Opens a `.keras` file: a zip file of the configuration and an HDF5 file. Keras stores them uncompressed, and the HDF5
 * file is read where it lies; one that another program deflated is unpacked in memory.
 *
 * @throws FoveaError ERR_FILE
 */
export async function openArchive(path: string): Promise<KerasArchive> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const zip = await ZipDirectory.open(path, handle, size);
    const entry = (name: string) => {
      const found = zip.entries.get(name);
      if (!found) throw refuse(path, `expected a .keras file, received a zip file without ${name}`);
      return found;
    };
    const config = entry(KERAS_FILES.config);
    const weights = entry(KERAS_FILES.weights);
    const text = new TextDecoder().decode(await zip.read(config, MAX_JSON_BYTES));
    const json = parseJson(`${path}: ${config.name}`, text);
    if (weights.packing === 'stored') {
      const source = new FileSource(path, handle, weights.bytes, await zip.positionOf(weights));
      return { config: json, weights: await Hdf5File.from(source) };
    }
    const unpacked = new MemorySource(path, await zip.read(weights, MAX_UNPACKED_BYTES));
    const file = await Hdf5File.from(unpacked);
    await handle.close();
    return { config: json, weights: file };
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
}

function refuse(path: string, why: string): FoveaError {
  return new FoveaError(`${path}: ${why}`, { code: 'ERR_FILE', op: 'keras' });
}
