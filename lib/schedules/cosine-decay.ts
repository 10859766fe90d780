import { OptionSchedule, scheduleRegistry } from './schedule.js';

export interface CosineDecayOptions {
  /** The rate at step 0, from which the warm-up rises when there is one. */
  initialLearningRate: number;
  decaySteps: number;
  /** The rate at the end, as a part of the rate at which the decay starts. */
  alpha?: number;
  /** The rate at the end of the warm-up; no warm-up when left out. */
  warmupTarget?: number | undefined;
  warmupSteps?: number;
}

/**
 * Half a cosine from the initial rate (or the warm-up's target) down to alpha times it, after a linear warm-up of
 * `warmupSteps` (Loshchilov and Hutter 2016, "SGDR", without restarts).
 */
export class CosineDecay extends OptionSchedule<CosineDecayOptions> {
  readonly className = 'CosineDecay';
  readonly #initial: number;
  readonly #steps: number;
  readonly #alpha: number;
  readonly #target: number | undefined;
  readonly #warmup: number;

  constructor(options: CosineDecayOptions) {
    super('cosineDecay', options);
    this.#initial = this.args.requiredNumber('initialLearningRate', { min: 0 });
    this.#steps = this.args.requiredNumber('decaySteps', { above: 0 });
    this.#alpha = this.args.number('alpha', 0, { min: 0 });
    this.#target = this.args.optionalNumber('warmupTarget', { min: 0 });
    this.#warmup = this.args.number('warmupSteps', 0, { min: 0 });
    this.args.done();
  }

  protected rate(step: number): number {
    if (this.#target === undefined) return this.#decay(step, this.#initial);
    if (step < this.#warmup) return this.#initial + ((this.#target - this.#initial) * step) / this.#warmup;
    return this.#decay(step - this.#warmup, this.#target);
  }

  #decay(step: number, from: number): number {
    const p = Math.min(step / this.#steps, 1);
    const cosine = 0.5 * (1 + Math.cos(Math.PI * p));
    return from * ((1 - this.#alpha) * cosine + this.#alpha);
  }
}

scheduleRegistry.register('CosineDecay', (c) => new CosineDecay(c as never));
