import { add, mul } from '../ops/binary.js';
import { sum } from '../ops/reduce.js';
import { abs, square } from '../ops/unary.js';
import type { Tensor } from '../tensor/tensor.js';
import { OptionReader, type Config, type Configurable } from '../util/options.js';
import { Registry } from '../util/registry.js';

export { serialize } from '../util/options.js';

/** A penalty on a weight that is added to the loss. */
export abstract class Regularizer implements Configurable {
  abstract readonly className: string;
  /** The penalty of a weight, a scalar. */
  abstract call(weight: Tensor): Tensor;
  abstract getConfig(): Config;
}

export const regularizerRegistry = new Registry<Regularizer>('regularizer');

export interface L1L2Options {
  l1?: number;
  l2?: number;
}

/** l1 * sum(|w|) + l2 * sum(w^2). */
export class L1L2 extends Regularizer {
  readonly className: string = 'L1L2';
  readonly #args: OptionReader<L1L2Options>;
  readonly #l1: number;
  readonly #l2: number;

  /**
   * @param defaults - of the factors that there are; a factor without a default is not taken
   */
  constructor(options: L1L2Options = {}, owner = 'l1l2', defaults: L1L2Options = { l1: 0, l2: 0 }) {
    super();
    this.#args = new OptionReader(owner, options);
    this.#l1 = defaults.l1 === undefined ? 0 : this.#args.number('l1', defaults.l1, { min: 0 });
    this.#l2 = defaults.l2 === undefined ? 0 : this.#args.number('l2', defaults.l2, { min: 0 });
    this.#args.done();
  }

  call(weight: Tensor): Tensor {
    const terms: Tensor[] = [];
    if (this.#l1 !== 0) terms.push(mul(sum(abs(weight)), this.#l1));
    if (this.#l2 !== 0 || terms.length === 0) terms.push(mul(sum(square(weight)), this.#l2));
    return terms.reduce(add);
  }

  getConfig(): Config {
    return this.#args.config;
  }
}

/** l1 * sum(|w|): drives weights to 0. */
export class L1 extends L1L2 {
  override readonly className = 'L1';

  constructor(options: { l1?: number } = {}) {
    super(options, 'l1', { l1: 0.01 });
  }
}

/** l2 * sum(w^2): keeps weights small. */
export class L2 extends L1L2 {
  override readonly className = 'L2';

  constructor(options: { l2?: number } = {}) {
    super(options, 'l2', { l2: 0.01 });
  }
}

regularizerRegistry.register('L1', (config) => new L1(config));
regularizerRegistry.register('L2', (config) => new L2(config));
regularizerRegistry.register('L1L2', (config) => new L1L2(config));

/** factor * sum(|w|). */
export const l1 = (factor = 0.01): L1 => new L1({ l1: factor });
/** factor * sum(w^2). */
export const l2 = (factor = 0.01): L2 => new L2({ l2: factor });
/** l1 * sum(|w|) + l2 * sum(w^2). */
export const l1l2 = (options?: L1L2Options): L1L2 => new L1L2(options);

/** A regularizer from an instance, a name, or `{ className, config }`; none from `null`. */
export function get(identifier: string | Regularizer | Config): Regularizer;
export function get(identifier: string | Regularizer | Config | null): Regularizer | null;
export function get(identifier: string | Regularizer | Config | null): Regularizer | null {
  if (identifier === null || identifier instanceof Regularizer) return identifier;
  return regularizerRegistry.make(identifier);
}
