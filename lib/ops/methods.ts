import type { TensorLike } from '../tensor/create.js';
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import * as binary from './binary.js';
import { argMax, gather } from './indexing.js';
import { matmul } from './matmul.js';
import { max, mean, min, sum, type ReduceOptions } from './reduce.js';
import { broadcastTo, expandDims, flatten, pad, reshape, slice, squeeze, transpose } from './shape.js';
import { softmax } from './softmax.js';
import * as unary from './unary.js';

const methods = {
  add: binary.add,
  sub: binary.sub,
  mul: binary.mul,
  div: binary.div,
  pow: binary.pow,
  mod: binary.mod,
  maximum: binary.maximum,
  minimum: binary.minimum,
  equal: binary.equal,
  notEqual: binary.notEqual,
  greater: binary.greater,
  greaterEqual: binary.greaterEqual,
  less: binary.less,
  lessEqual: binary.lessEqual,
  neg: unary.neg,
  abs: unary.abs,
  exp: unary.exp,
  log: unary.log,
  sqrt: unary.sqrt,
  square: unary.square,
  relu: unary.relu,
  sigmoid: unary.sigmoid,
  tanh: unary.tanh,
  clip: unary.clip,
  cast: unary.cast,
  sum,
  mean,
  max,
  min,
  reshape,
  flatten,
  transpose,
  expandDims,
  squeeze,
  slice,
  pad,
  broadcastTo,
  gather,
  argMax,
  softmax,
  matmul,
};

type Methods = typeof methods;
/** A function of a tensor first, as a method of that tensor. */
type Method<F> = F extends (x: never, ...rest: infer R) => infer T ? (...rest: R) => T : never;
type TensorMethods = { [K in keyof Methods]: Method<Methods[K]> };

declare module '../tensor/tensor.js' {
  // The ops that read well after a dot; each is the function of the same name with this tensor as first argument.
  interface Tensor {
    add(b: TensorLike): Tensor;
    sub(b: TensorLike): Tensor;
    mul(b: TensorLike): Tensor;
    div(b: TensorLike): Tensor;
    pow(b: TensorLike): Tensor;
    mod(b: TensorLike): Tensor;
    maximum(b: TensorLike): Tensor;
    minimum(b: TensorLike): Tensor;
    equal(b: TensorLike): Tensor;
    notEqual(b: TensorLike): Tensor;
    greater(b: TensorLike): Tensor;
    greaterEqual(b: TensorLike): Tensor;
    less(b: TensorLike): Tensor;
    lessEqual(b: TensorLike): Tensor;
    neg(): Tensor;
    abs(): Tensor;
    exp(): Tensor;
    log(): Tensor;
    sqrt(): Tensor;
    square(): Tensor;
    relu(): Tensor;
    sigmoid(): Tensor;
    tanh(): Tensor;
    clip(min: number, max: number): Tensor;
    cast(dtype: DType): Tensor;
    sum(options?: ReduceOptions): Tensor;
    mean(options?: ReduceOptions): Tensor;
    max(options?: ReduceOptions): Tensor;
    min(options?: ReduceOptions): Tensor;
    reshape(shape: Shape): Tensor;
    flatten(): Tensor;
    transpose(perm?: readonly number[]): Tensor;
    expandDims(axis: number): Tensor;
    squeeze(axes?: number | readonly number[]): Tensor;
    slice(begin: readonly number[], size: readonly number[]): Tensor;
    pad(paddings: readonly (readonly [number, number])[], value?: number): Tensor;
    broadcastTo(shape: Shape): Tensor;
    gather(indices: TensorLike, axis?: number): Tensor;
    argMax(axis?: number): Tensor;
    softmax(axis?: number): Tensor;
    matmul(b: TensorLike, options?: { transposeA?: boolean; transposeB?: boolean }): Tensor;
  }
}

for (const [name, fn] of Object.entries(methods) as [keyof TensorMethods, (x: Tensor, ...rest: never[]) => Tensor][]) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: never[]) {
      return fn(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}
