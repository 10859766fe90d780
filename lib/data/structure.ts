import { FoveaError } from '../errors.js';
import { describeValue, type HostTensor, isHostTensor } from './host-tensor.js';

/** An element of a dataset that can be batched: host tensors and numbers in tuples and records. */
export type Element = HostTensor | number | readonly Element[] | { readonly [name: string]: Element };

/** What a batch of elements of type `T` looks like: every number and tensor becomes a tensor with one more dimension. */
export type Batched<T> = T extends number | HostTensor
  ? HostTensor
  : T extends readonly unknown[]
    ? { [K in keyof T]: Batched<T[K]> }
    : T extends object
      ? { [K in keyof T]: Batched<T[K]> }
      : never;

/** Whether a value is a record (an object made by a literal, not a tensor or another class). */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isHostTensor(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Rebuilds a structure with each leaf replaced.
 *
 * @param value - tuples and records, nested
 * @param leaf - called for everything that is neither, with the path to it (`[1]`, `.image`)
 */
export function mapStructure(value: unknown, leaf: (value: unknown, path: string) => unknown, path = ''): unknown {
  if (Array.isArray(value)) return value.map((item, index) => mapStructure(item, leaf, `${path}[${index}]`));
  if (isRecord(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, mapStructure(item, leaf, `${path}.${name}`)]),
    );
  }
  return leaf(value, path);
}

/** The host tensors of a structure, in order; anything else in it is an error. */
export function tensorsOf(value: unknown, op: string): HostTensor[] {
  const tensors: HostTensor[] = [];
  mapStructure(value, (item, path) => {
    if (!isHostTensor(item)) {
      throw new FoveaError(`${op}: expected a host tensor${path && ` at ${path}`}, received ${describeValue(item)}`, {
        code: 'ERR_DATA',
        op,
        expected: 'a host tensor',
        received: item,
      });
    }
    tensors.push(item);
    return item;
  });
  return tensors;
}
