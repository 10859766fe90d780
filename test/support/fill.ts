/**
 * The fill of test/golden/README.md: weights and inputs of the fixtures are not stored but made by this formula, which
 * the generators share.
 */

/** How a tensor of the fixtures is made: by the fill, or from listed values. */
export type FillSpec = GeneratedSpec | ListedSpec;

export interface GeneratedSpec {
  readonly shape: readonly number[];
  readonly seed: number;
  readonly lo: number;
  readonly hi: number;
  /** `Math.floor` of the value. */
  readonly round?: 'floor';
}

export interface ListedSpec {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly dtype?: 'float32' | 'int32';
}

/** The 32-bit unsigned hash of element `i` under a seed. */
export function hash(seed: number, i: number): number {
  let x = (i + Math.imul(seed, 0x9e3779b9)) >>> 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  x ^= x >>> 16;
  return x >>> 0;
}

/** A double in [0, 1). */
export function unit(seed: number, i: number): number {
  return hash(seed, i) / 4294967296;
}

/** Element `i` of a fill: double arithmetic, rounded to float32 once (which may give `hi` itself). */
export function fillValue(seed: number, i: number, lo: number, hi: number): number {
  return Math.fround(lo + (hi - lo) * unit(seed, i));
}

/** The label of image `i`: a whole number from 0 to `classes - 1`. */
export function label(seed: number, i: number, classes: number): number {
  return Math.floor(unit(seed, i) * classes);
}

/** Makes the tensor of a spec, row-major. */
export function fillSpec(spec: FillSpec): Float32Array | Int32Array {
  const size = spec.shape.reduce((product, d) => product * d, 1);
  if ('values' in spec) {
    if (spec.values.length !== size) throw new Error(`fill: ${spec.values.length} values for [${spec.shape.join()}]`);
    return spec.dtype === 'int32' ? Int32Array.from(spec.values) : Float32Array.from(spec.values);
  }
  const out = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const value = fillValue(spec.seed, i, spec.lo, spec.hi);
    out[i] = spec.round === 'floor' ? Math.floor(value) : value;
  }
  return out;
}
