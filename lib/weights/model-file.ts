import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { currentDevice } from '../backends/registry.js';
import { FoveaError } from '../errors.js';
import { deserializeLayer, serializeLayer, type CustomLayers, type SerializedLayer } from '../layers/registry.js';
import type { Layer } from '../layers/layer.js';
import { writeJsonAtomic } from '../util/atomic-file.js';
import { fileKind } from './file-kind.js';
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
 * Saves a model: architecture and weights, atomically. The end of the name tells the format:
 *
 * - `.keras` and `.h5`: files that Keras 3 loads (without the optimizer's state);
 * - `.safetensors`: one file of our own;
 * - anything else: a folder with `model.json` (the architecture, to be read by people too) and `weights.safetensors`. The
 *   weights file holds the architecture as well, so that a process killed at any moment leaves the new model or the one
 *   before, never a mixture.
 *
 * @param model - built
 * @throws FoveaError ERR_UNSUPPORTED for layers that Keras has no way to say
 */
export async function saveModel(model: Weighted, target: string): Promise<void> {
  if (/\.(keras|h5|hdf5)$/.test(target)) {
    const { saveKerasModel } = await import('./keras/save.js');
    return saveKerasModel(model, target);
  }
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
 * Loads a whole model: what {@link saveModel} wrote, `.keras` and `.h5` files of Keras 2 and 3, and the `model.json` of a
 * tfjs layers-model or the folder it is in. The content tells the format, not the name.
 *
 * @param source - the folder or the file
 * @param customLayers - classes by name, for models with layers that were not registered
 * @returns a model of the class that was saved, with its weights; compiled, when the file says how and all of it is known
 * @throws FoveaError ERR_NOT_FOUND, also for layers that are not known, all of which are listed; ERR_FILE for what is no
 *   model; ERR_SHAPE that lists every weight that does not fit
 */
export async function loadModel<M extends Layer = Layer>(source: string, customLayers: CustomLayers = {}): Promise<M> {
  return (await loadAny(source, customLayers)) as M;
}

async function loadAny(source: string, customLayers: CustomLayers): Promise<Layer> {
  const kind = await fileKind(source, 'loadModel');
  switch (kind) {
    case 'hdf5':
    case 'zip': {
      const { loadKerasModel } = await import('./keras/load.js');
      return loadKerasModel(source, kind, customLayers);
    }
    case 'json': {
      const { loadTfjsModel } = await import('./tfjs/load.js');
      return loadTfjsModel(source, customLayers);
    }
    case 'pickle':
      throw new FoveaError(
        `${source}: expected a model, received a file of PyTorch, which holds weights only (make the model, then loadWeights)`,
        { code: 'ERR_UNSUPPORTED', op: 'loadModel' },
      );
    case 'folder':
      return loadFolder(source, customLayers);
    case 'safetensors':
      return loadOwn(source, undefined, customLayers);
  }
}

async function loadFolder(folder: string, customLayers: CustomLayers): Promise<Layer> {
  const weights = path.join(folder, MODEL_FILES.weights);
  const architecture = path.join(folder, MODEL_FILES.architecture);
  if (!(await exists(weights))) {
    if (await exists(path.join(folder, 'config.json'))) {
      const { loadKerasFolder } = await import('./keras/load.js');
      return loadKerasFolder(folder, customLayers);
    }
    if (await exists(architecture)) {
      const { loadTfjsModel } = await import('./tfjs/load.js');
      return loadTfjsModel(architecture, customLayers);
    }
  }
  return loadOwn(weights, architecture, customLayers);
}

function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function loadOwn(file: string, architecture: string | undefined, customLayers: CustomLayers): Promise<Layer> {
  await using opened = await SafetensorsFile.open(file);
  const text = opened.metadata['model'];
  const json = text === undefined && architecture !== undefined ? await readModelJson(architecture) : parse(file, text);
  opened.loadAhead(currentDevice());
  const model = deserializeLayer(json, customLayers);
  await assignFrom(opened, model);
  return model;
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
