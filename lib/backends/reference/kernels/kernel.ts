import { FoveaError } from '../../../errors.js';
import type { FoveaErrorCode } from '../../../errors.js';
import { isFloat, isNarrow } from '../../../tensor/dtype.js';
import type { DType } from '../../../tensor/dtype.js';
import { formatShape, sameShape, sizeOf } from '../../../tensor/shape.js';
import type { Shape } from '../../../tensor/shape.js';
import type { Attributes } from '../../backend.js';

/** Dtype and shape of an operand. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A kernel whose operands and attributes were found good: computes outputs from inputs, any number of times. */
export type PreparedKernel = (inputs: readonly Float64Array[], outputs: readonly Float64Array[]) => void;

/** One entry of the kernel table. */
export interface ReferenceKernel {
  /** Whether an output may live on the storage of an input of its size and dtype; left out, none may. */
  readonly inPlace?: (call: KernelCall, output: number, input: number) => boolean;
  /**
   * Checks operands and attributes against docs/kernels.md and returns the computation.
   *
   * @throws FoveaError `ERR_ARGUMENT` that names op and layer, when the call breaks the contract
   */
  prepare(call: KernelCall): PreparedKernel;
}

/** `float32 [2,28,28,1]`, for messages. */
export function describeType(type: TensorType): string {
  return `${type.dtype} ${formatShape(type.shape)}`;
}

/** What a kernel is called with, and typed access to its attributes. */
export class KernelCall {
  readonly kernel: string;
  readonly op: string;
  readonly layer: string;
  readonly attributes: Attributes;
  readonly inputs: readonly TensorType[];
  readonly outputs: readonly TensorType[];

  constructor(
    step: { readonly kernel: string; readonly op: string; readonly layer: string; readonly attributes: Attributes },
    inputs: readonly TensorType[],
    outputs: readonly TensorType[],
  ) {
    this.kernel = step.kernel;
    this.op = step.op;
    this.layer = step.layer;
    this.attributes = step.attributes;
    this.inputs = inputs;
    this.outputs = outputs;
  }

  /** The error of a call that breaks the contract. */
  invalid(expected: string, received: string): FoveaError {
    return this.#error('ERR_ARGUMENT', expected, received);
  }

  /** The error of values that only running shows, such as a label out of range. */
  failed(expected: string, received: string): FoveaError {
    return this.#error('ERR_EXECUTION', expected, received);
  }

  /** Throws unless there are `inputs` (or between two numbers of) inputs and so many outputs. */
  count(inputs: number | readonly [number, number], outputs: number | readonly [number, number]): void {
    this.#checkCount('inputs', this.inputs.length, inputs);
    this.#checkCount('outputs', this.outputs.length, outputs);
  }

  /** Input `index`; `count` was called before. */
  input(index: number): TensorType {
    return this.inputs[index]!;
  }

  /** Output `index`; `count` was called before. */
  output(index: number): TensorType {
    return this.outputs[index]!;
  }

  /** Throws unless every operand in `operands` has the dtype of the first, and that is a float. */
  float(...operands: readonly (TensorType | undefined)[]): void {
    const present = operands.filter((operand) => operand !== undefined);
    const dtype = present[0]!.dtype;
    if (!isFloat(dtype)) throw this.invalid('a float dtype', describeType(present[0]!));
    for (const operand of present) this.dtype(operand, dtype);
  }

  /** Throws unless the operand has the dtype of `like`, or float32 beside a `like` of a 16-bit type. */
  floatOrWider(like: TensorType, ...operands: readonly (TensorType | undefined)[]): void {
    for (const operand of operands) {
      if (operand && !(isNarrow(like.dtype) && operand.dtype === 'float32')) this.float(like, operand);
    }
  }

  /** Throws unless the operand, which is kept in full precision, is float32 beside a 16-bit `like`, else like it. */
  floatWide(like: TensorType, ...operands: readonly TensorType[]): void {
    for (const operand of operands) {
      if (isNarrow(like.dtype)) this.dtype(operand, 'float32');
      else this.float(like, operand);
    }
  }

