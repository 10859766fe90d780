/**
 * IEEE 754 binary16 on the host: 1 sign, 5 exponent and 10 mantissa bits. As with bfloat16, values travel as
 * `Float32Array`; their 16-bit patterns are what native devices store.
 */

const floats = new Float32Array(1);
const words = new Uint32Array(floats.buffer);

/** The pattern of the nearest half of a float32's bits: ties to even, subnormals kept, NaN stays NaN, the rest inf. */
function patternOf(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520: halfway to the number after the largest
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // Below 2^-14: adding 0.5 in float32 rounds to a multiple of 2^-24.
  words[0] = magnitude;
  floats[0] = floats[0]! + 0.5;
  return sign | (words[0] - 0x3f000000);
}

/** The value of a pattern; exact. */
function valueOf(pattern: number): number {
  const sign = pattern & 0x8000 ? -1 : 1;
  const exponent = (pattern >>> 10) & 0x1f;
  const fraction = pattern & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The nearest half as a number: infinity from 65520 on. */
export function roundFloat16(value: number): number {
  floats[0] = value;
  return valueOf(patternOf(words[0]!));
}

/** The 16-bit patterns of values, rounded. */
export function float16Patterns(values: Float32Array): Uint16Array {
  const from = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = patternOf(from[i]!);
  return out;
}

/** The values of 16-bit patterns; exact. */
export function fromFloat16Patterns(patterns: Uint16Array): Float32Array {
  return Float32Array.from(patterns, valueOf);
}
