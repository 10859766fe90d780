import { mismatch } from '../errors.js';
import { currentTrace } from '../graph/trace.js';
import { cast } from '../ops/unary.js';
import { nextSeed } from '../random/seed.js';
import { currentDevice, withDevice } from '../backends/registry.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { checkShape, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { OptionReader, type Config, type Configurable } from '../util/options.js';
import { Registry } from '../util/registry.js';

/** Where and as what the values are made. */
export interface InitializerTarget {
  dtype?: DType;
  device?: string;
}

/** Makes the first values of a weight from its shape. */
export abstract class Initializer implements Configurable {
  abstract readonly className: string;

  /**
   * The values.
   *
   * @param shape - kernels of convolutions are [h, w, in, out], of dense layers [in, out]
   */
  call(shape: Shape, { dtype = 'float32', device }: InitializerTarget = {}): Tensor {
    checkShape(this.className, shape);
    const place = device ?? currentTrace()?.device ?? currentDevice();
    return withDevice(place, () => this.make(shape, dtype));
  }

  abstract getConfig(): Config;

  /** The values, on the current device. */
  protected abstract make(shape: Shape, dtype: DType): Tensor;
}

export interface SeedOptions {
  /**
   * Fixes the values: the same at every call and on every device. Without it each call draws another of the global
   * seeds, which `setRandomSeed` fixes.
   */
  seed?: number | undefined;
}

/** An initializer that draws random numbers. */
export abstract class RandomInitializer<O extends SeedOptions> extends Initializer {
  protected readonly args: OptionReader<O>;
  readonly #seed: number | undefined;

  constructor(owner: string, options: O) {
    super();
    this.args = new OptionReader<O>(owner, options);
    const { min, max } = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };
    this.#seed = this.args.optionalNumber('seed', { integer: true, min, max });
  }

  getConfig(): Config {
    return this.args.config;
  }

  protected make(shape: Shape, dtype: DType): Tensor {
    if (!isFloat(dtype)) throw mismatch('ERR_DTYPE', { op: this.args.owner }, 'dtype float32', dtype);
    using drawn = this.draw(shape, this.#seed ?? nextSeed());
    return cast(drawn, dtype); // A handle of its own, also where nothing is converted.
  }

  /** Random numbers, as float32. */
  protected abstract draw(shape: Shape, seed: number): Tensor;
}

export const initializerRegistry = new Registry<Initializer>('initializer');