  /** Throws unless the operand has this dtype. */
  dtype(operand: TensorType, ...dtypes: readonly DType[]): void {
    if (!dtypes.includes(operand.dtype)) throw this.invalid(`dtype ${dtypes.join(' or ')}`, describeType(operand));
  }

  /** Throws unless the operand has this shape; `name` is its name in docs/kernels.md. */
  shape(name: string, operand: TensorType, shape: Shape): void {
    if (!sameShape(operand.shape, shape)) {
      throw this.invalid(`${name} of shape ${formatShape(shape)}`, formatShape(operand.shape));
    }
  }

  /** Throws unless the operand has this rank. */
  rank(name: string, operand: TensorType, rank: number): void {
    if (operand.shape.length !== rank) throw this.invalid(`${name} of rank ${rank}`, formatShape(operand.shape));
  }

  /** Throws unless the operand has as many elements as the shape. */
  size(name: string, operand: TensorType, shape: Shape): void {
    if (sizeOf(operand.shape) !== sizeOf(shape)) {
      throw this.invalid(`${name} with the elements of ${formatShape(shape)}`, formatShape(operand.shape));
    }
  }

  /** A number attribute within bounds (`NaN` is never one). */
  number(name: string, min = -Infinity, max = Infinity): number {
    const value = this.attributes[name];
    if (typeof value !== 'number' || !(value >= min && value <= max)) {
      throw this.#attribute(name, min === -Infinity && max === Infinity ? 'a number' : `a number in [${min},${max}]`);
    }
    return value;
  }

  /** A whole-number attribute of at least `min` and at most `max`. */
  integer(name: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.attributes[name];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      throw this.#attribute(name, `a whole number in [${min},${max}]`);
    }
    return value;
  }

  /** A list of `length` whole numbers of at least `min`. */
  integers(name: string, length: number, min: number): readonly number[] {
    const value = this.numbers(name);
    if (value.length !== length || !value.every((n) => Number.isInteger(n) && n >= min)) {
      throw this.#attribute(name, `${length} whole numbers of at least ${min}`);
    }
    return value;
  }

  /** A list of numbers of any length. */
  numbers(name: string): readonly number[] {
    const value = this.attributes[name];
    if (!Array.isArray(value) || !value.every((n): n is number => typeof n === 'number')) {
      throw this.#attribute(name, 'a list of numbers');
    }
    return value;
  }

  /** A list of strings. */
  strings(name: string): readonly string[] {
    const value = this.attributes[name];
    if (!Array.isArray(value) || !value.every((s): s is string => typeof s === 'string')) {
      throw this.#attribute(name, 'a list of strings');
    }
    return value;
  }

  boolean(name: string): boolean {
    const value = this.attributes[name];
    if (typeof value !== 'boolean') throw this.#attribute(name, 'true or false');
    return value;
  }

  /** As {@link boolean}, `false` where it is not given. */
  flag(name: string): boolean {
    return this.attributes[name] !== undefined && this.boolean(name);
  }

  /** An attribute that is one of a few words. */
  word<W extends string>(name: string, ...words: readonly W[]): W {
    const value = this.attributes[name];
    const found = words.find((word) => word === value);
    if (found === undefined) throw this.#attribute(name, words.map((word) => `'${word}'`).join(' or '));
    return found;
  }

  #checkCount(what: string, received: number, expected: number | readonly [number, number]): void {
    const [min, max] = typeof expected === 'number' ? [expected, expected] : expected;
    if (received >= min && received <= max) return;
    throw this.invalid(min === max ? `${min} ${what}` : `${min} to ${max} ${what}`, `${received}`);
  }

  #attribute(name: string, expected: string): FoveaError {
    return this.invalid(`attribute ${name} to be ${expected}`, JSON.stringify(this.attributes[name]) ?? 'none');
  }

  #error(code: FoveaErrorCode, expected: string, received: string): FoveaError {
    const where = this.layer === '' ? this.op : `${this.op} "${this.layer}"`;
    const kernel = this.kernel === this.op ? '' : ` (kernel ${this.kernel})`;
    return new FoveaError(`${where}${kernel}: expected ${expected}, received ${received}`, {
      code,
      op: this.op,
      layer: this.layer,
      expected,
      received,
    });
  }
}
