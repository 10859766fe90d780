import { add, div, maximum, mul, sub } from '../ops/binary.js';
import { abs } from '../ops/unary.js';
import { BETA, movingAverage } from './moments.js';
import { Optimizer, type OptimizerOptions, type RuleInput, type RuleOutput, type Step } from './optimizer.js';
import { optimizerRegistry } from './registry.js';

export interface AdamaxOptions extends OptimizerOptions {
  beta1?: number;
  beta2?: number;
  epsilon?: number;
}

type Slot = 'momentum' | 'norm';

/**
 * u = max(beta2 * u, |g|); w -= lr / (1 - beta1^t) * m / (u + epsilon) (Kingma and Ba 2014, section 7.1: Adam by the
 * infinity norm).
 */
export class Adamax extends Optimizer<Slot, 'alpha'> {
  readonly className = 'Adamax';
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;

  constructor(options: AdamaxOptions = {}) {
    super('adamax', options, { learningRate: 0.001 });
    const args = this.reader<AdamaxOptions>();
    this.#beta1 = args.number('beta1', 0.9, BETA);
    this.#beta2 = args.number('beta2', 0.999, BETA);
    this.#epsilon = args.number('epsilon', 1e-7, { min: 0 });
    args.done();
  }

  protected initialSlots() {
    return { momentum: 0, norm: 0 };
  }

  protected host({ t, learningRate }: Step) {
    return { alpha: learningRate / (1 - this.#beta1 ** t) };
  }

  protected rule({ w, g, slots, host }: RuleInput<Slot, 'alpha'>): RuleOutput<Slot> {
    const momentum = movingAverage(slots.momentum, g, this.#beta1);
    const norm = maximum(mul(slots.norm, this.#beta2), abs(g));
    const step = div(mul(momentum, host.alpha), add(norm, this.#epsilon));
    return { w: sub(w, step), slots: { momentum, norm } };
  }
}

optimizerRegistry.register('Adamax', (config) => new Adamax(config));
