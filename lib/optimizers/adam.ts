import { add, div, maximum, mul, sub } from '../ops/binary.js';
import { sqrt } from '../ops/unary.js';
import { BETA, moments } from './moments.js';
import { Optimizer, type OptimizerOptions, type RuleInput, type RuleOutput, type Step } from './optimizer.js';
import { optimizerRegistry } from './registry.js';

export interface AdamOptions extends OptimizerOptions {
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  /** Whether the largest second moment so far is used (Reddi, Kale, Kumar 2018). */
  amsgrad?: boolean;
}

type Slot = 'momentum' | 'velocity' | 'velocityHat';

/**
 * m and v are moving averages of g and g^2; w -= lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon)
 * (Kingma and Ba 2014, "Adam: a method for stochastic optimization", the form before section 2.1: epsilon is outside
 * of the bias correction).
 */
export class Adam extends Optimizer<Slot, 'alpha'> {
  readonly className: string = 'Adam';
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;
  readonly #amsgrad: boolean;

  constructor(options: AdamOptions = {}, name = 'adam', weightDecay?: number) {
    super(name, options, { learningRate: 0.001, ...(weightDecay === undefined ? {} : { weightDecay }) });
    const args = this.reader<AdamOptions>();
    this.#beta1 = args.number('beta1', 0.9, BETA);
    this.#beta2 = args.number('beta2', 0.999, BETA);
    this.#epsilon = args.number('epsilon', 1e-7, { min: 0 });
    this.#amsgrad = args.boolean('amsgrad', false);
    args.done();
  }

  protected initialSlots() {
    return { momentum: 0, velocity: 0, ...(this.#amsgrad ? { velocityHat: 0 } : {}) };
  }

  protected host({ t, learningRate }: Step) {
    return { alpha: (learningRate * Math.sqrt(1 - this.#beta2 ** t)) / (1 - this.#beta1 ** t) };
  }

  protected rule({ w, g, slots, host }: RuleInput<Slot, 'alpha'>): RuleOutput<Slot> {
    const { m, v } = moments(slots.momentum, slots.velocity, g, this.#beta1, this.#beta2);
    const largest = this.#amsgrad ? maximum(slots.velocityHat, v) : v;
    const step = div(mul(m, host.alpha), add(sqrt(largest), this.#epsilon));
    const made = { momentum: m, velocity: v };
    return { w: sub(w, step), slots: this.#amsgrad ? { ...made, velocityHat: largest } : made };
  }
}

/** Adam with decoupled weight decay, 0.004 by default (Loshchilov and Hutter 2017). */
export class AdamW extends Adam {
  override readonly className = 'AdamW';

  constructor(options: AdamOptions = {}) {
    super(options, 'adamw', 0.004);
  }
}

optimizerRegistry.register('Adam', (config) => new Adam(config));
optimizerRegistry.register('AdamW', (config) => new AdamW(config));
