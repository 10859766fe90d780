import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { FoveaError } from '../../errors.js';
import type { Layer } from '../../layers/layer.js';
import { deserializeLayer, type CustomLayers } from '../../layers/registry.js';
import { Model } from '../../training/model.js';
import { Hdf5File } from '../hdf5/file.js';
import { assignWeights } from '../model-weights.js';
import type { WeightFile } from '../weight-file.js';
import { KERAS_FILES, openArchive } from './archive.js';
import { restoreCompiled } from './compile-config.js';
import { kerasWeights } from './h5-weights.js';
import { badConfig, isRecord, parseJson, type Json } from './json.js';
import { readModelConfig } from './model-config.js';

/** The weights in a file of Keras: `.h5`, `.weights.h5` or `.keras`. */
export async function openKerasWeights(file: string, kind: 'hdf5' | 'zip'): Promise<WeightFile> {
  const opened = kind === 'hdf5' ? await Hdf5File.open(file) : (await openArchive(file)).weights;
  try {
    return kerasWeights(opened, file);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/**
 * Loads a whole model of Keras: a `.keras` file, or a `.h5` file that holds the architecture.
 *
 * @returns built, with its weights, compiled when its training configuration is known
 * @throws FoveaError ERR_NOT_FOUND that lists all layers that are not known; ERR_FILE, ERR_SHAPE, ERR_UNSUPPORTED
 */
export async function loadKerasModel(file: string, kind: 'hdf5' | 'zip', customLayers: CustomLayers): Promise<Layer> {
  if (kind === 'zip') {
    const { config, weights } = await openArchive(file);
    await using opened = weights;
    return await modelFrom(file, config, config['compile_config'], opened, customLayers);
  }
  await using opened = await Hdf5File.open(file);
  const { attributes } = opened.root;
  const text = textOf(attributes.get('model_config')?.data);
  if (text === undefined) {
    throw new FoveaError(`${file}: expected a model, received weights without an architecture (use loadWeights)`, {
      code: 'ERR_FILE',
      op: 'loadModel',
    });
  }
  const training = textOf(attributes.get('training_config')?.data);
  const compiled = training === undefined ? undefined : parseJson(`${file}: training_config`, training);
  return await modelFrom(file, parseJson(`${file}: model_config`, text), compiled, opened, customLayers);
}

/** Loads a `.keras` file that was unpacked into a folder. */
export async function loadKerasFolder(folder: string, customLayers: CustomLayers): Promise<Layer> {
  const file = path.join(folder, KERAS_FILES.config);
  const { size } = await stat(file);
  if (size > 64 * 1024 * 1024) throw badConfig(file, `expected at most 64 MiB, received ${size} bytes`);
  const config = parseJson(file, await readFile(file, 'utf8'));
  await using opened = await Hdf5File.open(path.join(folder, KERAS_FILES.weights));
  return await modelFrom(folder, config, config['compile_config'], opened, customLayers);
}

async function modelFrom(
  file: string,
  config: Json,
  compiled: unknown,
  weights: Hdf5File,
  customLayers: CustomLayers,
): Promise<Layer> {
  const model = deserializeLayer(readModelConfig(file, config, customLayers), customLayers);
  await assignWeights(kerasWeights(weights, file), model);
  if (model instanceof Model && isRecord(compiled)) restoreCompiled(file, model, compiled);
  return model;
}

function textOf(data: unknown): string | undefined {
  return Array.isArray(data) && typeof data[0] === 'string' ? data[0] : undefined;
}
