import { FoveaError, mismatch } from '../errors.js';

/**
 * Element types. `float64` exists on the reference device only (gradient checks); `bfloat16` (float32's upper half) and
 * `float16` (IEEE half precision) are stored in 2 bytes and computed with in float32; `bool` is one byte, 0 or 1.
 */
export type DType = 'float32' | 'bfloat16' | 'float16' | 'float64' | 'int32' | 'uint8' | 'bool';

/** The typed arrays that carry the elements of a {@link DType} on the host: those of 16-bit floats as their values. */
export interface TypedArrays {
  float32: Float32Array;
  bfloat16: Float32Array;
  float16: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

/** Any typed array a tensor can be made from or read into. */
export type TypedArray = TypedArrays[DType];

const BYTES: Record<DType, number> = { float32: 4, bfloat16: 2, float16: 2, float64: 8, int32: 4, uint8: 1, bool: 1 };

/** All dtypes. */
export const DTYPES = Object.keys(BYTES) as readonly DType[];

/** Bytes of one element on a device. */
export function bytesPerElement(dtype: DType): number {
  return BYTES[dtype];
}

/** Whether `value` names a dtype. */
export function isDType(value: unknown): value is DType {
  return typeof value === 'string' && Object.hasOwn(BYTES, value);
}

/** Floating-point numbers that are stored in 16 bits and computed with in float32. */
export type NarrowDType = 'bfloat16' | 'float16';

/** Whether a type is one of floating-point numbers in 16 bits. */
export function isNarrow(dtype: DType): dtype is NarrowDType {
  return dtype === 'bfloat16' || dtype === 'float16';
}

/** `float32`, the 16-bit types and `float64`: the types that carry gradients. */
export type FloatDType = 'float32' | NarrowDType | 'float64';

/** Whether a type is one of floating-point numbers. */
export function isFloat(dtype: DType): dtype is FloatDType {
  return dtype === 'float32' || isNarrow(dtype) || dtype === 'float64';
}

/** Makes a zeroed typed array of `length` elements, as the host holds them. @throws FoveaError ERR_OUT_OF_MEMORY */
export function allocateTyped<D extends DType>(dtype: D, length: number): TypedArrays[D];
export function allocateTyped(dtype: DType, length: number): TypedArray {
  try {
    return newTyped(dtype, length);
  } catch (cause) {
    const asked = length * bytesPerElement(dtype);
    throw new FoveaError(`out of memory: asked for ${asked} bytes for ${length} elements of ${dtype}`, {
      code: 'ERR_OUT_OF_MEMORY',
      received: asked,
      cause,
    });
  }
}

function newTyped(dtype: DType, length: number): TypedArray {
  switch (dtype) {
    case 'float32':
    case 'bfloat16':
    case 'float16':
      return new Float32Array(length);
    case 'float64':
      return new Float64Array(length);
    case 'int32':
      return new Int32Array(length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(length);
  }
}

/** Views the bytes of a buffer as elements of `dtype` as the host holds them, without a copy. */
export function viewTyped(dtype: DType, buffer: ArrayBuffer, byteOffset = 0, length?: number): TypedArray {
  switch (dtype) {
    case 'float32':
    case 'bfloat16':
    case 'float16':
      return new Float32Array(buffer, byteOffset, length);
    case 'float64':
      return new Float64Array(buffer, byteOffset, length);
    case 'int32':
      return new Int32Array(buffer, byteOffset, length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer, byteOffset, length);
  }
}

/** The dtype a typed array carries when none is named. */
export function dtypeOf(array: TypedArray): DType {
  if (array instanceof Float32Array) return 'float32';
  if (array instanceof Float64Array) return 'float64';
  if (array instanceof Int32Array) return 'int32';
  if (array instanceof Uint8Array) return 'uint8';
  const received = Object.prototype.toString.call(array).slice('[object '.length, -1);
  throw mismatch('ERR_DTYPE', { op: 'tensor' }, 'a Float32Array, Float64Array, Int32Array or Uint8Array', received);
}
