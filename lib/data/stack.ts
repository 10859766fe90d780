import { FoveaError } from '../errors.js';
import { describeValue, formatShape, type HostTensor, isHostTensor, sizeOf, uninitialized } from './host-tensor.js';
import { isRecord } from './structure.js';

/** Where a batch is being made: for messages. */
interface Place {
  readonly where: string;
  /** The index in the stream of the first element of the batch. */
  readonly first: number;
  /** The path to the component within the element: `[0]`, `.image`. */
  readonly path: string;
}

function fail(code: 'ERR_SHAPE' | 'ERR_DTYPE' | 'ERR_DATA', place: Place, k: number, expected: string, value: unknown) {
  const component = place.path && ` of component ${place.path}`;
  return new FoveaError(
    `${place.where}: expected ${expected}${component} as in element ${place.first}, ` +
      `received ${describeValue(value)} in element ${place.first + k}`,
    { code, op: 'batch', expected, received: value },
  );
}

function stackTensors(values: readonly unknown[], place: Place): HostTensor {
  const { shape, dtype } = values[0] as HostTensor;
  const size = sizeOf(shape);
  const data = uninitialized(dtype, values.length * size);
  values.forEach((value, k) => {
    if (!isHostTensor(value)) throw fail('ERR_DATA', place, k, 'a host tensor', value);
    const same =
      value.shape.length === shape.length && value.shape.every((dimension, axis) => dimension === shape[axis]);
    if (!same) throw fail('ERR_SHAPE', place, k, `shape ${formatShape(shape)}`, value);
    if (value.dtype !== dtype) throw fail('ERR_DTYPE', place, k, dtype, value);
    if (value.data.length !== size) throw fail('ERR_SHAPE', place, k, `${size} numbers`, value.data);
    data.set(value.data, k * size);
  });
  return { data, shape: [values.length, ...shape], dtype };
}

function stackNumbers(values: readonly unknown[], place: Place): HostTensor {
  const data = new Float32Array(values.length);
  values.forEach((value, k) => {
    if (typeof value !== 'number') throw fail('ERR_DATA', place, k, 'a number', value);
    data[k] = value;
  });
  return { data, shape: [values.length], dtype: 'float32' };
}

function stack(values: readonly unknown[], place: Place): unknown {
  const first = values[0];
  const inside = (name: string, key: string | number): unknown =>
    stack(
      values.map((value) => (value as Record<string | number, unknown>)[key]),
      { ...place, path: place.path + name },
    );
  if (typeof first === 'number') return stackNumbers(values, place);
  if (isHostTensor(first)) return stackTensors(values, place);
  if (Array.isArray(first)) {
    const odd = values.findIndex((value) => !Array.isArray(value) || value.length !== first.length);
    if (odd >= 0) throw fail('ERR_DATA', place, odd, `a tuple of ${first.length}`, values[odd]);
    return first.map((_, index) => inside(`[${index}]`, index));
  }
  if (isRecord(first)) {
    const names = Object.keys(first);
    const odd = values.findIndex(
      (value) =>
        !isRecord(value) || Object.keys(value).length !== names.length || !names.every((name) => name in value),
    );
    if (odd >= 0) throw fail('ERR_DATA', place, odd, `a record of ${names.join(', ')}`, values[odd]);
    return Object.fromEntries(names.map((name) => [name, inside(`.${name}`, name)]));
  }
  const component = place.path && ` in component ${place.path}`;
  throw new FoveaError(
    `${place.where}: expected host tensors and numbers in tuples and records, ` +
      `received ${describeValue(first)}${component} of element ${place.first}`,
    { code: 'ERR_DATA', op: 'batch', expected: 'host tensors and numbers', received: first },
  );
}

/**
 * Stacks elements into one: each component becomes one contiguous tensor with a leading dimension. Numbers become float32.
 *
 * @param elements - at least one
 * @param first - the index of the first element, for messages
 * @param where - the stage, for messages
 * @throws FoveaError ERR_SHAPE, ERR_DTYPE or ERR_DATA for an element that differs from the first, naming its index
 */
export function stackElements(elements: readonly unknown[], first: number, where: string): unknown {
  return stack(elements, { where, first, path: '' });
}
