import { FoveaError } from '../errors.js';
import type { Layer } from '../layers/layer.js';
import { describe } from '../layers/nest.js';
import {
  deserializeLayer,
  serializeLayer,
  type CustomLayers,
  type LayerClass,
  type SerializedLayer,
} from '../layers/registry.js';
import { Model } from './model.js';
import './sequential.js';

/**
 * The model that `toJSON` described, with new weights.
 *
 * @param json - as text or parsed
 * @param customLayers - classes by name, for layers and models that were not registered with `registerLayer`
 * @throws FoveaError ERR_DATA when it is not the description of a model, ERR_NOT_FOUND for unknown layer classes
 */
export function modelFromJSON(json: string | SerializedLayer, customLayers: CustomLayers = {}): Model {
  let parsed: SerializedLayer;
  try {
    parsed = typeof json === 'string' ? (JSON.parse(json) as SerializedLayer) : json;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new FoveaError(`modelFromJSON: expected JSON, received text that is not (${text})`, {
      code: 'ERR_DATA',
      op: 'modelFromJSON',
      cause: error,
    });
  }
  const model = deserializeLayer(parsed, customLayers);
  if (model instanceof Model) return model;
  throw new FoveaError(`modelFromJSON: expected a model, received ${describe(model)}`, {
    code: 'ERR_DATA',
    op: 'modelFromJSON',
  });
}

/** A model of the same architecture with layers and weights of its own; the weights begin anew. */
export function cloneModel<M extends Model>(model: M): M {
  const classes: Record<string, LayerClass> = {};
  for (const layer of model.flattenLayers())
    classes[layer.className] = layer.constructor as unknown as LayerClass<Layer>;
  return deserializeLayer(serializeLayer(model), classes) as M;
}
