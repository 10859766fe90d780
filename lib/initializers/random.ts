import { mismatch } from '../errors.js';
import * as ops from '../ops/random.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { initializerRegistry, RandomInitializer, type SeedOptions } from './initializer.js';

export interface RandomUniformOptions extends SeedOptions {
  minval?: number;
  maxval?: number;
}

/** Uniform in [minval, maxval). */
export class RandomUniform extends RandomInitializer<RandomUniformOptions> {
  readonly className = 'RandomUniform';
  readonly #min: number;
  readonly #max: number;

  constructor(options: RandomUniformOptions = {}) {
    super('randomUniform', options);
    this.#min = this.args.number('minval', -0.05);
    this.#max = this.args.number('maxval', 0.05);
    this.args.done();
    if (this.#min > this.#max) {
      const received = `${this.#min} and ${this.#max}`;
      throw mismatch('ERR_ARGUMENT', { op: this.args.owner }, 'minval <= maxval', received);
    }
  }

  protected draw(shape: Shape, seed: number): Tensor {
    return ops.randomUniform(shape, seed, { min: this.#min, max: this.#max });
  }
}

export interface RandomNormalOptions extends SeedOptions {
  mean?: number;
  stddev?: number;
}

/** Normally distributed. */
export class RandomNormal extends RandomInitializer<RandomNormalOptions> {
  readonly className = 'RandomNormal';
  readonly #mean: number;
  readonly #stddev: number;

  constructor(options: RandomNormalOptions = {}) {
    super('randomNormal', options);
    this.#mean = this.args.number('mean', 0);
    this.#stddev = this.args.number('stddev', 0.05, { min: 0 });
    this.args.done();
  }

  protected draw(shape: Shape, seed: number): Tensor {
    return ops.randomNormal(shape, seed, { mean: this.#mean, stddev: this.#stddev });
  }
}

/** Normally distributed, redrawn beyond two standard deviations; `stddev` is that before the cut, as in Keras. */
export class TruncatedNormal extends RandomInitializer<RandomNormalOptions> {
  readonly className = 'TruncatedNormal';
  readonly #mean: number;
  readonly #stddev: number;

  constructor(options: RandomNormalOptions = {}) {
    super('truncatedNormal', options);
    this.#mean = this.args.number('mean', 0);
    this.#stddev = this.args.number('stddev', 0.05, { min: 0 });
    this.args.done();
  }

  protected draw(shape: Shape, seed: number): Tensor {
    return ops.truncatedNormal(shape, seed, { mean: this.#mean, stddev: this.#stddev });
  }
}

initializerRegistry.register('RandomUniform', (config) => new RandomUniform(config), 'uniform');
initializerRegistry.register('RandomNormal', (config) => new RandomNormal(config), 'normal');
initializerRegistry.register('TruncatedNormal', (config) => new TruncatedNormal(config));
