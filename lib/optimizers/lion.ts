import { add, mul, sub } from '../ops/binary.js';
import { sign } from '../ops/unary.js';
import { BETA } from './moments.js';
import { Optimizer, type OptimizerOptions, type RuleInput, type RuleOutput, type Step } from './optimizer.js';
import { optimizerRegistry } from './registry.js';

export interface LionOptions extends OptimizerOptions {
  beta1?: number;
  beta2?: number;
}

/**
 * w -= lr * sign(beta1 * m + (1 - beta1) * g); m = beta2 * m + (1 - beta2) * g (Chen et al. 2023, "Symbolic discovery
 * of optimization algorithms").
 */
export class Lion extends Optimizer<'momentum', 'rate'> {
  readonly className = 'Lion';
  readonly #beta1: number;
  readonly #beta2: number;

  constructor(options: LionOptions = {}) {
    super('lion', options, { learningRate: 0.001 });
    const args = this.reader<LionOptions>();
    this.#beta1 = args.number('beta1', 0.9, { above: 0, max: 1 });
    this.#beta2 = args.number('beta2', 0.99, BETA);
    args.done();
  }

  protected initialSlots() {
    return { momentum: 0 };
  }

  protected host({ learningRate }: Step) {
    return { rate: learningRate };
  }

  protected rule({ w, g, slots, host }: RuleInput<'momentum', 'rate'>): RuleOutput<'momentum'> {
    const blend = (beta: number) => add(mul(slots.momentum, beta), mul(g, 1 - beta));
    return { w: sub(w, mul(sign(blend(this.#beta1)), host.rate)), slots: { momentum: blend(this.#beta2) } };
  }
}

optimizerRegistry.register('Lion', (config) => new Lion(config));
