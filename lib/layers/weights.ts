import { FoveaError } from '../errors.js';
import { tensor } from '../tensor/create.js';
import type { TypedArray } from '../tensor/dtype.js';
import type { NestedArray } from '../tensor/print.js';
import { formatShape, sameShape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import type { Layer } from './layer.js';

/** What a weight can be set to: a tensor, nested numbers of its shape, or as many flat elements. */
export type WeightValue = Tensor | TypedArray | NestedArray;

/** Copies of the weights' elements, in their order. */
export function readWeights(layer: Layer): Promise<TypedArray[]> {
  return Promise.all(layer.weights.map((weight) => weight.data()));
}

/**
 * Gives all weights of a layer new values, or none when one does not fit.
 *
 * @throws FoveaError ERR_SHAPE that lists every value that does not fit
 */
export function writeWeights(layer: Layer, values: readonly WeightValue[]): void {
  const weights = layer.weights;
  const where = `setWeights "${layer.name}"`;
  const count = `${weights.length} ${weights.length === 1 ? 'value' : 'values'}`;
  if (values.length !== weights.length) {
    const hint = weights.length === 0 && !layer.built ? ' (the layer has no weights before it is built)' : '';
    throw new FoveaError(`${where}: expected ${count}, received ${values.length}${hint}`, {
      code: 'ERR_SHAPE',
      op: 'setWeights',
      layer: layer.name,
    });
  }
  const wrong: string[] = [];
  const tensors = weights.map((weight, i) => {
    const made = valueFor(weight, values[i]!);
    if (made instanceof Tensor && sameShape(made.shape, weight.shape) && made.dtype === weight.dtype) return made;
    const received = made instanceof Tensor ? `${formatShape(made.shape)} ${made.dtype}` : made;
    wrong.push(`${weight.name}: expected ${formatShape(weight.shape)} ${weight.dtype}, received ${received}`);
    return undefined;
  });
  if (wrong.length > 0) {
    throw new FoveaError(
      `${where}: ${wrong.length} of ${count} ${wrong.length === 1 ? 'does' : 'do'} not fit:\n  ${wrong.join('\n  ')}`,
      { code: 'ERR_SHAPE', op: 'setWeights', layer: layer.name, received: wrong },
    );
  }
  weights.forEach((weight, i) => weight.assign(tensors[i]!));
}

/** The value as a tensor, or what is wrong with it. */
function valueFor(weight: Variable, value: WeightValue): Tensor | string {
  if (value instanceof Tensor) return value;
  const { dtype, device } = weight;
  if (ArrayBuffer.isView(value)) {
    if (value.length !== weight.size) return `${value.length} elements`;
    return tensor(value, weight.shape, { dtype, device });
  }
  try {
    return tensor(value, undefined, { dtype, device });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
