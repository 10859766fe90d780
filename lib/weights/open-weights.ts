import { stat } from 'node:fs/promises';
import path from 'node:path';
import { FoveaError } from '../errors.js';
import { fileKind } from './file-kind.js';
import { SafetensorsFile } from './safetensors.js';
import { INDEX_SUFFIX, openSafetensors } from './safetensors-shards.js';
import { SafetensorsWeights } from './safetensors-weights.js';
import type { WeightFile } from './weight-file.js';

/**
 * Opens a file with weights, of whichever format its content is. Readers are imported when they are needed.
 *
 * @throws FoveaError ERR_NOT_FOUND, ERR_FILE, ERR_UNSUPPORTED
 */
export async function openWeights(file: string): Promise<WeightFile> {
  const kind = await fileKind(file, 'loadWeights');
  switch (kind) {
    case 'safetensors':
      return new SafetensorsWeights(await SafetensorsFile.open(file));
    case 'hdf5':
    case 'zip': {
      const { openKerasWeights } = await import('./keras/load.js');
      return openKerasWeights(file, kind);
    }
    case 'json': {
      if (file.endsWith(INDEX_SUFFIX)) return new SafetensorsWeights(await openSafetensors(file));
      const { openTfjsWeights } = await import('./tfjs/load.js');
      return openTfjsWeights(file);
    }
    case 'pickle':
      throw new FoveaError(`${file}: expected weights of safetensors, Keras or tfjs, received a file of PyTorch`, {
        code: 'ERR_UNSUPPORTED',
        op: 'loadWeights',
      });
    case 'folder':
      return openWeights(await weightsInFolder(file));
  }
}

/** Files of weights that a model in a folder may have, by what writes them. */
const IN_FOLDER = [
  ...['weights.safetensors', 'weights.safetensors.index.json', 'model.safetensors', 'model.safetensors.index.json'],
  ...['model.weights.h5', 'model.json'],
];

async function weightsInFolder(folder: string): Promise<string> {
  for (const name of IN_FOLDER) {
    const file = path.join(folder, name);
    if (
      await stat(file).then(
        (stats) => stats.isFile(),
        () => false,
      )
    )
      return file;
  }
  throw new FoveaError(`${folder}: expected a folder with ${IN_FOLDER.join(', ')}, received one without`, {
    code: 'ERR_NOT_FOUND',
    op: 'loadWeights',
  });
}
