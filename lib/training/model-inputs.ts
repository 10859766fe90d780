import { mismatch } from '../errors.js';
import type { Layer } from '../layers/layer.js';
import { flattenNest, type Nest } from '../layers/nest.js';
import {
  fitsShape,
  formatSymbolicShape,
  isSymbolic,
  type SymbolicShape,
  type SymbolicTensor,
} from '../layers/symbolic.js';
import { cast, expandDims, squeeze } from '../ops/index.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';

/** The names of a functional model's inputs or outputs: the keys of a record, else their layers' names. */
export function namesOf(nest: Nest<SymbolicTensor>): string[] {
  const single = isSymbolic(nest);
  if (!single && !Array.isArray(nest)) return Object.keys(nest);
  return flattenNest<SymbolicTensor>(nest, isSymbolic).map((tensor) => tensor.layer.name);
}

/** What a model was given, in the order of its inputs: alone, as a list, or in a record by the inputs' names. */
export function inOrder<T extends object>(
  model: Layer,
  expected: Nest<SymbolicTensor>,
  given: Nest<T>,
  isLeaf: (value: unknown) => value is T,
): T[] {
  const tensors = flattenNest(expected, isSymbolic);
  if (!isLeaf(given) && !Array.isArray(given)) {
    const keys = namesOf(expected);
    const record = given as Readonly<Record<string, T>>;
    return tensors.map((tensor, i) => {
      const found = record[keys[i]!] ?? record[tensor.layer.name];
      if (found) return found;
      const received = `a record of ${Object.keys(record).join(', ')}`;
      throw mismatch('ERR_ARGUMENT', model.errorLabel(), `inputs named ${keys.join(', ')}`, received);
    });
  }
  const flat = flattenNest<T>(given, isLeaf);
  if (flat.length === tensors.length) return flat;
  const expectation = tensors.length === 1 ? 'one input' : `${tensors.length} inputs (${namesOf(expected).join(', ')})`;
  throw mismatch('ERR_ARGUMENT', model.errorLabel(), expectation, String(flat.length));
}

/**
 * An input as the model declared it: cast to its dtype, a last axis of length 1 added or removed, as Keras does.
 *
 * @throws FoveaError ERR_SHAPE when the shape does not fit
 */
export function asDeclared(model: Layer, name: string, x: Tensor, shape: SymbolicShape, dtype: DType): Tensor {
  let adjusted = x;
  if (x.rank === shape.length + 1 && x.shape.at(-1) === 1) adjusted = squeeze(x, -1);
  else if (x.rank === shape.length - 1 && shape.at(-1) === 1) adjusted = expandDims(x, -1);
  checkDeclared(model, name, adjusted.shape, shape);
  // float64 is for gradient checks on the reference: it is not rounded to float32.
  return adjusted.dtype === 'float64' && dtype === 'float32' ? adjusted : cast(adjusted, dtype);
}

/** Throws unless a shape is one that was declared. */
export function checkDeclared(model: Layer, name: string, received: SymbolicShape, declared: SymbolicShape): void {
  if (fitsShape(declared, received)) return;
  const expected = `input "${name}" of shape ${formatSymbolicShape(declared)}`;
  throw mismatch('ERR_SHAPE', model.errorLabel(), expected, formatSymbolicShape(received));
}
