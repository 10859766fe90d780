import { randomNormal, randomUniform, truncatedNormal } from '../ops/random.js';
import { sizeOf, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { initializerRegistry, RandomInitializer, type SeedOptions } from './initializer.js';

/** How many inputs an output of a weight depends on, and how many outputs an input reaches. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/**
 * The fans of a weight, as Keras computes them: of a kernel [...window, in, out], the window's size times in and out;
 * of a vector, its length for both.
 */
export function computeFans(shape: Shape): Fans {
  if (shape.length === 0) return { fanIn: 1, fanOut: 1 };
  if (shape.length === 1) return { fanIn: shape[0]!, fanOut: shape[0]! };
  const window = sizeOf(shape.slice(0, -2));
  return { fanIn: shape.at(-2)! * window, fanOut: shape.at(-1)! * window };
}

/** The standard deviation of a standard normal distribution cut at two deviations. */
const TRUNCATED_DEVIATION = 0.87962566103423978;

const MODES = ['fanIn', 'fanOut', 'fanAvg'] as const;
const DISTRIBUTIONS = ['truncatedNormal', 'untruncatedNormal', 'uniform'] as const;

export interface VarianceScalingOptions extends SeedOptions {
  scale?: number;
  mode?: (typeof MODES)[number];
  distribution?: (typeof DISTRIBUTIONS)[number];
}

/**
 * Random numbers of mean 0 and variance scale / n, n being the fan in, the fan out or their mean, so that activations
 * keep their size from layer to layer.
 */
export class VarianceScaling extends RandomInitializer<VarianceScalingOptions> {
  readonly className: string = 'VarianceScaling';
  readonly #scale: number;
  readonly #mode: (typeof MODES)[number];
  readonly #distribution: (typeof DISTRIBUTIONS)[number];

  constructor(options: VarianceScalingOptions = {}, owner = 'varianceScaling') {
    super(owner, options);
    this.#scale = this.args.number('scale', 1, { above: 0 });
    this.#mode = this.args.choice('mode', 'fanIn', MODES);
    const given = this.args.raw('distribution') === 'normal' ? 'truncatedNormal' : undefined;
    this.#distribution = given ?? this.args.choice('distribution', 'truncatedNormal', DISTRIBUTIONS);
    this.args.note('distribution', this.#distribution);
    this.args.done();
  }

  protected draw(shape: Shape, seed: number): Tensor {
    const { fanIn, fanOut } = computeFans(shape);
    const n = { fanIn, fanOut, fanAvg: (fanIn + fanOut) / 2 }[this.#mode];
    const variance = this.#scale / Math.max(1, n);
    const stddev = Math.sqrt(variance);
    switch (this.#distribution) {
      case 'truncatedNormal':
        return truncatedNormal(shape, seed, { stddev: stddev / TRUNCATED_DEVIATION });
      case 'untruncatedNormal':
        return randomNormal(shape, seed, { stddev });
      case 'uniform': {
        const limit = Math.sqrt(3 * variance);
        return randomUniform(shape, seed, { min: -limit, max: limit });
      }
    }
  }
}

/** A variance scaling under a name of its own, that has a seed only. */
function named(
  className: string,
  scale: number,
  mode: (typeof MODES)[number],
  distribution: 'truncatedNormal' | 'uniform',
) {
  class Named extends VarianceScaling {
    override readonly className: string = className;

    constructor(options: SeedOptions = {}) {
      super({ ...options, scale, mode, distribution }, `${className[0]!.toLowerCase()}${className.slice(1)}`);
    }

    override getConfig() {
      const { seed } = super.getConfig();
      return seed === undefined ? {} : { seed };
    }
  }
  const make = (options: SeedOptions = {}): VarianceScaling => new Named(options);
  initializerRegistry.register(className, make);
  return make;
}

initializerRegistry.register('VarianceScaling', (config) => new VarianceScaling(config));

/** Uniform with limit sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010): the default of dense and convolution. */
export const glorotUniform = named('GlorotUniform', 1, 'fanAvg', 'uniform');
/** Truncated normal with deviation sqrt(2 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
export const glorotNormal = named('GlorotNormal', 1, 'fanAvg', 'truncatedNormal');
/** Uniform with limit sqrt(6 / fanIn) (He et al. 2015): for relu. */
export const heUniform = named('HeUniform', 2, 'fanIn', 'uniform');
/** Truncated normal with deviation sqrt(2 / fanIn) (He et al. 2015): for relu. */
export const heNormal = named('HeNormal', 2, 'fanIn', 'truncatedNormal');
/** Uniform with limit sqrt(3 / fanIn) (LeCun et al. 1998): for selu. */
export const lecunUniform = named('LecunUniform', 1, 'fanIn', 'uniform');
/** Truncated normal with deviation sqrt(1 / fanIn) (LeCun et al. 1998): for selu. */
export const lecunNormal = named('LecunNormal', 1, 'fanIn', 'truncatedNormal');
