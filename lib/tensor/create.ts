import { backendOf, currentDevice } from '../backends/registry.js';
import type { FoveaError } from '../errors.js';
import { mismatch } from '../errors.js';
import { GraphNode } from '../graph/node.js';
import { currentTrace, layerPath } from '../graph/trace.js';
import { allocateTyped, dtypeOf, isDType, isFloat, isNarrow, type DType, type TypedArray } from './dtype.js';
import { roundAll } from './narrow.js';
import type { NestedArray } from './print.js';
import { checkShape, formatShape, sizeOf, type Shape } from './shape.js';
import { Storage } from './storage.js';
import { Tensor, tensorOf } from './tensor.js';

export interface TensorOptions {
  dtype?: DType;
  device?: string;
}

/** What ops take for a tensor: numbers become scalars of the other operand's type. */
export type TensorLike = Tensor | TypedArray | NestedArray;

/**
 * Makes a tensor from numbers: nested arrays (shape found by looking), or flat elements with a shape.
 *
 * @param values - a number, nested arrays of one shape, or a typed array
 * @param shape - row-major shape of flat elements
 * @throws FoveaError ERR_SHAPE when the arrays are ragged or the count does not fit the shape, ERR_DTYPE
 */
export function tensor(values: TypedArray | NestedArray, shape?: Shape, options: TensorOptions = {}): Tensor {
  const dtype = options.dtype ?? (ArrayBuffer.isView(values) ? dtypeOf(values) : 'float32');
  if (!isDType(dtype)) throw mismatch('ERR_DTYPE', { op: 'tensor' }, 'a dtype', String(dtype));
  const flat: { data: ArrayLike<number>; shape: Shape } = ArrayBuffer.isView(values)
    ? { data: values, shape: [values.length] }
    : flatten(values);
  const wanted = shape ?? flat.shape;
  checkShape('tensor', wanted);
  if (sizeOf(wanted) !== flat.data.length) {
    throw mismatch(
      'ERR_SHAPE',
      { op: 'tensor' },
      `${sizeOf(wanted)} elements for shape ${formatShape(wanted)}`,
      String(flat.data.length),
    );
  }
  return fromTyped(toTyped(flat.data, dtype), wanted, dtype, options.device ?? currentDevice());
}

/** @internal A tensor on `device` with these elements (copied). */
export function fromTyped(data: TypedArray, shape: Shape, dtype: DType, device: string): Tensor {
  const storage = new Storage(backendOf(device).createBuffer(dtype, data.length, data));
  return fromStorage(storage, shape, dtype, device);
}

/** @internal A tensor over an existing storage. */
export function fromStorage(storage: Storage, shape: Shape, dtype: DType, device: string): Tensor {
  const node = new GraphNode(
    undefined,
    [],
    {},
    [{ shape, dtype }],
    device,
    layerPath(),
    { kind: 'storage' },
    undefined,
  );
  node.resolve(0, storage, true);
  return tensorOf(node);
}

/** One number of any dtype, known to the graph: it becomes part of the kernel, not a buffer. */
export function scalar(value: number, dtype: DType = 'float32'): Tensor {
  if (typeof value !== 'number') throw mismatch('ERR_ARGUMENT', { op: 'scalar' }, 'a number', String(value));
  // In a kernel a 16-bit number is a float32 constant: rounding it further would gain nothing.
  const rounded = toTyped([value], isNarrow(dtype) ? 'float32' : dtype, 'scalar')[0]!;
  const leaf = { kind: 'scalar', value: rounded } as const;
  return tensorOf(new GraphNode(undefined, [], {}, [{ shape: [], dtype }], currentDevice(), '', leaf, undefined));
}

/**
 * A number that is asked for at every run of a traced function, and at once outside one. The way learning rates and
 * step counts enter: changing them traces nothing anew.
 */
export function hostScalar(read: () => number): Tensor {
  const trace = currentTrace();
  return trace ? tensorOf(trace.hostInput(read)) : scalar(read());
}

/**
 * @internal As {@link hostScalar}, of several numbers: float32 of a shape. `read` returns an array that nobody changes
 * afterwards; it is asked once a run.
 */
