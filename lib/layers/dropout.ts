import { mismatch } from '../errors.js';
import * as ops from '../ops/index.js';
import { SeedGenerator } from '../random/seed.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkKeys, finiteNumber, wrongArgument } from './arguments.js';
import type { CallContext, LayerOptions } from './layer.js';
import type { LayerConfig } from './registry.js';
import { formatSymbolicShape, type SymbolicShape } from './symbolic.js';
import { UnaryLayer } from './unary.js';

export interface DropoutOptions extends LayerOptions {
  /** Part of the inputs that is set to 0 in training, from 0 to 1. */
  rate: number;
  /** Fixes the row of masks; one of the global seeds by default. */
  seed?: number | null | undefined;
}

export interface NoiseDropoutOptions extends DropoutOptions {
  /**
   * 1 for axes along which elements are dropped together, `null` for the others: `[null, 1, 1, 1]` drops whole
   * examples ("stochastic depth"). Every element by itself by default.
   */
  noiseShape?: readonly (number | null)[] | null | undefined;
}

abstract class BaseDropout extends UnaryLayer {
  readonly rate: number;
  readonly seedGenerator: SeedGenerator;

  constructor(options: DropoutOptions) {
    super(options);
    checkKeys(this, options, this.optionKeys);
    this.rate = finiteNumber(this, 'rate', options.rate, { least: 0, most: 1 });
    const seed = options.seed ?? undefined;
    if (seed !== undefined && !Number.isSafeInteger(seed)) throw wrongArgument(this, 'seed', 'a safe integer', seed);
    this.seedGenerator = new SeedGenerator({ seed, name: this.name });
  }

  /** The input with some of it set to 0. */
  protected abstract drop(x: Tensor): Tensor;

  protected get optionKeys(): readonly string[] {
    return ['rate', 'seed'];
  }

  /** The input times a mask that is 1 or broadcast along some axes. */
  protected dropAlike(x: Tensor, maskShape: Shape): Tensor {
    const none = maskShape.map(() => 0);
    const ones = ops.onesLike(ops.slice(x, none, maskShape));
    return ops.mul(x, ops.dropout(ones, this.rate, this.seedGenerator.next()));
  }

  override call(x: Tensor, { training }: CallContext): Tensor {
    if (!training || this.rate === 0) return x;
    return this.rate === 1 ? ops.mul(x, 0) : this.drop(x);
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    return inputShape;
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), rate: this.rate, seed: this.seedGenerator.seed ?? null };
  }
}

/** Sets elements to 0 at random in training and makes up for it by scaling the others; identity in inference. */
export class Dropout extends BaseDropout {
  static readonly className: string = 'Dropout';
  readonly noiseShape: readonly (number | null)[] | undefined;

  constructor(options: NoiseDropoutOptions) {
    super(options);
    const shape: unknown = options.noiseShape ?? undefined;
    if (shape !== undefined && !(Array.isArray(shape) && shape.every((d) => d === null || d === 1))) {
      throw wrongArgument(this, 'noiseShape', 'a list with 1 where zeros go together and null elsewhere', shape);
    }
    this.noiseShape = shape as (number | null)[] | undefined;
  }

  protected override get optionKeys(): readonly string[] {
    return [...super.optionKeys, 'noiseShape'];
  }

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    super.checkInputs(shapes);
    if (this.noiseShape && this.noiseShape.length !== shapes[0]!.length) {
      const expected = `inputs of rank ${this.noiseShape.length}, as noiseShape has`;
      throw mismatch('ERR_SHAPE', this.errorLabel(), expected, formatSymbolicShape(shapes[0]!));
    }
  }

  protected override drop(x: Tensor): Tensor {
    if (!this.noiseShape) return ops.dropout(x, this.rate, this.seedGenerator.next());
    const alike = this.noiseShape.map((d, axis) => d ?? x.shape[axis]!);
    return this.dropAlike(x, alike);
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), noiseShape: this.noiseShape ?? null };
  }
}

/** As {@link Dropout}, for whole channels of [n, h, w, c]. */
export class SpatialDropout2D extends BaseDropout {
  static readonly className: string = 'SpatialDropout2D';

  protected override get inputRank(): number {
    return 4;
  }

  protected override drop(x: Tensor): Tensor {
    return this.dropAlike(x, [x.shape[0]!, 1, 1, x.shape[3]!]);
  }
}
