import { FoveaError } from '../../errors.js';
import { Layer } from '../../layers/layer.js';
import { Hdf5Dataset, type Hdf5File, type Hdf5Group } from '../hdf5/file.js';
import type { NamedArray } from '../safetensors.js';
import { namedWeights, type MatchChoice, type Weighted, type WeightFile, type WeightPlan } from '../weight-file.js';
import type { Variable } from '../../tensor/variable.js';
import { dtypeOfDataset, readDataset } from './h5-array.js';
import { savedVariables } from './saving-paths.js';
import { Model } from '../../training/model.js';

/** A dataset as matching sees it. */
interface Found {
  readonly dataset: Hdf5Dataset;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/**
 * The weights in an HDF5 file of Keras, of any generation.
 *
 * @param path - for messages
 * @throws FoveaError ERR_FILE for HDF5 files that are not Keras's
 */
export function kerasWeights(file: Hdf5File, path: string): WeightFile {
  const { root } = file;
  const legacy = root.get('model_weights') ?? (hasTextList(root, 'layer_names') ? root : undefined);
  if (legacy?.kind === 'group') return new LegacyWeights(file, path, legacy);
  if (['layers', 'vars', '_layer_checkpoint_dependencies'].some((name) => root.names.includes(name)) || hasVars(file)) {
    return new SavedWeights(file, path);
  }
  throw new FoveaError(`${path}: expected weights of Keras, received an HDF5 file without layers`, {
    code: 'ERR_FILE',
    op: 'loadWeights',
  });
}

abstract class KerasWeights implements WeightFile {
  constructor(
    protected readonly file: Hdf5File,
    readonly path: string,
  ) {}

  abstract plan(model: Weighted, choice: MatchChoice): WeightPlan;

  protected abstract find(name: string): Hdf5Dataset;

