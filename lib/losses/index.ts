import type { Config } from '../util/options.js';
import {
  BinaryCrossentropy,
  CategoricalCrossentropy,
  SparseCategoricalCrossentropy,
  type CrossentropyOptions,
  type SmoothedCrossentropyOptions,
} from './crossentropy.js';
import { CustomLoss, type LossFunction } from './custom.js';
import { Loss, lossRegistry, type LossOptions } from './loss.js';
import * as regression from './regression.js';

export { serialize } from '../util/options.js';
export * from './regression.js';
export type { Reduction } from './reduction.js';
export { BinaryCrossentropy, CategoricalCrossentropy, CustomLoss, Loss, lossRegistry, SparseCategoricalCrossentropy };
export type { CrossentropyOptions, LossFunction, LossOptions, SmoothedCrossentropyOptions };

/** Cross-entropy of class numbers. */
export const sparseCategoricalCrossentropy = (options?: CrossentropyOptions): SparseCategoricalCrossentropy =>
  new SparseCategoricalCrossentropy(options);
/** Cross-entropy of class probabilities. */
export const categoricalCrossentropy = (options?: SmoothedCrossentropyOptions): CategoricalCrossentropy =>
  new CategoricalCrossentropy(options);
/** Cross-entropy of yes or no. */
export const binaryCrossentropy = (options?: Omit<SmoothedCrossentropyOptions, 'axis'>): BinaryCrossentropy =>
  new BinaryCrossentropy(options);
export const meanSquaredError = (options?: LossOptions): regression.MeanSquaredError =>
  new regression.MeanSquaredError(options);
export const meanAbsoluteError = (options?: LossOptions): regression.MeanAbsoluteError =>
  new regression.MeanAbsoluteError(options);
export const meanAbsolutePercentageError = (options?: LossOptions): regression.MeanAbsolutePercentageError =>
  new regression.MeanAbsolutePercentageError(options);
export const meanSquaredLogarithmicError = (options?: LossOptions): regression.MeanSquaredLogarithmicError =>
  new regression.MeanSquaredLogarithmicError(options);
/** Square near the target, distance far from it. */
export const huber = (options?: regression.HuberOptions): regression.Huber => new regression.Huber(options);
export const logCosh = (options?: LossOptions): regression.LogCosh => new regression.LogCosh(options);
export const poisson = (options?: LossOptions): regression.Poisson => new regression.Poisson(options);
export const hinge = (options?: LossOptions): regression.Hinge => new regression.Hinge(options);
export const squaredHinge = (options?: LossOptions): regression.SquaredHinge => new regression.SquaredHinge(options);
export const kullbackLeiblerDivergence = (options?: LossOptions): regression.KLDivergence =>
  new regression.KLDivergence(options);
export const cosineSimilarity = (options?: LossOptions): regression.CosineSimilarity =>
  new regression.CosineSimilarity(options);

/**
 * A loss from an instance, a name (`'mse'`), a function of targets and predictions, or `{ className, config }` as
 * `serialize` and Keras write it.
 */
export function get(identifier: string | Loss | LossFunction | Config): Loss {
  if (identifier instanceof Loss) return identifier;
  if (typeof identifier === 'function') return new CustomLoss(identifier);
  return lossRegistry.make(identifier);
}
