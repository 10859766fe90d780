import { add, div, mul, sub } from '../ops/binary.js';
import { sqrt, square } from '../ops/unary.js';
import { Optimizer, type OptimizerOptions, type RuleInput, type RuleOutput, type Step } from './optimizer.js';
import { optimizerRegistry } from './registry.js';

export interface AdagradOptions extends OptimizerOptions {
  initialAccumulatorValue?: number;
  epsilon?: number;
}

/** a += g^2; w -= lr * g / sqrt(a + epsilon) (Duchi, Hazan, Singer 2011, "Adaptive subgradient methods"). */
export class Adagrad extends Optimizer<'accumulator', 'rate'> {
  readonly className = 'Adagrad';
  readonly #initial: number;
  readonly #epsilon: number;

  constructor(options: AdagradOptions = {}) {
    super('adagrad', options, { learningRate: 0.001 });
    const args = this.reader<AdagradOptions>();
    this.#initial = args.number('initialAccumulatorValue', 0.1, { min: 0 });
    this.#epsilon = args.number('epsilon', 1e-7, { min: 0 });
    args.done();
  }

  protected initialSlots() {
    return { accumulator: this.#initial };
  }

  protected host({ learningRate }: Step) {
    return { rate: learningRate };
  }

  protected rule({ w, g, slots, host }: RuleInput<'accumulator', 'rate'>): RuleOutput<'accumulator'> {
    const accumulator = add(slots.accumulator, square(g));
    const step = div(mul(g, host.rate), sqrt(add(accumulator, this.#epsilon)));
    return { w: sub(w, step), slots: { accumulator } };
  }
}

optimizerRegistry.register('Adagrad', (config) => new Adagrad(config));
