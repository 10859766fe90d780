import { mismatch, type FoveaError } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import type { Layer } from './layer.js';
import { describe, type Nest } from './nest.js';
import { formatSymbolicShape, isSymbolic, type SymbolicShape, type SymbolicTensor } from './symbolic.js';

/** Sets a field that is not enumerable: not among those in which sublayers are looked for. */
export function hide(layer: Layer, key: string, value: unknown): void {
  Object.defineProperty(layer, key, { value, writable: true, configurable: true, enumerable: false });
}

/** The tensors that `apply` was given, all of one kind. */
export function flattenInputs(layer: Layer, inputs: Nest<Tensor> | Nest<SymbolicTensor>): (Tensor | SymbolicTensor)[] {
  const isInput = (value: unknown): value is Tensor | SymbolicTensor => value instanceof Tensor || isSymbolic(value);
  const wrong = (received: string): FoveaError =>
    mismatch('ERR_ARGUMENT', layer.errorLabel(), 'tensors as inputs', received);
  if (isInput(inputs)) return [inputs];
  if (typeof inputs !== 'object' || inputs === null || ArrayBuffer.isView(inputs)) throw wrong(describe(inputs));
  const values: unknown[] = Object.values(inputs);
  const strange = values.find((value) => !isInput(value));
  if (values.length === 0 || strange !== undefined) throw wrong(describe(values.length === 0 ? inputs : strange));
  const flat = values.filter(isInput);
  if (flat.some(isSymbolic) && !flat.every(isSymbolic)) throw wrong('a mixture of tensors and symbolic tensors');
  return flat;
}

/** Throws unless an `inputShape` is one. */
export function checkDeclaredShape(layer: Layer, shape: SymbolicShape): void {
  const fits = Array.isArray(shape) && shape.every((d) => d === null || (Number.isInteger(d) && (d as number) > 0));
  if (fits) return;
  const expected = 'inputShape to be a list of sizes, null where one is open';
  throw mismatch('ERR_ARGUMENT', layer.errorLabel(), expected, JSON.stringify(shape));
}

/** Throws unless `call` returned tensors. */
export function checkOutputs(layer: Layer, outputs: unknown): void {
  if (outputs instanceof Tensor) return;
  if (typeof outputs === 'object' && outputs !== null && !(outputs instanceof Promise)) {
    const values: unknown[] = Object.values(outputs);
    if (values.length > 0 && values.every((value) => value instanceof Tensor)) return;
  }
  const received = outputs instanceof Promise ? 'a promise (call must not be async)' : describe(outputs);
  throw mismatch('ERR_ARGUMENT', layer.errorLabel(), 'call to return a tensor, or a list or record of them', received);
}

/** A layer in one line: class, name, shapes, number of parameters. */
export function describeLayer(layer: Layer): string {
  const label = `${layer.className} "${layer.name}"`;
  const frozen = layer.trainable ? '' : ', frozen';
  if (!layer.built || !layer.buildShapes) return `${label} (not built)${frozen}`;
  const inputs = layer.buildShapes.map(formatSymbolicShape).join(' ');
  const first = layer.inboundNodes[0];
  const outputs = first ? ` -> ${first.outputTensors.map((t) => formatSymbolicShape(t.shape)).join(' ')}` : '';
  return `${label} ${inputs}${outputs}, ${layer.countParams()} parameters${frozen}`;
}
