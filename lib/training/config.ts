import { FoveaError } from '../errors.js';
import { InputLayer } from '../layers/input.js';
import type { Layer } from '../layers/layer.js';
import { describe, mapNest, type Nest } from '../layers/nest.js';
import {
  deserializeLayer,
  serializeLayer,
  type CustomLayers,
  type LayerConfig,
  type SerializedLayer,
} from '../layers/registry.js';
import { isSymbolic, type SymbolicTensor } from '../layers/symbolic.js';
import type { ConfigValue } from '../util/options.js';
import type { FunctionalGraph } from './functional.js';

/** Where a value of the graph comes from: the layer's name, which of its uses, which of that use's outputs. */
interface Reference {
  readonly tensor: readonly [layer: string, use: number, output: number];
}

/** One use of a layer. */
interface SerializedNode {
  readonly inputs: Nest<Reference>;
  readonly training?: boolean;
}

/** A layer of a graph with its uses. */
interface GraphLayer extends SerializedLayer {
  readonly name: string;
  readonly inboundNodes: readonly SerializedNode[];
}

interface GraphConfig {
  readonly layers: readonly GraphLayer[];
  readonly inputs: Nest<Reference>;
  readonly outputs: Nest<Reference>;
}

const isReference = (value: unknown): value is Reference =>
  typeof value === 'object' && value !== null && 'tensor' in value && Array.isArray(value.tensor);

/** A graph as JSON. */
export function functionalConfig(graph: FunctionalGraph): LayerConfig {
  const uses = new Map(graph.layers.map((layer) => [layer, graph.nodesOf(layer)]));
  const reference = (tensor: SymbolicTensor): Reference => {
    const { producer, index } = graph.resolve(tensor);
    return { tensor: [producer.layer.name, uses.get(producer.layer)!.indexOf(producer), index] };
  };
  const config: GraphConfig = {
    layers: graph.layers.map((layer) => ({
      ...serializeLayer(layer),
      name: layer.name,
      inboundNodes:
        layer instanceof InputLayer
          ? []
          : uses.get(layer)!.map(({ inputs, training }) => ({
              inputs: mapNest(inputs, isSymbolic, reference),
              ...(training === undefined ? {} : { training }),
            })),
    })),
    inputs: mapNest(graph.inputs, isSymbolic, reference),
    outputs: mapNest(graph.outputs, isSymbolic, reference),
  };
  return config as unknown as Readonly<Record<string, ConfigValue>>;
}

/**
 * The inputs and outputs of the graph that {@link functionalConfig} described, with new layers.
 *
 * @throws FoveaError ERR_DATA when the description refers to what it does not hold
 */
export function modelFromFunctionalConfig(
  config: LayerConfig,
  customLayers?: CustomLayers,
): { inputs: Nest<SymbolicTensor>; outputs: Nest<SymbolicTensor> } {
  const { layers, inputs, outputs } = config as unknown as Partial<GraphConfig>;
  if (!Array.isArray(layers) || inputs === undefined || outputs === undefined) {
    throw broken('layers, inputs and outputs', describe(config));
  }
  const list = layers as readonly GraphLayer[];
  const made = new Map<string, Layer>();
  const values = new Map<string, readonly SymbolicTensor[]>();
  for (const description of list) {
    const layer = deserializeLayer(description, customLayers);
    made.set(description.name, layer);
    if (layer instanceof InputLayer) values.set(key(description.name, 0), [layer.output]);
  }
  const find = ({ tensor: [name, use, output] }: Reference): SymbolicTensor | undefined =>
    values.get(key(name, use))?.[output];
  let open = list.flatMap(({ name, inboundNodes }) => inboundNodes.map((node, use) => ({ name, node, use })));
  while (open.length > 0) {
    const waiting = open.filter(({ name, node, use }) => {
      let known = use === 0 || values.has(key(name, use - 1));
      const found = mapNest(node.inputs, isReference, (reference) => {
        const value = find(reference);
        known &&= value !== undefined;
        return value!;
      });
      if (!known) return true;
      const layer = made.get(name)!;
      layer.apply<Nest<SymbolicTensor>>(found, { training: node.training });
      values.set(key(name, use), layer.inboundNodes.at(-1)!.outputTensors);
      return false;
    });
    if (waiting.length === open.length) throw broken('inputs that some layer makes', `none for "${waiting[0]!.name}"`);
    open = waiting;
  }
  const resolve = (nest: Nest<Reference>): Nest<SymbolicTensor> =>
    mapNest<Reference, SymbolicTensor>(nest, isReference, (reference) => {
      const value = find(reference);
      if (!value) throw broken('references to layers that are there', JSON.stringify(reference.tensor));
      return value;
    });
  return { inputs: resolve(inputs), outputs: resolve(outputs) };
}

function key(layer: string, use: number): string {
  return `${use}/${layer}`;
}

function broken(expected: string, received: string): FoveaError {
  return new FoveaError(`modelFromJSON: expected ${expected}, received ${received}`, {
    code: 'ERR_DATA',
    op: 'modelFromJSON',
  });
}
