import type { Config } from '../util/options.js';
import { Constant, Identity, Ones, Zeros, type ConstantOptions, type IdentityOptions } from './constant.js';
import { Initializer, initializerRegistry } from './initializer.js';
import { Orthogonal, type OrthogonalOptions } from './orthogonal.js';
import {
  RandomNormal,
  RandomUniform,
  TruncatedNormal,
  type RandomNormalOptions,
  type RandomUniformOptions,
} from './random.js';
import { VarianceScaling, type VarianceScalingOptions } from './variance-scaling.js';

export { serialize } from '../util/options.js';
export type { InitializerTarget, SeedOptions } from './initializer.js';
export {
  computeFans,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  lecunNormal,
  lecunUniform,
  type Fans,
} from './variance-scaling.js';
export { Initializer, initializerRegistry, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling };
export { Constant, Identity, Ones, Orthogonal, Zeros };
export type {
  ConstantOptions,
  IdentityOptions,
  OrthogonalOptions,
  RandomNormalOptions,
  RandomUniformOptions,
  VarianceScalingOptions,
};

/** All 0. */
export const zeros = (): Zeros => new Zeros();
/** All 1. */
export const ones = (): Ones => new Ones();
/** One number everywhere, or given numbers. */
export const constant = (value: ConstantOptions['value'] = 0): Constant => new Constant({ value });
/** A matrix with `gain` on its diagonal. */
export const identity = (options?: IdentityOptions): Identity => new Identity(options);
/** Uniform in [minval, maxval). */
export const randomUniform = (options?: RandomUniformOptions): RandomUniform => new RandomUniform(options);
export const randomNormal = (options?: RandomNormalOptions): RandomNormal => new RandomNormal(options);
/** Normally distributed, redrawn beyond two standard deviations. */
export const truncatedNormal = (options?: RandomNormalOptions): TruncatedNormal => new TruncatedNormal(options);
/** Random numbers whose variance fits the number of inputs or outputs. */
export const varianceScaling = (options?: VarianceScalingOptions): VarianceScaling => new VarianceScaling(options);
/** A random matrix with orthonormal rows or columns. */
export const orthogonal = (options?: OrthogonalOptions): Orthogonal => new Orthogonal(options);

/** An initializer from an instance, a name (`'heNormal'`), or `{ className, config }` as `serialize` and Keras write it. */
export function get(identifier: string | Initializer | Config): Initializer {
  return identifier instanceof Initializer ? identifier : initializerRegistry.make(identifier);
}
