import { Zip, ZipPassThrough } from 'fflate';
import { FoveaError } from '../../errors.js';
import { Layer } from '../../layers/layer.js';
import type { Variable } from '../../tensor/variable.js';
import { writeFileAtomic } from '../../util/atomic-file.js';
import { encodeHdf5, type WrittenAttributes, type WrittenGroup } from '../hdf5/writer.js';
import { readVariables } from '../model-weights.js';
import type { NamedArray } from '../safetensors.js';
import type { Weighted } from '../weight-file.js';
import { KERAS_FILES } from './archive.js';
import { kerasModelConfig } from './export-model.js';
import { legacyLayers } from './h5-weights.js';
import { savedLayers } from './saving-paths.js';

/** The version of Keras whose layout is written. */
const KERAS_VERSION = '3.15.1';
/** Zip files without extensions hold no more. */
const MAX_ZIP_BYTES = 0xfffffffe;
/** What Keras puts into one attribute at most. */
const ATTRIBUTE_BYTES = 64_512;

/** Writes weights so that Keras 3 loads them: `model.load_weights('x.weights.h5')`. */
export async function saveKerasWeights(model: Weighted, file: string): Promise<void> {
  await writeFileAtomic(file, encodeHdf5(file, await weightsTree(file, asLayer(model))));
}

/**
 * Writes a whole model so that Keras 3 loads it: `.keras`, or the older `.h5`.
 *
 * @throws FoveaError ERR_UNSUPPORTED for layers that Keras cannot say; ERR_ARGUMENT for `.weights.h5`
 */
export async function saveKerasModel(model: Weighted, file: string): Promise<void> {
  if (file.endsWith('.weights.h5')) {
    throw new FoveaError(
      `saveModel "${model.name}": expected a name for a whole model, received '${file}' (saveWeights)`,
      {
        op: 'saveModel',
      },
    );
  }
  const layer = asLayer(model);
  const config = kerasModelConfig(file, layer);
  if (!file.endsWith('.keras')) {
    const attributes = { backend: 'tensorflow', keras_version: KERAS_VERSION, model_config: JSON.stringify(config) };
    const children = new Map([['model_weights', await legacyTree(layer)]]);
    await writeFileAtomic(file, encodeHdf5(file, { attributes, children }));
    return;
  }
  const weights = encodeHdf5(file, await weightsTree(file, layer));
  const text = new TextEncoder();
  const metadata = { keras_version: KERAS_VERSION, date_saved: timestamp(new Date()) };
  const pieces = zipStored(file, [
    [KERAS_FILES.metadata, [text.encode(JSON.stringify(metadata))]],
    [KERAS_FILES.config, [text.encode(JSON.stringify(config))]],
    [KERAS_FILES.weights, weights],
  ]);
  await writeFileAtomic(file, pieces);
}

function asLayer(model: Weighted): Layer {
  if (model instanceof Layer) return model;
  throw new FoveaError(`save "${model.name}": expected a layer or model`);
}

/** `2026-11-24@19:38:13`, local time, as Keras has it. */
function timestamp(date: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day}@${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}

interface GrowingGroup extends WrittenGroup {
  attributes: WrittenAttributes;
  readonly children: Map<string, GrowingGroup | NamedArray>;
}

const newGroup = (attributes: WrittenAttributes = {}): GrowingGroup => ({ attributes, children: new Map() });

/** The group at a path, made where it is not there yet. */
function groupAt(root: GrowingGroup, path: string): GrowingGroup {
  return path
    .split('/')
    .filter((name) => name !== '')
    .reduce((at, name) => {
      const found = at.children.get(name) ?? newGroup();
      at.children.set(name, found);
      return found as GrowingGroup;
    }, root);
}

async function weightsTree(_file: string, model: Layer): Promise<WrittenGroup> {
  const saved = savedLayers(model);
  const values = await valuesOf(saved.flatMap(({ variables }) => variables));
  const root = newGroup();
  for (const { path, layer, variables } of saved) {
    const group = groupAt(root, `${path}/vars`);
    group.attributes = { name: layer.name };
    variables.forEach((variable, i) => group.children.set(String(i), values.get(variable)!));
  }
  return root;
}

/** What `.h5` files have had since Keras 1: layers by name, each with the names of its weights. */
async function legacyTree(model: Layer): Promise<WrittenGroup> {
  const layers = legacyLayers(model);
  const top = 'top_level_model_weights';
  const values = await valuesOf([...layers.values()].flat());
  const names = [...layers.keys()].filter((name) => name !== top);
  const root = newGroup({
    backend: 'tensorflow',
    keras_version: KERAS_VERSION,
    ...inParts('layer_names', names),
  });
  for (const name of [...names, top]) {
    const variables = layers.get(name) ?? [];
    const group = newGroup(
      inParts(
        'weight_names',
        variables.map((variable) => variable.name),
      ),
    );
    root.children.set(name, group);
    for (const variable of variables) {
      const parts = variable.name.split('/');
      groupAt(group, parts.slice(0, -1).join('/')).children.set(parts.at(-1)!, values.get(variable)!);
    }
  }
  return root;
}

/** A list of names, in as many attributes as it needs: `layer_names`, or `layer_names0`, `layer_names1`, ... */
function inParts(name: string, list: readonly string[]): WrittenAttributes {
  // 16 bytes stand for each in the attribute itself.
  const perPart = Math.floor(ATTRIBUTE_BYTES / 16) - 8;
  if (list.length <= perPart) return { [name]: list };
  const parts = Math.ceil(list.length / perPart);
  return Object.fromEntries(
    Array.from({ length: parts }, (_, i) => [`${name}${i}`, list.slice(i * perPart, (i + 1) * perPart)]),
  );
}

async function valuesOf(variables: readonly Variable[]): Promise<Map<Variable, NamedArray>> {
  const read = await readVariables(new Map(variables.map((variable, i) => [String(i), variable])));
  return new Map(variables.map((variable, i) => [variable, read.get(String(i))!]));
}

/** The pieces of a zip file of uncompressed files; what is in them is not copied. */
function zipStored(
  file: string,
  entries: readonly (readonly [name: string, pieces: readonly Uint8Array[]])[],
): Uint8Array[] {
  const total = entries.reduce((sum, [, pieces]) => pieces.reduce((n, piece) => n + piece.length, sum), 0);
  if (total > MAX_ZIP_BYTES) {
    throw new FoveaError(`${file}: expected at most 4 GiB in a .keras file, received ${total} bytes`, {
      code: 'ERR_UNSUPPORTED',
      op: 'saveModel',
    });
  }
  const out: Uint8Array[] = [];
  const zip = new Zip((error, piece) => {
    if (error) throw error;
    out.push(piece);
  });
  for (const [name, pieces] of entries) {
    const entry = new ZipPassThrough(name);
    zip.add(entry);
    pieces.forEach((piece, i) => entry.push(piece, i === pieces.length - 1));
  }
  zip.end();
  return out;
}
