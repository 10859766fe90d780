import { FoveaError } from '../errors.js';

/** The element types that cross the border between host data and the engine. */
export type HostDType = 'float32' | 'int32' | 'uint8';

/** The typed arrays that hold them. */
export type HostData = Float32Array | Int32Array | Uint8Array;

/**
 * Numbers in host memory with a shape, row-major: what flows through a `Dataset`. A scalar has shape `[]`; a batch is a
 * host tensor with a leading batch dimension.
 */
export interface HostTensor {
  readonly data: HostData;
  readonly shape: readonly number[];
  readonly dtype: HostDType;
}

/** Numbers in arrays of arrays of equal lengths. */
export type NestedNumbers = readonly (number | NestedNumbers)[];

/** The dtype that a typed array holds, or undefined for other arrays. */
export function dtypeOf(data: unknown): HostDType | undefined {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Uint8Array) return 'uint8';
  return undefined;
}

/** How many numbers a shape holds. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, dimension) => size * dimension, 1);
}

/** Writes a shape the way every message of the library does: `[32,28,28,1]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(',')}]`;
}

/**
 * Memory for `length` numbers, not cleared: the caller overwrites all of it. Batches are made by the thousand, and
 * clearing them first costs as much as filling them.
 */
export function uninitialized(dtype: HostDType, length: number): HostData {
  const bytes = dtype === 'uint8' ? length : length * 4;
  // Below a page the plain constructor is the faster one.
  const memory = bytes < 4096 ? new ArrayBuffer(bytes) : Buffer.allocUnsafeSlow(bytes).buffer;
  if (dtype === 'uint8') return new Uint8Array(memory);
  return dtype === 'int32' ? new Int32Array(memory) : new Float32Array(memory);
}

/**
 * Wraps a typed array as a {@link HostTensor}, without copying.
 *
 * @param data - the numbers, row-major; the dtype follows from the array
 * @param shape - the shape; `[data.length]` when left out
 * @throws FoveaError ERR_SHAPE when the shape is not made of non-negative integers or does not hold `data.length` numbers
 * @throws FoveaError ERR_DTYPE when `data` is no Float32Array, Int32Array or Uint8Array
 */
export function hostTensor(data: HostData, shape: readonly number[] = [data.length]): HostTensor {
  const dtype = dtypeOf(data);
  if (!dtype) {
    throw new FoveaError(
      `hostTensor: expected a Float32Array, Int32Array or Uint8Array, received ${describeValue(data)}`,
      { code: 'ERR_DTYPE', op: 'hostTensor', expected: 'Float32Array | Int32Array | Uint8Array', received: data },
    );
  }
  if (!shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0)) {
    throw new FoveaError(`hostTensor: expected a shape of non-negative integers, received ${formatShape(shape)}`, {
      code: 'ERR_SHAPE',
      op: 'hostTensor',
      expected: 'non-negative integers',
      received: shape,
    });
  }
  if (sizeOf(shape) !== data.length) {
    throw new FoveaError(
      `hostTensor: expected ${sizeOf(shape)} numbers for shape ${formatShape(shape)}, received ${data.length}`,
      { code: 'ERR_SHAPE', op: 'hostTensor', expected: sizeOf(shape), received: data.length },
    );
  }
  return { data: plain(data), shape: [...shape], dtype };
}

/** A Buffer is a Uint8Array whose `slice` does not copy: kept out of the pipeline. */
function plain(data: HostData): HostData {
  return Buffer.isBuffer(data) ? new Uint8Array(data.buffer, data.byteOffset, data.length) : data;
}

/**
 * A scalar host tensor, shape `[]`.
 *
 * @param value - the number; must be exact in the dtype unless that is float32
 * @param dtype - `float32` unless told
 */
export function scalar(value: number, dtype: HostDType = 'float32'): HostTensor {
  const data = uninitialized(dtype, 1);
  data[0] = value;
  if (dtype !== 'float32' && data[0] !== value) {
    throw new FoveaError(`scalar: expected a number that fits ${dtype}, received ${value}`, {
      code: 'ERR_DTYPE',
      op: 'scalar',
      expected: dtype,
      received: value,
    });
  }
  return { data, shape: [], dtype };
}

/** Whether a value is a {@link HostTensor} (by its fields, not by how it was made). */
export function isHostTensor(value: unknown): value is HostTensor {
  if (typeof value !== 'object' || value === null) return false;
  const { data, shape, dtype } = value as Partial<HostTensor>;
  return dtypeOf(data) !== undefined && Array.isArray(shape) && dtypeOf(data) === dtype;
}

/** Names a value briefly, for messages. */
export function describeValue(value: unknown): string {
  if (isHostTensor(value)) return `${value.dtype} ${formatShape(value.shape)}`;
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return `a value of type ${value.constructor?.name ?? 'object'}`;
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 40))}`;
  return typeof value === 'number' ? String(value) : `a value of type ${typeof value}`;
}

/**
 * Turns arrays of arrays of numbers into a {@link HostTensor}.
 *
 * @param values - nested arrays, all of one length per level
 * @param dtype - `float32` unless told
 * @throws FoveaError ERR_SHAPE for ragged arrays, ERR_DTYPE for what is no number or does not fit the dtype
 */
export function fromNested(values: NestedNumbers | number, dtype: HostDType = 'float32'): HostTensor {
  const shape: number[] = [];
  for (let level: NestedNumbers | number | undefined = values; typeof level === 'object'; level = level[0]) {
    shape.push(level.length);
  }
  const data = uninitialized(dtype, sizeOf(shape));
  let position = 0;
  const visit = (value: NestedNumbers | number, depth: number, path: string): void => {
    if (depth < shape.length) {
      if (!Array.isArray(value) || value.length !== shape[depth]) {
        throw new FoveaError(
          `fromArrays: expected ${shape[depth]} values at ${path || 'the top'} (the arrays before it have that many), ` +
            `received ${Array.isArray(value) ? value.length : describeValue(value)}`,
          { code: 'ERR_SHAPE', op: 'fromArrays', expected: shape[depth], received: value },
        );
      }
      (value as NestedNumbers).forEach((item, index) => visit(item, depth + 1, `${path}[${index}]`));
      return;
    }
    data[position] = value as number;
    if (typeof value !== 'number' || (dtype !== 'float32' && data[position] !== value)) {
      throw new FoveaError(
        `fromArrays: expected a number that fits ${dtype} at ${path}, received ${describeValue(value)}`,
        {
          code: typeof value === 'number' ? 'ERR_DTYPE' : 'ERR_SHAPE',
          op: 'fromArrays',
          expected: dtype,
          received: value,
        },
      );
    }
    position++;
  };
  visit(values, 0, '');
  return { data, shape, dtype };
}
