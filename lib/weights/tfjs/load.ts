import { readFile, stat } from 'node:fs/promises';
import { FoveaError } from '../../errors.js';
import type { Layer } from '../../layers/layer.js';
import { deserializeLayer, type CustomLayers } from '../../layers/registry.js';
import { Model } from '../../training/model.js';
import { restoreCompiled } from '../keras/compile-config.js';
import { isRecord, parseJson, type Json } from '../keras/json.js';
import { readModelConfig } from '../keras/model-config.js';
import { assignWeights } from '../model-weights.js';
import type { WeightFile } from '../weight-file.js';
import { readManifest, refuse } from './manifest.js';
import { TfjsWeights } from './weights.js';

/** A `model.json` larger than this is none. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** The weights of a tfjs layers-model, by its `model.json`. */
export async function openTfjsWeights(file: string): Promise<WeightFile> {
  return TfjsWeights.open(file, readManifest(file, (await readModelJson(file))['weightsManifest']));
}

/**
 * Loads a tfjs layers-model: `model.json` with a topology of Keras 2 or 3, and the files of weights beside it, quantised
 * or not.
 *
 * @throws FoveaError ERR_NOT_FOUND that lists all layers that are not known; ERR_FILE, ERR_SHAPE, ERR_UNSUPPORTED
 */
export async function loadTfjsModel(file: string, customLayers: CustomLayers): Promise<Layer> {
  const json = await readModelJson(file);
  const { modelTopology: topology } = json;
  if (json['format'] === 'graph-model') {
    throw new FoveaError(`${file}: expected a tfjs layers-model, received a graph-model, which has no layers`, {
      code: 'ERR_UNSUPPORTED',
      op: 'loadModel',
    });
  }
  if (!isRecord(topology)) throw refuse(file, 'expected a modelTopology');
  const config = isRecord(topology['model_config']) ? topology['model_config'] : topology;
  const model = deserializeLayer(readModelConfig(file, config, customLayers), customLayers);
  await using weights = await TfjsWeights.open(file, readManifest(file, json['weightsManifest']));
  await assignWeights(weights, model);
  const training = topology['training_config'] ?? json['trainingConfig'];
  if (model instanceof Model && isRecord(training)) restoreCompiled(file, model, training);
  return model;
}

async function readModelJson(file: string): Promise<Json> {
  const { size } = await stat(file);
  if (size > MAX_JSON_BYTES) throw refuse(file, `expected at most ${MAX_JSON_BYTES} bytes, received ${size}`);
  return parseJson(file, await readFile(file, 'utf8'));
}
