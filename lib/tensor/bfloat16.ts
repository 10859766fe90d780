/**
 * bfloat16 on the host: the upper half of a float32. Values travel as `Float32Array`; their 16-bit patterns are what
 * native devices store.
 */

const floats = new Float32Array(1);
const words = new Uint32Array(floats.buffer);

/** The pattern of the nearest bfloat16, ties to even; NaN stays NaN. */
function patternOf(word: number): number {
  if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

/** The nearest bfloat16 as a number. */
export function roundBfloat16(value: number): number {
  floats[0] = value;
  words[0] = (patternOf(words[0]!) << 16) >>> 0;
  return floats[0];
}

/** The 16-bit patterns of values, rounded. */
export function bfloat16Patterns(values: Float32Array): Uint16Array {
  const from = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = patternOf(from[i]!);
  return out;
}

/** The values of 16-bit patterns; exact. */
export function fromBfloat16Patterns(patterns: Uint16Array): Float32Array {
  const out = new Uint32Array(patterns.length);
  for (let i = 0; i < out.length; i++) out[i] = patterns[i]! << 16;
  return new Float32Array(out.buffer);
}
