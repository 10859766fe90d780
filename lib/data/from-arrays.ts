import { FoveaError } from '../errors.js';
import {
  describeValue,
  dtypeOf,
  fromNested,
  type HostData,
  type HostDType,
  type HostTensor,
  hostTensor,
  type NestedNumbers,
} from './host-tensor.js';
import { END, type Opener } from './pull.js';
import { indexedSource, type Source, tableElements } from './source.js';
import { isRecord } from './structure.js';
import { sliceTable, type Table } from './table.js';

/** A typed array with its shape: what `fromArrays` takes where the dtype follows from the array. */
export interface ShapedData {
  readonly data: HostData;
  readonly shape: readonly number[];
}

/** What `fromArrays` takes: tensors, typed arrays, nested numbers; or tuples and records of them (models of many inputs). */
export type ArrayInput =
  HostTensor | ShapedData | HostData | NestedNumbers | readonly ArrayInput[] | { readonly [name: string]: ArrayInput };

/** One row of an {@link ArrayInput}. */
export type Row<X> = X extends ShapedData | HostData | NestedNumbers
  ? HostTensor
  : X extends readonly unknown[]
    ? { [K in keyof X]: Row<X[K]> }
    : X extends object
      ? { [K in keyof X]: Row<X[K]> }
      : never;

/** Options of `fromArrays`: the dtypes of nested numbers (typed arrays keep theirs). */
export interface FromArraysOptions {
  /** float32 unless told. */
  readonly xDtype?: HostDType;
  /** float32 unless told; `int32` for class numbers. */
  readonly yDtype?: HostDType;
}

function isNested(value: readonly unknown[]): value is NestedNumbers {
  const first = value[0];
  return typeof first === 'number' || (Array.isArray(first) && isNested(first));
}

/** Host tensors in place of everything that stands for one. */
function toTensors(value: unknown, dtype: HostDType): unknown {
  if (dtypeOf(value)) return hostTensor(value as HostData);
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    if (items.length > 0 && !isNested(items)) return items.map((item) => toTensors(item, dtype));
    return fromNested(items as NestedNumbers, dtype);
  }
  if (typeof value === 'object' && value !== null && 'data' in value && dtypeOf(value.data)) {
    const { data, shape } = value as ShapedData;
    return hostTensor(data, shape);
  }
  if (isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toTensors(item, dtype)]));
  }
  throw new FoveaError(
    `fromArrays: expected tensors, typed arrays or nested numbers, received ${describeValue(value)}`,
    {
      code: 'ERR_ARGUMENT',
      op: 'fromArrays',
      expected: 'tensors, typed arrays or nested numbers',
      received: value,
    },
  );
}

/** The numbers of rows, in their own order. */
export function rowsInOrder(length: number): Opener<number> {
  return () => {
    let row = 0;
    return { next: () => (row < length ? row++ : END), close: () => undefined };
  };
}

/** The rows of a table, in their own order. */
export function tableSource<T>(table: Table<T>, name: string): Source<T> {
  const order = rowsInOrder(table.length);
  return indexedSource(
    { table, order, elements: tableElements(table) },
    { cardinality: table.length, stages: [name], recipe: [() => `${name} ${table.digest()}`] },
  );
}

/**
 * The rows of arrays: `x` alone, or tuples `[x, y]`, `[x, y, sampleWeight]`.
 *
 * @throws FoveaError ERR_SHAPE when lengths differ or nested numbers are ragged
 */
export function arraysSource<T>(
  parts: readonly [unknown, unknown?, unknown?],
  options: FromArraysOptions = {},
): Source<T> {
  const [x, y, sampleWeight] = parts;
  const { xDtype = 'float32', yDtype = 'float32' } = options;
  const inputs = toTensors(x, xDtype);
  if (y === undefined) {
    if (sampleWeight === undefined) return tableSource(sliceTable<T>(inputs, 'fromArrays'), 'fromArrays');
    throw new FoveaError('fromArrays: expected y when sampleWeight is given, received none', { op: 'fromArrays' });
  }
  const tuple = [inputs, toTensors(y, yDtype)];
  if (sampleWeight !== undefined) tuple.push(toTensors(sampleWeight, 'float32'));
  return tableSource(sliceTable<T>(tuple, 'fromArrays'), 'fromArrays');
}
