import { open } from 'node:fs/promises';
import { FoveaError } from '../../errors.js';
import { Hdf5File } from '../hdf5/file.js';
import { FileSource } from '../hdf5/source.js';
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

/** What is in a `.keras` file. */
export interface KerasArchive {
  readonly config: Json;
  readonly weights: Hdf5File;
}

/**
 * Opens a `.keras` file: a zip file, stored uncompressed, of the configuration and an HDF5 file, which is read where it
 * lies.
 *
 * @throws FoveaError ERR_FILE
 */
export async function openArchive(path: string): Promise<KerasArchive> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const zip = await ZipDirectory.read(path, handle, size);
    const entry = (name: string) => {
      const found = zip.entries.get(name);
      if (!found) throw refuse(path, `expected a .keras file, received a zip file without ${name}`);
      return found;
    };
    const config = entry(KERAS_FILES.config);
    const weights = entry(KERAS_FILES.weights);
    if (config.bytes > MAX_JSON_BYTES) {
      throw refuse(path, `${config.name}: expected at most ${MAX_JSON_BYTES} bytes, received ${config.bytes}`);
    }
    const source = new FileSource(path, handle, size);
    const text = new TextDecoder().decode(await source.load(await zip.positionOf(config), config.bytes));
    const json = parseJson(`${path}: ${config.name}`, text);
    const start = await zip.positionOf(weights);
    return { config: json, weights: await Hdf5File.from(new FileSource(path, handle, weights.bytes, start)) };
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
}

function refuse(path: string, why: string): FoveaError {
  return new FoveaError(`${path}: ${why}`, { code: 'ERR_FILE', op: 'keras' });
}
