import { add, div, mul, sub } from '../ops/binary.js';
import { sqrt, square } from '../ops/unary.js';
import type { Tensor } from '../tensor/tensor.js';
import { BETA } from './moments.js';
import { Optimizer, type OptimizerOptions, type RuleInput, type RuleOutput, type Step } from './optimizer.js';
import { optimizerRegistry } from './registry.js';

export interface AdadeltaOptions extends OptimizerOptions {
  rho?: number;
  epsilon?: number;
}

type Slot = 'accumulatedGradient' | 'accumulatedDelta';

/**
 * a = rho * a + (1 - rho) * g^2; d = g * sqrt(b + epsilon) / sqrt(a + epsilon); b = rho * b + (1 - rho) * d^2;
 * w -= lr * d (Zeiler 2012, "ADADELTA: an adaptive learning rate method", whose learning rate is 1).
 */
export class Adadelta extends Optimizer<Slot, 'rate'> {
  readonly className = 'Adadelta';
  readonly #rho: number;
  readonly #epsilon: number;

  constructor(options: AdadeltaOptions = {}) {
    super('adadelta', options, { learningRate: 0.001 });
    const args = this.reader<AdadeltaOptions>();
    this.#rho = args.number('rho', 0.95, BETA);
    this.#epsilon = args.number('epsilon', 1e-7, { min: 0 });
    args.done();
  }

  protected initialSlots() {
    return { accumulatedGradient: 0, accumulatedDelta: 0 };
  }

  protected host({ learningRate }: Step) {
    return { rate: learningRate };
  }

  protected rule({ w, g, slots, host }: RuleInput<Slot, 'rate'>): RuleOutput<Slot> {
    const average = (a: Tensor, x: Tensor): Tensor => add(mul(a, this.#rho), mul(square(x), 1 - this.#rho));
    const root = (a: Tensor): Tensor => sqrt(add(a, this.#epsilon));
    const accumulatedGradient = average(slots.accumulatedGradient, g);
    const delta = div(mul(root(slots.accumulatedDelta), g), root(accumulatedGradient));
    const accumulatedDelta = average(slots.accumulatedDelta, delta);
    return { w: sub(w, mul(delta, host.rate)), slots: { accumulatedGradient, accumulatedDelta } };
  }
}

optimizerRegistry.register('Adadelta', (config) => new Adadelta(config));