export function hostTensor(read: () => Float32Array, shape: Shape): Tensor {
  const trace = currentTrace();
  return trace ? tensorOf(trace.hostInput(read, shape)) : tensor(read(), shape);
}

/** A tensor of zeros. */
export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
  return filled('zeros', shape, 0, options);
}

/** A tensor of ones. */
export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
  return filled('ones', shape, 1, options);
}

/** A tensor with the same number everywhere. */
export function fill(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  return filled('fill', shape, value, options);
}

function filled(
  op: string,
  shape: Shape,
  value: number,
  { dtype = 'float32', device = currentDevice() }: TensorOptions,
): Tensor {
  checkShape(op, shape);
  if (!isDType(dtype)) throw mismatch('ERR_DTYPE', { op }, 'a dtype', String(dtype));
  const element = toTyped([value], dtype, op)[0]!;
  return fromTyped(allocateTyped(dtype, sizeOf(shape)).fill(element), shape, dtype, device);
}

/** start, start + step, ... below stop, as int32 unless said otherwise. */
export function range(start: number, stop: number, step = 1, options: TensorOptions = {}): Tensor {
  if (step === 0 || !Number.isFinite(step))
    throw mismatch('ERR_ARGUMENT', { op: 'range' }, 'a finite step other than 0', String(step));
  const count = Math.max(0, Math.ceil((stop - start) / step));
  return tensor(
    Array.from({ length: count }, (_, i) => start + i * step),
    [count],
    { dtype: 'int32', ...options },
  );
}

/** Makes what an op was given into a tensor; plain numbers take `dtype`. */
export function asTensor(op: string, value: TensorLike, dtype: DType = 'float32', device?: string): Tensor {
  if (value instanceof Tensor) return value;
  if (typeof value === 'number') return scalar(value, dtype);
  if (ArrayBuffer.isView(value)) return tensor(value, undefined, device ? { device } : {});
  if (Array.isArray(value)) return tensor(value, undefined, { dtype, ...(device ? { device } : {}) });
  throw mismatch('ERR_ARGUMENT', { op }, 'a tensor or numbers', value === null ? 'null' : typeof value);
}

function toTyped(data: ArrayLike<number>, dtype: DType, op = 'tensor'): TypedArray {
  if (ArrayBuffer.isView(data) && dtypeOf(data as TypedArray) === dtype) return data as TypedArray;
  const out = allocateTyped(dtype, data.length);
  if (isFloat(dtype)) {
    out.set(data);
    if (isNarrow(dtype)) roundAll(dtype, out as Float32Array);
    return out;
  }
  const [low, high] = dtype === 'int32' ? [-(2 ** 31), 2 ** 31 - 1] : dtype === 'uint8' ? [0, 255] : [0, 1];
  for (let i = 0; i < data.length; i++) {
    const v = Number(data[i]);
    if (!Number.isInteger(v) || v < low || v > high) {
      const expected = `whole numbers from ${low} to ${high} for dtype ${dtype}`;
      throw mismatch('ERR_DTYPE', { op }, expected, `${v} at index ${i}`);
    }
    out[i] = v;
  }
  return out;
}

function flatten(values: NestedArray): { data: number[]; shape: number[] } {
  const shape: number[] = [];
  for (let level: NestedArray = values; Array.isArray(level); level = level[0]!) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const data: number[] = [];
  const visit = (level: NestedArray, axis: number): void => {
    if (!Array.isArray(level)) {
      if (axis !== shape.length) throw ragged(shape);
      if (typeof level !== 'number') throw mismatch('ERR_ARGUMENT', { op: 'tensor' }, 'numbers', typeof level);
      data.push(level);
      return;
    }
    if (level.length !== shape[axis]) throw ragged(shape);
    for (const inner of level) visit(inner, axis + 1);
  };
  visit(values, 0);
  return { data, shape };
}

function ragged(shape: Shape): FoveaError {
  return mismatch(
    'ERR_SHAPE',
    { op: 'tensor' },
    `nested arrays of shape ${formatShape(shape)} throughout`,
    'a ragged array',
  );
}
