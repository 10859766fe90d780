import { Dataset, hostTensor, isHostTensor, type HostData, type HostTensor } from '../data/index.js';
import { describeValue, dtypeOf, fromNested, type NestedNumbers } from '../data/host-tensor.js';
import { isRecord, mapStructure, tensorsOf } from '../data/structure.js';
import { FoveaError } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import type { DataInput } from './trainer-types.js';

/**
 * Typed arrays, nested numbers and `{ data, shape }` as host tensors, wherever they stand in a structure; tensors stay as
 * they are.
 *
 * @param name - of the argument, for messages
 */
export function hostTensors(input: DataInput, name: string, op: string): unknown {
  const visit = (value: unknown, path: string): unknown => {
    if (value instanceof Tensor || isHostTensor(value)) return value;
    if (dtypeOf(value)) return hostTensor(value as HostData);
    if (Array.isArray(value)) {
      const items: readonly unknown[] = value;
      return isNested(items) ? fromNested(items) : items.map((item, i) => visit(item, `${path}[${i}]`));
    }
    if (isShaped(value)) return hostTensor(value.data, value.shape);
    if (isRecord(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item, `${path}.${key}`)]));
    }
    throw new FoveaError(
      `${op}: expected ${path} to be tensors, typed arrays or nested numbers, received ${describeValue(value)}`,
      {
        op,
        expected: 'tensors, typed arrays or nested numbers',
        received: value,
      },
    );
  };
  return visit(input, name);
}

function isNested(value: readonly unknown[]): value is NestedNumbers {
  const first = value[0];
  return value.length === 0 || typeof first === 'number' || (Array.isArray(first) && isNested(first));
}

function isShaped(value: unknown): value is { data: HostData; shape: readonly number[] } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'data' in value &&
    'shape' in value &&
    dtypeOf(value.data) !== undefined
  );
}

/** The elements of a tensor in host memory. */
export async function readHost(t: Tensor): Promise<HostTensor> {
  const data = await t.data();
  return hostTensor(data instanceof Float64Array ? Float32Array.from(data) : data, t.shape);
}

/** As {@link hostTensors}, with tensors read from their devices. */
async function toHost(input: DataInput, name: string, op: string): Promise<unknown> {
  const structure = hostTensors(input, name, op);
  const read = new Map<Tensor, HostTensor>();
  const reading: Promise<unknown>[] = [];
  mapStructure(structure, (leaf) => {
    if (leaf instanceof Tensor) reading.push(readHost(leaf).then((host) => read.set(leaf, host)));
  });
  await Promise.all(reading);
  return mapStructure(structure, (leaf) => (leaf instanceof Tensor ? read.get(leaf) : leaf));
}

/**
 * The rows of data in memory: `x`, `[x, y]` or `[x, y, sampleWeight]`.
 *
 * @throws FoveaError ERR_SHAPE when the parts differ in length
 */
export async function rowsOf(
  op: string,
  x: DataInput,
  y?: DataInput,
  sampleWeight?: DataInput,
): Promise<Dataset<unknown>> {
  const parts: unknown[] = [];
  let length: number | undefined;
  for (const [name, input] of Object.entries({ x, y, sampleWeight })) {
    if (input === undefined && name !== 'x') break;
    const part = await toHost(input as DataInput, name, op);
    for (const { shape } of tensorsOf(part, op)) {
      length ??= shape[0];
      if (shape[0] === length && length !== undefined) continue;
      const received = shape.length === 0 ? 'a scalar' : `${length} and ${shape[0]} samples`;
      throw new FoveaError(`${op}: expected x and ${name} of the same length, received ${received}`, {
        code: 'ERR_SHAPE',
        op,
        expected: length,
        received: shape,
      });
    }
    parts.push(part);
  }
  // The structure is what the dataset would make of it; its types are the caller's business.
  const [hx, hy, hw] = parts as HostTensor[];
  if (hy === undefined) return Dataset.fromArrays(hx!);
  if (hw === undefined) return Dataset.fromArrays(hx!, hy);
  return Dataset.fromArrays(hx!, hy, hw);
}
