import { bfloat16Patterns, fromBfloat16Patterns, roundBfloat16 } from './bfloat16.js';
import type { NarrowDType } from './dtype.js';
import { float16Patterns, fromFloat16Patterns, roundFloat16 } from './float16.js';

/** What the host does with numbers that a device stores in 16 bits. */
interface NarrowFormat {
  readonly round: (value: number) => number;
  readonly toPatterns: (values: Float32Array) => Uint16Array;
  readonly fromPatterns: (patterns: Uint16Array) => Float32Array;
}

const FORMATS: Readonly<Record<NarrowDType, NarrowFormat>> = {
  bfloat16: { round: roundBfloat16, toPatterns: bfloat16Patterns, fromPatterns: fromBfloat16Patterns },
  float16: { round: roundFloat16, toPatterns: float16Patterns, fromPatterns: fromFloat16Patterns },
};

/** The function that gives the nearest number of a type, ties to even. */
export function rounderOf(dtype: NarrowDType): (value: number) => number {
  return FORMATS[dtype].round;
}

/** Rounds every element to the nearest number of a type. */
export function roundAll(dtype: NarrowDType, values: Float32Array | Float64Array): void {
  const { round } = FORMATS[dtype];
  for (let i = 0; i < values.length; i++) values[i] = round(values[i]!);
}

/** The 16-bit patterns of values, rounded. */
export function toPatterns(dtype: NarrowDType, values: Float32Array): Uint16Array {
  return FORMATS[dtype].toPatterns(values);
}

/** The values of 16-bit patterns; exact. */
export function fromPatterns(dtype: NarrowDType, patterns: Uint16Array): Float32Array {
  return FORMATS[dtype].fromPatterns(patterns);
}
