import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { FoveaError } from '../errors.js';
import { deserializeLayer, serializeLayer, type CustomLayers, type SerializedLayer } from '../layers/registry.js';
import type { Layer } from '../layers/layer.js';
import { writeJsonAtomic } from '../util/atomic-file.js';
import { assignFrom, namedWeights, readVariables, type Weighted } from './model-weights.js';
import { SafetensorsFile, writeSafetensors } from './safetensors.js';

const FORMAT = 'fovea-model-1';
/** The files of a model in a folder. */
export const MODEL_FILES = { architecture: 'model.json', weights: 'weights.safetensors' } as const;
/** A model.json larger than this is none. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** What `model.json` holds. */
interface ModelJson {
  readonly format: string;
  readonly model: SerializedLayer;
}

/**
 * Saves a model: architecture and weights.
 *
 * A path that ends in `.safetensors` makes one file, anything else a folder with `model.json` (the architecture, to be
 * read by people too) and `weights.safetensors`. The weights file holds the architecture as well and is replaced
 * atomically, so that a process killed at any moment leaves the new model or the one before, never a mixture.
 *
 * @param model - built
 */
export async function saveModel(model: Weighted, target: string): Promise<void> {
  const json: ModelJson = { format: FORMAT, model: serializeLayer(model as Weighted & Layer) };
  const named = namedWeights(model);
  const tensors = await readVariables(named);
  const metadata = { format: FORMAT, model: JSON.stringify(json.model), order: JSON.stringify([...named.keys()]) };
  if (target.endsWith('.safetensors')) {
    await writeSafetensors(target, tensors, metadata);
    return;
  }
  await writeSafetensors(path.join(target, MODEL_FILES.weights), tensors, metadata);
  await writeJsonAtomic(path.join(target, MODEL_FILES.architecture), json);
}

/**
 * Loads what {@link saveModel} wrote.
 *
 * @param source - the folder or the file
 * @param customLayers - classes by name, for models with layers that were not registered
 * @returns a model of the class that was saved, with its weights
 * @throws FoveaError ERR_NOT_FOUND; ERR_FILE for what is no model; ERR_SHAPE that lists every weight that does not fit
 */
export async function loadModel<M extends Layer = Layer>(source: string, customLayers: CustomLayers = {}): Promise<M> {
  const folder = await isFolder(source);
  const file = folder ? path.join(source, MODEL_FILES.weights) : source;
  await using opened = await SafetensorsFile.open(file);
  const text = opened.metadata['model'];
  const json =
    text === undefined && folder ? await readModelJson(path.join(source, MODEL_FILES.architecture)) : parse(file, text);
  const model = deserializeLayer(json, customLayers);
  await assignFrom(opened, model, file);
  return model as M;
}

async function isFolder(source: string): Promise<boolean> {
  try {
    return (await stat(source)).isDirectory();
  } catch (cause) {
    throw new FoveaError(`cannot read ${source}: ${(cause as Error).message}`, {
      code: 'ERR_NOT_FOUND',
      op: 'loadModel',
      cause,
    });
  }
}

/** For folders whose weights came from elsewhere and do not name the architecture. */
async function readModelJson(file: string): Promise<SerializedLayer> {
  const { size } = await stat(file).catch((cause: Error) => {
    throw new FoveaError(`cannot read ${file}: ${cause.message}`, { code: 'ERR_NOT_FOUND', op: 'loadModel', cause });
  });
  if (size > MAX_JSON_BYTES)
    throw new FoveaError(`${file}: expected at most ${MAX_JSON_BYTES} bytes, received ${size}`, {
      code: 'ERR_FILE',
      op: 'loadModel',
    });
  const text = await readFile(file, 'utf8');
  const json = parse<Partial<ModelJson> | null>(file, text);
  if (json?.format !== FORMAT || !json.model) {
    throw new FoveaError(`${file}: expected a model of format ${FORMAT}, received ${String(json?.format)}`, {
      code: 'ERR_FILE',
      op: 'loadModel',
    });
  }
  return json.model;
}

function parse<T = SerializedLayer>(file: string, text: string | undefined): T {
  if (text === undefined) {
    throw new FoveaError(`${file}: expected a model, received weights without an architecture (use loadWeights)`, {
      code: 'ERR_FILE',
      op: 'loadModel',
    });
  }
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new FoveaError(`${file}: expected JSON: ${(cause as Error).message}`, {
      code: 'ERR_FILE',
      op: 'loadModel',
      cause,
    });
  }
}
