import type { Config } from '../util/options.js';
import { CosineDecay, type CosineDecayOptions } from './cosine-decay.js';
import { CosineDecayRestarts, type CosineDecayRestartsOptions } from './cosine-decay-restarts.js';
import { ExponentialDecay, type ExponentialDecayOptions } from './exponential-decay.js';
import { InverseTimeDecay, type InverseTimeDecayOptions } from './inverse-time-decay.js';
import { PiecewiseConstantDecay, type PiecewiseConstantDecayOptions } from './piecewise-constant-decay.js';
import { PolynomialDecay, type PolynomialDecayOptions } from './polynomial-decay.js';
import { LearningRateSchedule, scheduleRegistry } from './schedule.js';

export { serialize } from '../util/options.js';
export {
  CosineDecay,
  CosineDecayRestarts,
  ExponentialDecay,
  InverseTimeDecay,
  LearningRateSchedule,
  PiecewiseConstantDecay,
  PolynomialDecay,
  scheduleRegistry,
};
export type {
  CosineDecayOptions,
  CosineDecayRestartsOptions,
  ExponentialDecayOptions,
  InverseTimeDecayOptions,
  PiecewiseConstantDecayOptions,
  PolynomialDecayOptions,
};

/** A value for each stretch of steps. */
export const piecewiseConstantDecay = (options: PiecewiseConstantDecayOptions): PiecewiseConstantDecay =>
  new PiecewiseConstantDecay(options);
/** initial * decayRate^(step / decaySteps). */
export const exponentialDecay = (options: ExponentialDecayOptions): ExponentialDecay => new ExponentialDecay(options);
/** initial / (1 + decayRate * step / decaySteps). */
export const inverseTimeDecay = (options: InverseTimeDecayOptions): InverseTimeDecay => new InverseTimeDecay(options);
/** (initial - end) * (1 - step / decaySteps)^power + end. */
export const polynomialDecay = (options: PolynomialDecayOptions): PolynomialDecay => new PolynomialDecay(options);
/** Half a cosine, after a linear warm-up when asked for. */
export const cosineDecay = (options: CosineDecayOptions): CosineDecay => new CosineDecay(options);
/** Half cosines one after the other. */
export const cosineDecayRestarts = (options: CosineDecayRestartsOptions): CosineDecayRestarts =>
  new CosineDecayRestarts(options);

/** A schedule from an instance, or from `{ className, config }` as `serialize` and Keras write it. */
export function get(identifier: LearningRateSchedule | Config): LearningRateSchedule {
  return identifier instanceof LearningRateSchedule ? identifier : scheduleRegistry.make(identifier);
}