  read(name: string): Promise<NamedArray> {
    return readDataset(this.path, this.find(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file.close();
  }
}

/** `.weights.h5`, and what is in `.keras`: paths follow from the structure of the model. */
class SavedWeights extends KerasWeights {
  plan(model: Weighted, { by = 'name', rename }: MatchChoice): WeightPlan {
    const tensors = new Map<string, Found>();
    for (const object of this.file.walk()) {
      if (object instanceof Hdf5Dataset && !isTrainingState(object.path))
        tensors.set(object.path.slice(1), found(object));
    }
    if (rename) return { targets: namedWeights(model), tensors, by, rename };
    const paths = savedVariables(asLayer(model));
    const names = new Map([...namedWeights(model)].map(([name, variable]) => [variable, name]));
    const nameOf = (path: string): string => {
      const variable = paths.get(path.replaceAll('_layer_checkpoint_dependencies', 'layers'));
      return variable ? names.get(variable)! : `${path} of the file`;
    };
    const targets = new Map([...paths.values()].map((variable) => [names.get(variable)!, variable]));
    return { targets, tensors: by === 'order' ? inNaturalOrder(tensors) : tensors, by, rename: nameOf };
  }

  protected find(name: string): Hdf5Dataset {
    return this.file.root.dataset(name);
  }
}

/** Legacy files: a list of layers, each with a list of weights. */
class LegacyWeights extends KerasWeights {
  readonly #datasets = new Map<string, Hdf5Dataset>();
  /** The weights of each layer that has some, in the file's order, by `layer/weight`. */
  readonly #layers = new Map<string, string[]>();

  constructor(file: Hdf5File, path: string, group: Hdf5Group) {
    super(file, path);
    const names = textList(group, 'layer_names');
    if (group.get('top_level_model_weights')) names.push('top_level_model_weights');
    for (const layer of names) {
      const layerGroup = group.group(layer);
      const weights = textList(layerGroup, 'weight_names');
      if (weights.length === 0) continue;
      const keys = weights.map((weight) => `${layer}/${weight}`);
      weights.forEach((weight, i) => this.#datasets.set(keys[i]!, layerGroup.dataset(weight)));
      this.#layers.set(layer, keys);
    }
  }

  plan(model: Weighted, { by, rename }: MatchChoice): WeightPlan {
    const tensors = new Map([...this.#datasets].map(([key, dataset]) => [key, found(dataset)]));
    if (rename) return { targets: namedWeights(model), tensors, by: by ?? 'name', rename };
    const layers = legacyLayers(asLayer(model));
    const names = new Map([...namedWeights(model)].map(([name, variable]) => [variable, name]));
    const targets = new Map([...layers].flatMap(([, list]) => list.map((v) => [names.get(v)!, v] as const)));
    // Keras goes by order, which official files need: their layers have other names. Where all names are the same they
    // say more: layers of one shape cannot be mixed up.
    const sameNames = layers.size === this.#layers.size && [...layers.keys()].every((name) => this.#layers.has(name));
    if ((by ?? (sameNames ? 'name' : 'order')) === 'order') return { targets, tensors, by: 'order' };
    const modelNames = new Map<string, string>();
    for (const [layer, keys] of this.#layers) {
      const variables = layers.get(layer) ?? [];
      const named = bySuffix(layer, keys, variables);
      keys.forEach((key, i) => {
        const variable = named?.[i] ?? variables[i];
        if (variable) modelNames.set(key, names.get(variable)!);
      });
    }
    return { targets, tensors, by: 'name', rename: (key) => modelNames.get(key) ?? `${key} of the file` };
  }

  protected find(name: string): Hdf5Dataset {
    return this.#datasets.get(name)!;
  }
}

/** The layers of a model that have weights, with their weights as legacy files keep them: trained ones first. */
export function legacyLayers(model: Layer): Map<string, Variable[]> {
  const layers = model instanceof Model ? model.layers : [model];
  const found = new Map<string, Variable[]>();
  for (const layer of layers) {
    const weights = legacyWeights(layer);
    if (weights.length > 0) found.set(layer.name, weights);
  }
  if (model instanceof Model) {
    const inLayers = new Set([...found.values()].flat());
    const top = legacyWeights(model).filter((variable) => !inLayers.has(variable));
    if (top.length > 0) found.set('top_level_model_weights', top);
  }
  return found;
}

/** Trained weights first: whether they are frozen now does not count, files are written before. */
function legacyWeights(layer: Layer): Variable[] {
  const kept = layer.flattenLayers().flatMap((part) => part.ownWeights.map((variable) => ({ part, variable })));
  const trained = kept.filter(({ part, variable }) => part.isTrained(variable));
  const others = kept.filter(({ part, variable }) => !part.isTrained(variable));
  return [...new Set([...trained, ...others].map(({ variable }) => variable))];
}

/**
 * The weights of a layer by the ends of their names, when that settles all of them: layers in layers that were frozen
 * when they were saved have their weights in another order.
 */
function bySuffix(layer: string, keys: readonly string[], variables: readonly Variable[]): Variable[] | undefined {
  if (keys.length !== variables.length) return undefined;
  const chosen = keys.map((key) => {
    const name = key.slice(layer.length + 1).replace(/:\d+$/, '');
    const fits = variables.filter((v) => v.name === name || v.name.endsWith(`/${name}`) || name.endsWith(`/${v.name}`));
    return fits.length === 1 ? fits[0]! : undefined;
  });
  return new Set(chosen).size === keys.length && !chosen.includes(undefined) ? (chosen as Variable[]) : undefined;
}

function asLayer(model: Weighted): Layer {
  if (model instanceof Layer) return model;
  throw new FoveaError(`loadWeights "${model.name}": expected a layer or model`, { op: 'loadWeights' });
}

function found(dataset: Hdf5Dataset): Found {
  return { dataset, dtype: dtypeOfDataset(dataset), shape: dataset.shape ?? [] };
}

function isTrainingState(path: string): boolean {
  return /^\/(optimizer|metrics|_[a-z_]*metrics|loss)\//.test(path) || /\/seed_generator\/vars\//.test(path);
}

/** `vars/2` before `vars/10`. */
function inNaturalOrder<T>(tensors: ReadonlyMap<string, T>): Map<string, T> {
  const compare = new Intl.Collator('en', { numeric: true }).compare;
  return new Map([...tensors].sort(([a], [b]) => compare(a, b)));
}

function hasVars(file: Hdf5File): boolean {
  for (const object of file.walk()) if (object.path.endsWith('/vars')) return true;
  return false;
}

function hasTextList(group: Hdf5Group, name: string): boolean {
  const { attributes } = group;
  return attributes.has(name) || attributes.has(`${name}0`);
}

/** A list of texts in an attribute, or in numbered parts of it: one header holds 64 KB at most. */
export function textList(group: Hdf5Group, name: string): string[] {
  const { attributes } = group;
  const whole = attributes.get(name);
  const parts = whole ? [whole] : [];
  for (let i = 0; !whole && attributes.has(`${name}${i}`); i++) parts.push(attributes.get(`${name}${i}`)!);
  return parts.flatMap(({ data }) => (Array.isArray(data) ? data : []));
}
