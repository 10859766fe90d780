import { allocateTyped, isNarrow } from '../../tensor/dtype.js';
import type { DType, TypedArray } from '../../tensor/dtype.js';
import { rounderOf, roundAll } from '../../tensor/narrow.js';

const INT32_MIN = -2147483648;
const INT32_MAX = 2147483647;

/** The int32 a number becomes: truncated toward zero, saturating, NaN as 0. */
export function toInt32(value: number): number {
  if (value >= INT32_MAX) return INT32_MAX;
  if (value <= INT32_MIN) return INT32_MIN;
  // `| 0` truncates, and makes 0 of NaN.
  return value | 0;
}

/**
 * The value a number takes when it is stored as `dtype`: floats stay as they are (float64 arithmetic is the
 * specification, float32 is rounded only when the host reads it), 16-bit floats are rounded, int32 truncates and
 * saturates, uint8 keeps the low byte of that, bool is `!= 0`.
 */
export function storeAs(dtype: DType, value: number): number {
  switch (dtype) {
    case 'float32':
    case 'float64':
      return value;
    case 'bfloat16':
    case 'float16':
      return rounderOf(dtype)(value);
    case 'int32':
      return toInt32(value);
    case 'uint8':
      return toInt32(value) & 0xff;
    case 'bool':
      return value !== 0 ? 1 : 0;
  }
}

/** Copies host elements into the float64 array that stands for them on the reference device. */
export function fromTyped(dtype: DType, from: TypedArray, into: Float64Array): void {
  into.set(from);
  if (isNarrow(dtype)) roundAll(dtype, into);
  if (dtype === 'bool') for (let i = 0; i < into.length; i++) into[i] = into[i] !== 0 ? 1 : 0;
}

/** The elements as the host reads them: float32 is rounded here, once. */
export function toTyped(dtype: DType, from: Float64Array): TypedArray {
  const out = allocateTyped(dtype, from.length);
  out.set(from);
  return out;
}
