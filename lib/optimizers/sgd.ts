import { add, mul, sub } from '../ops/binary.js';
import { Optimizer, type OptimizerOptions, type RuleInput, type RuleOutput, type Step } from './optimizer.js';
import { optimizerRegistry } from './registry.js';

export interface SGDOptions extends OptimizerOptions {
  momentum?: number;
  /** Nesterov's accelerated gradient, as Sutskever et al. 2013 write it. */
  nesterov?: boolean;
}

/**
 * Stochastic gradient descent: w -= lr * g; with momentum, m = momentum * m - lr * g and w += m, or with Nesterov's,
 * w += momentum * m - lr * g (Sutskever et al. 2013, "On the importance of initialization and momentum").
 */
export class SGD extends Optimizer<'momentum', 'rate'> {
  readonly className = 'SGD';
  readonly #momentum: number;
  readonly #nesterov: boolean;

  constructor(options: SGDOptions = {}) {
    super('sgd', options, { learningRate: 0.01 });
    const args = this.reader<SGDOptions>();
    this.#momentum = args.number('momentum', 0, { min: 0, max: 1 });
    this.#nesterov = args.boolean('nesterov', false);
    args.done();
  }

  protected initialSlots() {
    return this.#momentum > 0 ? { momentum: 0 } : {};
  }

  protected host({ learningRate }: Step) {
    return { rate: learningRate };
  }

  protected rule({ w, g, slots, host }: RuleInput<'momentum', 'rate'>): RuleOutput<'momentum'> {
    const step = mul(g, host.rate);
    if (this.#momentum === 0) return { w: sub(w, step) };
    const momentum = sub(mul(slots.momentum, this.#momentum), step);
    const ahead = this.#nesterov ? sub(mul(momentum, this.#momentum), step) : momentum;
    return { w: add(w, ahead), slots: { momentum } };
  }
}

optimizerRegistry.register('SGD', (config) => new SGD(config));
