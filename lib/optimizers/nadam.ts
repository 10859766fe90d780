import { add, div, mul, sub } from '../ops/binary.js';
import { sqrt } from '../ops/unary.js';
import { BETA, moments } from './moments.js';
import { Optimizer, type OptimizerOptions, type RuleInput, type RuleOutput, type Step } from './optimizer.js';
import { optimizerRegistry } from './registry.js';

export interface NadamOptions extends OptimizerOptions {
  beta1?: number;
  beta2?: number;
  epsilon?: number;
}

type Slot = 'momentum' | 'velocity';
type Host = 'momentumPart' | 'gradientPart' | 'velocityPart' | 'rate';

/** How fast the momentum's warm-up ends. */
const DECAY = 0.96;

/**
 * Adam with Nesterov momentum (Dozat 2016, "Incorporating Nesterov momentum into Adam"): with
 * u_t = beta1 * (1 - 0.96^t / 2) and U_t = u_1 * ... * u_t,
 *
 * m^ = u_(t+1) * m / (1 - U_(t+1)) + (1 - u_t) * g / (1 - U_t); v^ = v / (1 - beta2^t);
 * w -= lr * m^ / (sqrt(v^) + epsilon).
 */
export class Nadam extends Optimizer<Slot, Host> {
  readonly className = 'Nadam';
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;
  /** U of step `t`: a function of t alone, kept so that a step costs one multiplication. */
  #product = { t: 0, value: 1 };

  constructor(options: NadamOptions = {}) {
    super('nadam', options, { learningRate: 0.001 });
    const args = this.reader<NadamOptions>();
    this.#beta1 = args.number('beta1', 0.9, BETA);
    this.#beta2 = args.number('beta2', 0.999, BETA);
    this.#epsilon = args.number('epsilon', 1e-7, { min: 0 });
    args.done();
  }

  protected initialSlots() {
    return { momentum: 0, velocity: 0 };
  }

  #u(t: number): number {
    return this.#beta1 * (1 - 0.5 * DECAY ** t);
  }

  #productOf(t: number): number {
    let { t: at, value } = this.#product;
    if (at > t) [at, value] = [0, 1];
    while (at < t && value > 0) value *= this.#u(++at);
    this.#product = { t, value };
    return value;
  }

  protected host({ t, learningRate }: Step) {
    const [u, next] = [this.#u(t), this.#u(t + 1)];
    const product = this.#productOf(t);
    return {
      momentumPart: next / (1 - product * next),
      gradientPart: (1 - u) / (1 - product),
      velocityPart: 1 / (1 - this.#beta2 ** t),
      rate: learningRate,
    };
  }

  protected rule({ w, g, slots, host }: RuleInput<Slot, Host>): RuleOutput<Slot> {
    const { m, v } = moments(slots.momentum, slots.velocity, g, this.#beta1, this.#beta2);
    const ahead = add(mul(m, host.momentumPart), mul(g, host.gradientPart));
    const spread = add(sqrt(mul(v, host.velocityPart)), this.#epsilon);
    return { w: sub(w, div(mul(ahead, host.rate), spread)), slots: { momentum: m, velocity: v } };
  }
}

optimizerRegistry.register('Nadam', (config) => new Nadam(config));
