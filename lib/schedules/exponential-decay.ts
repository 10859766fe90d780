import { OptionSchedule, scheduleRegistry } from './schedule.js';

export interface ExponentialDecayOptions {
  initialLearningRate: number;
  decaySteps: number;
  decayRate: number;
  /** Whether the rate falls in steps, once every `decaySteps`. */
  staircase?: boolean;
}

/** initialLearningRate * decayRate^(step / decaySteps). */
export class ExponentialDecay extends OptionSchedule<ExponentialDecayOptions> {
  readonly className = 'ExponentialDecay';
  readonly #initial: number;
  readonly #steps: number;
  readonly #decay: number;
  readonly #staircase: boolean;

  constructor(options: ExponentialDecayOptions) {
    super('exponentialDecay', options);
    this.#initial = this.args.requiredNumber('initialLearningRate', { min: 0 });
    this.#steps = this.args.requiredNumber('decaySteps', { above: 0 });
    this.#decay = this.args.requiredNumber('decayRate', { min: 0 });
    this.#staircase = this.args.boolean('staircase', false);
    this.args.done();
  }

  protected rate(step: number): number {
    const p = step / this.#steps;
    return this.#initial * this.#decay ** (this.#staircase ? Math.floor(p) : p);
  }
}

scheduleRegistry.register('ExponentialDecay', (c) => new ExponentialDecay(c as never));
