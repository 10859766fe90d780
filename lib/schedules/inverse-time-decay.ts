import { OptionSchedule, scheduleRegistry } from './schedule.js';

export interface InverseTimeDecayOptions {
  initialLearningRate: number;
  decaySteps: number;
  decayRate: number;
  /** Whether the rate falls in steps, once every `decaySteps`. */
  staircase?: boolean;
}

/** initialLearningRate / (1 + decayRate * step / decaySteps): what older Keras optimizers called `decay`. */
export class InverseTimeDecay extends OptionSchedule<InverseTimeDecayOptions> {
  readonly className = 'InverseTimeDecay';
  readonly #initial: number;
  readonly #steps: number;
  readonly #decay: number;
  readonly #staircase: boolean;

  constructor(options: InverseTimeDecayOptions) {
    super('inverseTimeDecay', options);
    this.#initial = this.args.requiredNumber('initialLearningRate', { min: 0 });
    this.#steps = this.args.requiredNumber('decaySteps', { above: 0 });
    this.#decay = this.args.requiredNumber('decayRate', { min: 0 });
    this.#staircase = this.args.boolean('staircase', false);
    this.args.done();
  }

  protected rate(step: number): number {
    const p = step / this.#steps;
    return this.#initial / (1 + this.#decay * (this.#staircase ? Math.floor(p) : p));
  }
}

scheduleRegistry.register('InverseTimeDecay', (c) => new InverseTimeDecay(c as never));
