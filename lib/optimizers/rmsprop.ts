import { add, div, mul, sub } from '../ops/binary.js';
import { sqrt, square } from '../ops/unary.js';
import { BETA } from './moments.js';
import { Optimizer, type OptimizerOptions, type RuleInput, type RuleOutput, type Step } from './optimizer.js';
import { optimizerRegistry } from './registry.js';

export interface RMSpropOptions extends OptimizerOptions {
  /** Decay rate of the averages. */
  rho?: number;
  momentum?: number;
  epsilon?: number;
  /** Whether gradients are divided by their estimated deviation instead of their root mean square. */
  centered?: boolean;
}

type Slot = 'velocity' | 'momentum' | 'averageGradient';

/**
 * v = rho * v + (1 - rho) * g^2; w -= lr * g / sqrt(v + epsilon), v less the squared mean gradient when centered
 * (Hinton 2012, "Neural networks for machine learning", lecture 6e; Graves 2013 for the centered one).
 */
export class RMSprop extends Optimizer<Slot, 'rate'> {
  readonly className = 'RMSprop';
  readonly #rho: number;
  readonly #momentum: number;
  readonly #epsilon: number;
  readonly #centered: boolean;

  constructor(options: RMSpropOptions = {}) {
    super('rmsprop', options, { learningRate: 0.001 });
    const args = this.reader<RMSpropOptions>();
    this.#rho = args.number('rho', 0.9, BETA);
    this.#momentum = args.number('momentum', 0, { min: 0, max: 1 });
    this.#epsilon = args.number('epsilon', 1e-7, { min: 0 });
    this.#centered = args.boolean('centered', false);
    args.done();
  }

  protected initialSlots() {
    return {
      velocity: 0,
      ...(this.#momentum > 0 ? { momentum: 0 } : {}),
      ...(this.#centered ? { averageGradient: 0 } : {}),
    };
  }

  protected host({ learningRate }: Step) {
    return { rate: learningRate };
  }

  protected rule({ w, g, slots, host }: RuleInput<Slot, 'rate'>): RuleOutput<Slot> {
    const rho = this.#rho;
    const velocity = add(mul(slots.velocity, rho), mul(square(g), 1 - rho));
    const made: Partial<Record<Slot, typeof w>> = { velocity };
    let spread = velocity;
    if (this.#centered) {
      made.averageGradient = add(mul(slots.averageGradient, rho), mul(g, 1 - rho));
      spread = sub(velocity, square(made.averageGradient));
    }
    let step = div(mul(g, host.rate), sqrt(add(spread, this.#epsilon)));
    if (this.#momentum > 0) step = made.momentum = add(mul(slots.momentum, this.#momentum), step);
    return { w: sub(w, step), slots: made };
  }
}

optimizerRegistry.register('RMSprop', (config) => new RMSprop(config));
