import { mismatch } from '../errors.js';
import { fill, tensor } from '../tensor/create.js';
import type { DType } from '../tensor/dtype.js';
import { formatShape, sizeOf, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { OptionReader, type Config } from '../util/options.js';
import { Initializer, initializerRegistry } from './initializer.js';

/** All 0. */
export class Zeros extends Initializer {
  readonly className = 'Zeros';

  protected make(shape: Shape, dtype: DType): Tensor {
    return fill(shape, 0, { dtype });
  }

  getConfig(): Config {
    return {};
  }
}

/** All 1. */
export class Ones extends Initializer {
  readonly className = 'Ones';

  protected make(shape: Shape, dtype: DType): Tensor {
    return fill(shape, 1, { dtype });
  }

  getConfig(): Config {
    return {};
  }
}

export interface ConstantOptions {
  /** One number for all elements, or all elements row-major. */
  value?: number | readonly number[];
}

/** One number everywhere, or given numbers. */
export class Constant extends Initializer {
  readonly className = 'Constant';
  readonly #args: OptionReader<ConstantOptions>;
  readonly #value: number | readonly number[];

  constructor(options: ConstantOptions = {}) {
    super();
    this.#args = new OptionReader('constant', options);
    this.#value = Array.isArray(this.#args.raw('value')) ? this.#args.numbers('value') : this.#args.number('value', 0);
    this.#args.done();
  }

  protected make(shape: Shape, dtype: DType): Tensor {
    if (typeof this.#value === 'number') return fill(shape, this.#value, { dtype });
    if (this.#value.length !== sizeOf(shape)) {
      const expected = `${sizeOf(shape)} values for shape ${formatShape(shape)}`;
      throw mismatch('ERR_SHAPE', { op: 'constant' }, expected, String(this.#value.length));
    }
    return tensor([...this.#value], shape, { dtype });
  }

  getConfig(): Config {
    return this.#args.config;
  }
}

export interface IdentityOptions {
  /** The number on the diagonal. */
  gain?: number;
}

/** A matrix with `gain` on its diagonal and 0 elsewhere. */
export class Identity extends Initializer {
  readonly className = 'Identity';
  readonly #args: OptionReader<IdentityOptions>;
  readonly #gain: number;

  constructor(options: IdentityOptions = {}) {
    super();
    this.#args = new OptionReader('identity', options);
    this.#gain = this.#args.number('gain', 1);
    this.#args.done();
  }

  protected make(shape: Shape, dtype: DType): Tensor {
    if (shape.length !== 2) {
      throw mismatch('ERR_SHAPE', { op: 'identity' }, 'a shape of two dimensions', formatShape(shape));
    }
    const [rows, columns] = shape as readonly [number, number];
    const values = new Float64Array(rows * columns);
    for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = this.#gain;
    return tensor(values, shape, { dtype });
  }

  getConfig(): Config {
    return this.#args.config;
  }
}

initializerRegistry.register('Zeros', () => new Zeros(), 'zero');
initializerRegistry.register('Ones', () => new Ones(), 'one');
initializerRegistry.register('Constant', (config) => new Constant(config));
initializerRegistry.register('Identity', (config) => new Identity(config), 'eye', 'IdentityInitializer');
