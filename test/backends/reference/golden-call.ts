import type { Attributes } from '../../../lib/backends/backend.js';
import { fillSpec } from '../../support/fill.js';
import type { OpCase } from '../../support/golden.js';
import { f64, i32, runKernel } from './run-kernel.js';
import type { Type, Value } from './run-kernel.js';

/** `y` and `d_<input>` of a case. */
export type Results = Record<string, { data: ArrayLike<number>; shape: readonly number[] }>;
/** Runs a case by kernel calls. */
export type Runner = (c: GoldenCall) => Results;

/** A golden case with its inputs made, and short words for calling kernels. */
export class GoldenCall {
  readonly attrs: OpCase['attrs'];
  readonly inputs: Record<string, Value>;
  readonly dy: Value;
  readonly yShape: readonly number[];

  constructor(c: OpCase) {
    this.attrs = c.attrs;
    this.inputs = Object.fromEntries(
      Object.entries(c.inputs).map(([name, spec]) => {
        const integers = 'values' in spec && spec.dtype === 'int32';
        return [name, (integers ? i32 : f64)(spec.shape, fillSpec(spec))];
      }),
    );
    this.dy = f64(c.upstream.shape, fillSpec(c.upstream));
    this.yShape = c.expected.y!.shape;
  }

  input(name: string): Value {
    return this.inputs[name]!;
  }

  /** Inputs of these names that the case has. */
  present(...names: readonly string[]): Value[] {
    return names.flatMap((name) => this.inputs[name] ?? []);
  }

  pair(name: string): readonly [number, number] {
    return this.attrs[name] as [number, number];
  }
}

/** A float64 output. */
export function float(shape: readonly number[]): Type {
  return { dtype: 'float64', shape };
}

/** Runs a kernel and gives its outputs as values. */
export function call(
  kernel: string,
  attributes: Attributes,
  inputs: readonly Value[],
  outputs: readonly Type[],
): Value[] {
  return runKernel(kernel, attributes, inputs, outputs).map((data, i) => ({ ...outputs[i]!, data }));
}

/** TensorFlow's 'same' and 'valid' as the README has them: [top, bottom, left, right]. */
export function paddingOf(
  c: GoldenCall,
  image: readonly number[],
  taps: readonly number[],
  dilations: readonly [number, number] = [1, 1],
): number[] {
  if (c.attrs.padding === 'valid') return [0, 0, 0, 0];
  return [0, 1].flatMap((i) => {
    const [n, s] = [image[i + 1]!, c.pair('strides')[i]!];
    const total = Math.max((Math.ceil(n / s) - 1) * s + (taps[i]! - 1) * dilations[i]! + 1 - n, 0);
    return [Math.floor(total / 2), total - Math.floor(total / 2)];
  });
}
