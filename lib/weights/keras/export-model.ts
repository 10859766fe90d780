import { FoveaError } from '../../errors.js';
import { InputLayer } from '../../layers/input.js';
import type { Layer } from '../../layers/layer.js';
import { mapNest, type Nest } from '../../layers/nest.js';
import { isSymbolic, type LayerNode, type SymbolicTensor } from '../../layers/symbolic.js';
import type { FunctionalGraph } from '../../training/functional.js';
import { Model } from '../../training/model.js';
import { Sequential } from '../../training/sequential.js';
import { kerasLayer, policyJson, type KerasJson } from './export-layer.js';

/**
 * A model as `config.json` of a `.keras` file describes it.
 *
 * @throws FoveaError ERR_UNSUPPORTED for what Keras cannot say
 */
export function kerasModelConfig(file: string, layer: Layer): KerasJson {
  if (layer instanceof Sequential) return sequential(file, layer);
  if (layer instanceof Model && layer.constructor === Model) {
    if (!layer.graph) throw notBuilt(file, layer);
    return functional(file, layer, layer.graph);
  }
  return kerasLayer(file, layer);
}

function notBuilt(file: string, model: Layer): FoveaError {
  return new FoveaError(
    `${file}: expected a model that is built, received "${model.name}", whose inputs are not known`,
    {
      op: 'saveModel',
    },
  );
}

function sequential(file: string, model: Sequential): KerasJson {
  const [input] = model.graph?.inputTensors ?? [];
  if (!input) throw notBuilt(file, model);
  const layers = [input.layer, ...model.layers].map((layer) => kerasModelConfig(file, layer));
  return {
    module: 'keras',
    class_name: 'Sequential',
    config: {
      name: model.name,
      trainable: model.trainable,
      dtype: policyJson(model),
      layers,
      build_input_shape: input.shape,
    },
    registered_name: null,
    build_config: { input_shape: input.shape },
  };
}

function functional(file: string, model: Model, graph: FunctionalGraph): KerasJson {
  const uses = new Map(graph.layers.map((layer) => [layer, graph.nodesOf(layer)]));
  const history = (tensor: SymbolicTensor): [string, number, number] => {
    const { producer, index } = graph.resolve(tensor);
    return [producer.layer.name, uses.get(producer.layer)!.indexOf(producer), index];
  };
  const tensorJson = (tensor: SymbolicTensor): KerasJson => ({
    class_name: '__keras_tensor__',
    config: { shape: tensor.shape, dtype: tensor.dtype, keras_history: history(tensor) },
  });
  const nodeJson = ({ inputs, training }: LayerNode): KerasJson => ({
    args: [mapNest(inputs, isSymbolic, tensorJson)],
    kwargs: training === undefined ? {} : { training },
  });
  const layers = graph.layers.map((layer) => ({
    ...kerasModelConfig(file, layer),
    name: layer.name,
    inbound_nodes: layer instanceof InputLayer ? [] : uses.get(layer)!.map(nodeJson),
  }));
  // Among inputs and outputs, uses of functional models count from 1: 0 is their own making.
  const place = (tensor: SymbolicTensor): [string, number, number] => {
    const [name, use, output] = history(tensor);
    const layer = graph.resolve(tensor).producer.layer;
    return [name, layer instanceof Model && !(layer instanceof Sequential) ? use + 1 : use, output];
  };
  return {
    module: 'keras.src.models.functional',
    class_name: 'Functional',
    config: {
      name: model.name,
      trainable: model.trainable,
      layers,
      input_layers: places(graph.inputs, place),
      output_layers: places(graph.outputs, place),
    },
    registered_name: 'Functional',
    build_config: { input_shape: null },
  };
}

function places(nest: Nest<SymbolicTensor>, place: (tensor: SymbolicTensor) => [string, number, number]): unknown {
  return mapNest<SymbolicTensor, [string, number, number]>(nest, isSymbolic, place);
}
