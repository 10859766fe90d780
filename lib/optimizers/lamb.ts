import { add, and, div, greater, mul, select, sub } from '../ops/binary.js';
import { sum } from '../ops/reduce.js';
import { sqrt, square } from '../ops/unary.js';
import type { Tensor } from '../tensor/tensor.js';
import { BETA, moments } from './moments.js';
import { Optimizer, type OptimizerOptions, type RuleInput, type RuleOutput, type Step } from './optimizer.js';
import { optimizerRegistry } from './registry.js';

export interface LambOptions extends OptimizerOptions {
  beta1?: number;
  beta2?: number;
  epsilon?: number;
}

type Slot = 'momentum' | 'velocity';
type Host = 'momentumPart' | 'velocityPart' | 'rate';

/**
 * Adam's update r = m^ / (sqrt(v^) + epsilon), scaled for each variable to the variable's own norm: w -= lr * |w| / |r| * r
 * (You et al. 2019, "Large batch optimization for deep learning").
 */
export class Lamb extends Optimizer<Slot, Host> {
  readonly className = 'Lamb';
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;

  constructor(options: LambOptions = {}) {
    super('lamb', options, { learningRate: 0.001 });
    const args = this.reader<LambOptions>();
    this.#beta1 = args.number('beta1', 0.9, BETA);
    this.#beta2 = args.number('beta2', 0.999, BETA);
    this.#epsilon = args.number('epsilon', 1e-7, { min: 0 });
    args.done();
  }

  protected initialSlots() {
    return { momentum: 0, velocity: 0 };
  }

  protected host({ t, learningRate }: Step) {
    const momentumPart = 1 / (1 - this.#beta1 ** t);
    return { momentumPart, velocityPart: 1 / (1 - this.#beta2 ** t), rate: learningRate };
  }

  protected rule({ w, g, slots, host }: RuleInput<Slot, Host>): RuleOutput<Slot> {
    const { m, v } = moments(slots.momentum, slots.velocity, g, this.#beta1, this.#beta2);
    const spread = add(sqrt(mul(v, host.velocityPart)), this.#epsilon);
    const step = div(mul(m, host.momentumPart), spread);
    const norm = (x: Tensor): Tensor => sqrt(sum(square(x)));
    const [own, other] = [norm(w), norm(step)];
    const both = and(greater(own, 0), greater(other, 0));
    const ratio = select(both, div(own, select(both, other, 1)), 1);
    return { w: sub(w, mul(step, mul(ratio, host.rate))), slots: { momentum: m, velocity: v } };
  }
}

optimizerRegistry.register('Lamb', (config) => new Lamb(config));
