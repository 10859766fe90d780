import { OptionSchedule, scheduleRegistry } from './schedule.js';

export interface PolynomialDecayOptions {
  initialLearningRate: number;
  decaySteps: number;
  endLearningRate?: number;
  power?: number;
  /** Whether to start again, over the next multiple of `decaySteps`, each time the end is reached. */
  cycle?: boolean;
}

/**
 * (initial - end) * (1 - step / decaySteps)^power + end. Step stops at `decaySteps`, or with `cycle`, `decaySteps`
 * grows to its smallest multiple that is not below step.
 */
export class PolynomialDecay extends OptionSchedule<PolynomialDecayOptions> {
  readonly className = 'PolynomialDecay';
  readonly #initial: number;
  readonly #steps: number;
  readonly #end: number;
  readonly #power: number;
  readonly #cycle: boolean;

  constructor(options: PolynomialDecayOptions) {
    super('polynomialDecay', options);
    this.#initial = this.args.requiredNumber('initialLearningRate', { min: 0 });
    this.#steps = this.args.requiredNumber('decaySteps', { above: 0 });
    this.#end = this.args.number('endLearningRate', 0.0001, { min: 0 });
    this.#power = this.args.number('power', 1, { min: 0 });
    this.#cycle = this.args.boolean('cycle', false);
    this.args.done();
  }

  protected rate(step: number): number {
    const periods = this.#cycle ? Math.max(1, Math.ceil(step / this.#steps)) : 1;
    const total = this.#steps * periods;
    const p = Math.min(step, total) / total;
    return (this.#initial - this.#end) * (1 - p) ** this.#power + this.#end;
  }
}

scheduleRegistry.register('PolynomialDecay', (c) => new PolynomialDecay(c as never));
