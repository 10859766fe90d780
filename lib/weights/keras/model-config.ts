import { FoveaError } from '../../errors.js';
import type { Nest } from '../../layers/nest.js';
import { findLayerClass, type CustomLayers, type SerializedLayer } from '../../layers/registry.js';
import { badConfig, isRecord, MAX_DEPTH, type Json } from './json.js';
import { builtinConfig, customConfig, readLayer, readValue, type KerasLayer } from './layer-config.js';
import { isOldDialect, readNodes, readReferences, type GraphNode } from './graph-config.js';

const MODELS = new Set(['Functional', 'Sequential']);

/** Where a description comes from, and what is known besides the library's own classes. */
interface Reading {
  readonly file: string;
  readonly customLayers: CustomLayers;
}

/**
 * The model that Keras describes, as the library's own description of it.
 *
 * @param json - `{ class_name, config }`: `config.json` of a `.keras` file, `model_config` of a `.h5` file, or the
 *   topology of a tfjs model
 * @throws FoveaError ERR_NOT_FOUND that lists all classes of layers that are not known; ERR_UNSUPPORTED for options that
 *   layers do not have
 */
export function readModelConfig(file: string, json: Json, customLayers: CustomLayers = {}): SerializedLayer {
  const reading = { file, customLayers };
  const unknown = new Map<string, string[]>();
  collectUnknown(reading, json, unknown, 0);
  if (unknown.size > 0) throw unknownLayers(file, unknown);
  return readAny(reading, json);
}

function unknownLayers(file: string, unknown: ReadonlyMap<string, readonly string[]>): FoveaError {
  const list = [...unknown].map(([name, layers]) => {
    const more = layers.length > 3 ? ` and ${layers.length - 3} more` : '';
    return `${name} (${layers
      .slice(0, 3)
      .map((layer) => `"${layer}"`)
      .join(', ')}${more})`;
  });
  return new FoveaError(
    `${file}: expected layers that are known, received ${list.join(', ')}. Write a class for each, and give them as ` +
      `loadModel(path, { Name: Class }) or register them with registerLayer(Class, 'package')`,
    { code: 'ERR_NOT_FOUND', op: 'loadModel', received: [...unknown.keys()] },
  );
}

function collectUnknown(reading: Reading, json: unknown, unknown: Map<string, string[]>, depth: number): void {
  const layer = readLayer(json);
  if (!layer || depth > MAX_DEPTH) throw badConfig(reading.file, 'expected layers with class_name and config');
  if (!isCustom(reading, layer) && MODELS.has(layer.className)) {
    for (const inner of layersOf(reading.file, layer)) collectUnknown(reading, inner, unknown, depth + 1);
    return;
  }
  if (findLayerClass(layer, reading.customLayers)) return;
  const name = layer.registeredName ?? layer.className;
  const { name: layerName } = layer.config;
  unknown.set(name, [...(unknown.get(name) ?? []), typeof layerName === 'string' ? layerName : '']);
}

/** Whether the user gave a class of his own: a subclass of a model may be called anything. */
function isCustom({ customLayers }: Reading, { className, registeredName }: KerasLayer): boolean {
  return registeredName !== undefined || Object.hasOwn(customLayers, className);
}

function layersOf(file: string, { config, className }: KerasLayer): readonly unknown[] {
  const { layers } = config;
  if (!Array.isArray(layers)) throw badConfig(file, `expected layers in a ${className}`);
  return layers;
}

function readAny(reading: Reading, json: unknown): SerializedLayer {
  const layer = readLayer(json)!;
  const { className, registeredName } = layer;
  if (isCustom(reading, layer)) {
    return { className, config: customConfig(layer), ...(registeredName ? { registeredName } : {}) };
  }
  if (className === 'Sequential') return readSequential(reading, layer, json as Json);
  if (className === 'Functional') return readFunctional(reading, layer);
  const builtin = findLayerClass(layer) !== undefined && isBuiltin(className);
  return { className, config: builtin ? builtinConfig(reading.file, layer) : customConfig(layer) };
}

/** Whether a class is the library's own: one of the user's registered without package counts as his. */
function isBuiltin(className: string): boolean {
  return findLayerClass({ className }) !== findLayerClass({ className: `custom>${className}` });
}

function common({ config }: KerasLayer): { name?: string; trainable?: boolean } {
  const { name, trainable } = config;
  return {
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof trainable === 'boolean' ? { trainable } : {}),
  };
}

function readSequential(reading: Reading, layer: KerasLayer, json: Json): SerializedLayer {
  const layers = layersOf(reading.file, layer).map((inner) => readAny(reading, inner));
  const first = layers[0]?.config;
  const declared =
    layers[0]?.className === 'InputLayer' ||
    first?.['batchInputShape'] !== undefined ||
    first?.['inputShape'] !== undefined;
  const built =
    layer.config['build_input_shape'] ?? (isRecord(json['build_config']) ? json['build_config']['input_shape'] : null);
  const buildInputShape = declared || !Array.isArray(built) ? {} : { buildInputShape: readValue(built) };
  const config = { ...common(layer), layers, ...buildInputShape };
  return { className: 'Sequential', config: config as unknown as SerializedLayer['config'] };
}

function readFunctional(reading: Reading, layer: KerasLayer): SerializedLayer {
  const { file } = reading;
  const list = layersOf(file, layer);
  const nodes = new Map<string, readonly GraphNode[]>();
  // Models that count their own making as use 0: of Keras 2 all, of Keras 3 those with a graph.
  const fromOne = new Set<string>();
  const old = list.some((json) => isOldDialect((json as Json)['inbound_nodes']));
  for (const json of list as readonly Json[]) {
    const inner = readLayer(json)!;
    const name = json['name'] ?? inner.config['name'];
    if (typeof name !== 'string')
      throw badConfig(file, `expected a name of every layer in "${String(layer.config['name'])}"`);
    if (nodes.has(name)) throw badConfig(file, `expected different names, received two layers "${name}"`);
    nodes.set(name, readNodes(file, name, json['inbound_nodes']));
    const isModel = inner.className === 'Functional' || (old && inner.className === 'Sequential');
    if (isModel && !isCustom(reading, inner)) fromOne.add(name);
  }
  const names = [...nodes.keys()];
  const layers = list.map((json, i) => ({
    ...readAny(reading, json),
    name: names[i]!,
    inboundNodes: nodes.get(names[i]!)!.map(({ inputs, training }) => ({
      inputs: inputs(fromOne),
      ...(training === undefined ? {} : { training }),
    })),
  }));
  const inputs: Nest<object> = readReferences(file, layer.config['input_layers'], fromOne);
  const outputs: Nest<object> = readReferences(file, layer.config['output_layers'], fromOne);
  const config = { ...common(layer), layers, inputs, outputs };
  return { className: 'Functional', config: config as unknown as SerializedLayer['config'] };
}
