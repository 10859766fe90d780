import { add, div, mul, pow, sub } from '../ops/binary.js';
import { clip, square } from '../ops/unary.js';
import type { Tensor } from '../tensor/tensor.js';
import { Optimizer, type OptimizerOptions, type RuleInput, type RuleOutput, type Step } from './optimizer.js';
import { optimizerRegistry } from './registry.js';

export interface FtrlOptions extends OptimizerOptions {
  /** At most 0: how the learning rate falls; 0 keeps it. */
  learningRatePower?: number;
  initialAccumulatorValue?: number;
  l1RegularizationStrength?: number;
  l2RegularizationStrength?: number;
  l2ShrinkageRegularizationStrength?: number;
  beta?: number;
}

type Slot = 'accumulator' | 'linear';
type Host = 'inverseRate' | 'l2';

/**
 * Follow the regularized leader (McMahan et al. 2013, "Ad click prediction: a view from the trenches"): with
 * p = -learningRatePower and l2' = l2 + beta / (2 * lr),
 *
 * z += g' - (a'^p - a^p) / lr * w, where a' = a + g^2 and g' = g + 2 * shrinkage * w;
 * w = (clip(z, -l1, l1) - z) / (a'^p / lr + 2 * l2').
 */
export class Ftrl extends Optimizer<Slot, Host> {
  readonly className = 'Ftrl';
  readonly #power: number;
  readonly #initial: number;
  readonly #l1: number;
  readonly #l2: number;
  readonly #shrinkage: number;
  readonly #beta: number;

  constructor(options: FtrlOptions = {}) {
    super('ftrl', options, { learningRate: 0.001 });
    const args = this.reader<FtrlOptions>();
    this.#power = args.number('learningRatePower', -0.5, { max: 0 });
    this.#initial = args.number('initialAccumulatorValue', 0.1, { min: 0 });
    this.#l1 = args.number('l1RegularizationStrength', 0, { min: 0 });
    this.#l2 = args.number('l2RegularizationStrength', 0, { min: 0 });
    this.#shrinkage = args.number('l2ShrinkageRegularizationStrength', 0, { min: 0 });
    this.#beta = args.number('beta', 0);
    args.done();
  }

  protected initialSlots() {
    return { accumulator: this.#initial, linear: 0 };
  }

  protected host({ learningRate }: Step) {
    // A rate of 0 would make 0 / 0 of every weight; the smallest normal float32 moves none of them by a bit.
    const inverseRate = 1 / Math.max(learningRate, 2 ** -126);
    return { inverseRate, l2: 2 * this.#l2 + this.#beta * inverseRate };
  }

  protected rule({ w, g, slots, host }: RuleInput<Slot, Host>): RuleOutput<Slot> {
    const raised = (a: Tensor): Tensor => (this.#power === 0 ? pow(a, 0) : pow(a, -this.#power));
    const shrunk = this.#shrinkage === 0 ? g : add(g, mul(w, 2 * this.#shrinkage));
    const accumulator = add(slots.accumulator, square(g));
    const grown = raised(accumulator);
    const slope = mul(sub(grown, raised(slots.accumulator)), host.inverseRate);
    const linear = sub(add(slots.linear, shrunk), mul(slope, w));
    const quadratic = add(mul(grown, host.inverseRate), host.l2);
    return { w: div(sub(clip(linear, -this.#l1, this.#l1), linear), quadratic), slots: { accumulator, linear } };
  }
}

optimizerRegistry.register('Ftrl', (config) => new Ftrl(config));
