import * as ops from '../ops/index.js';
import { SeedGenerator } from '../random/seed.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkKeys, finiteNumber, wrongArgument } from './arguments.js';
import type { CallContext, LayerOptions } from './layer.js';
import type { LayerConfig } from './registry.js';
import type { SymbolicShape } from './symbolic.js';
import { UnaryLayer } from './unary.js';

export interface DropoutOptions extends LayerOptions {
  /** Part of the inputs that is set to 0 in training, from 0 to 1. */
  rate: number;
  /** Fixes the row of masks; one of the global seeds by default. */
  seed?: number | null | undefined;
}

abstract class BaseDropout extends UnaryLayer {
  readonly rate: number;
  readonly seedGenerator: SeedGenerator;

  constructor(options: DropoutOptions) {
    super(options);
    checkKeys(this, options, ['rate', 'seed']);
    this.rate = finiteNumber(this, 'rate', options.rate, { least: 0, most: 1 });
    const seed = options.seed ?? undefined;
    if (seed !== undefined && !Number.isSafeInteger(seed)) throw wrongArgument(this, 'seed', 'a safe integer', seed);
    this.seedGenerator = new SeedGenerator({ seed, name: this.name });
  }

  /** The input with some of it set to 0. */
  protected abstract drop(x: Tensor): Tensor;

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

  protected override drop(x: Tensor): Tensor {
    return ops.dropout(x, this.rate, this.seedGenerator.next());
  }
}

/** As {@link Dropout}, for whole channels of [n, h, w, c]. */
export class SpatialDropout2D extends BaseDropout {
  static readonly className: string = 'SpatialDropout2D';

  protected override get inputRank(): number {
    return 4;
  }

  protected override drop(x: Tensor): Tensor {
    const [n, , , c] = x.shape as [number, number, number, number];
    const ones = ops.onesLike(ops.slice(x, [0, 0, 0, 0], [n, 1, 1, c]));
    return ops.mul(x, ops.dropout(ones, this.rate, this.seedGenerator.next()));
  }
}
