import type { Config } from '../util/options.js';
import { Adadelta, type AdadeltaOptions } from './adadelta.js';
import { Adagrad, type AdagradOptions } from './adagrad.js';
import { Adam, AdamW, type AdamOptions } from './adam.js';
import { Adamax, type AdamaxOptions } from './adamax.js';
import { Ftrl, type FtrlOptions } from './ftrl.js';
import { Lamb, type LambOptions } from './lamb.js';
import { Lion, type LionOptions } from './lion.js';
import { LossScaleOptimizer, type LossScaleOptions } from './loss-scale.js';
import { Nadam, type NadamOptions } from './nadam.js';
import { Optimizer } from './optimizer.js';
import { optimizerRegistry } from './registry.js';
import { RMSprop, type RMSpropOptions } from './rmsprop.js';
import { SGD, type SGDOptions } from './sgd.js';

export { serialize } from '../util/options.js';
export type { GradientPairs, OptimizerOptions, OptimizerState, RuleInput, RuleOutput, Step } from './optimizer.js';
export type { HostArray } from './slots.js';
export { Adadelta, Adagrad, Adam, Adamax, AdamW, Ftrl, Lamb, Lion };
export { LossScaleOptimizer, Nadam, Optimizer, optimizerRegistry, RMSprop, SGD };
export type {
  AdadeltaOptions,
  AdagradOptions,
  AdamaxOptions,
  AdamOptions,
  FtrlOptions,
  LambOptions,
  LionOptions,
  LossScaleOptions,
  NadamOptions,
  RMSpropOptions,
  SGDOptions,
};

/** Stochastic gradient descent, with momentum or Nesterov's when asked for. */
export const sgd = (options?: SGDOptions): SGD => new SGD(options);
export const rmsprop = (options?: RMSpropOptions): RMSprop => new RMSprop(options);
export const adam = (options?: AdamOptions): Adam => new Adam(options);
/** Adam with decoupled weight decay. */
export const adamw = (options?: AdamOptions): AdamW => new AdamW(options);
/** Adam with Nesterov momentum. */
export const nadam = (options?: NadamOptions): Nadam => new Nadam(options);
export const adagrad = (options?: AdagradOptions): Adagrad => new Adagrad(options);
export const adadelta = (options?: AdadeltaOptions): Adadelta => new Adadelta(options);
/** Adam by the infinity norm. */
export const adamax = (options?: AdamaxOptions): Adamax => new Adamax(options);
export const lion = (options?: LionOptions): Lion => new Lion(options);
export const ftrl = (options?: FtrlOptions): Ftrl => new Ftrl(options);
export const lamb = (options?: LambOptions): Lamb => new Lamb(options);

/** Dynamic loss scaling around an optimizer, for float16. */
export const lossScale = (innerOptimizer: Optimizer, options?: LossScaleOptions): LossScaleOptimizer =>
  new LossScaleOptimizer(innerOptimizer, options);

/** An optimizer from an instance, a name (`'adam'`), or `{ className, config }` as `serialize` and Keras write it. */
export function get(identifier: string | Optimizer | Config): Optimizer {
  return identifier instanceof Optimizer ? identifier : optimizerRegistry.make(identifier);
}
