import { mismatch } from '../../errors.js';
import * as ops from '../../ops/index.js';
import type { SeedGenerator } from '../../random/seed.js';
import { range } from '../../tensor/create.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkKeys, wrongArgument } from '../arguments.js';
import { Layer, type CallContext } from '../layer.js';
import type { Nest } from '../nest.js';
import type { LayerConfig } from '../registry.js';
import { formatSymbolicShape, type SymbolicShape } from '../symbolic.js';
import { seedsOf, type AugmentationOptions } from './augmentation-layer.js';
import { wholeBelow } from './pixels.js';

export interface MixingOptions extends AugmentationOptions {
  /** Parts are drawn from Beta(alpha, alpha). */
  alpha?: number | undefined;
}

/** Images that were mixed, and the part of each that is its own, [n, 1, 1, 1]. */
export interface Mixed {
  readonly images: Tensor;
  readonly own: Tensor;
}

/**
 * A layer that mixes each image of a batch with another one, and their labels in the same proportion. It takes
 * `[images, labels]`, images [n, h, w, c] and labels [n, classes] (one-hot, as floats), and returns both. Each image's
 * partner is the one a random number of places behind it: shuffle before.
 */
export abstract class MixingLayer extends Layer {
  readonly alpha: number;
  readonly seedGenerator: SeedGenerator;

  constructor(options: MixingOptions, alpha: number) {
    super(options);
    checkKeys(this, options, ['alpha', 'seed']);
    this.alpha = options.alpha ?? alpha;
    if (!(Number.isFinite(this.alpha) && this.alpha > 0)) {
      throw wrongArgument(this, 'alpha', 'a number above 0', options.alpha);
    }
    this.seedGenerator = seedsOf(this, options.seed);
  }

  /**
   * @param others - what each image is mixed with
   * @param own - the part of each image that is meant to be its own, [n, 1, 1, 1]
   */
  protected abstract mix(images: Tensor, others: Tensor, own: Tensor): Mixed;

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    const [images, labels] = shapes;
    if (shapes.length !== 2 || images!.length !== 4 || labels!.length !== 2) {
      const expected = 'images [batch,height,width,channels] and labels [batch,classes]';
      throw mismatch('ERR_SHAPE', this.errorLabel(), expected, shapes.map(formatSymbolicShape).join(' and '));
    }
  }

  protected override get castsInputs(): boolean {
    return false;
  }

  override call(inputs: Nest<Tensor>, { training }: CallContext): Tensor[] {
    const [images, labels] = Object.values(inputs).map((t: Tensor) => ops.cast(t, 'float32')) as [Tensor, Tensor];
    if (!training) return [images, labels];
    const n = images.shape[0]!;
    const steps = wholeBelow(this.draw([1]), n);
    const order = ops.mod(ops.add(range(0, n, 1, { device: images.device, dtype: 'int32' }), steps), n);
    const mixed = this.mix(images, ops.gather(images, order), this.#beta(n));
    const own = mixed.own.reshape([n, 1]);
    const other = ops.mul(ops.gather(labels, order), ops.sub(1, own));
    return [mixed.images, ops.add(ops.mul(labels, own), other)];
  }

  /** Uniform numbers in [0, 1). */
  protected draw(shape: readonly number[]): Tensor {
    return ops.randomUniform(shape, this.seedGenerator.next());
  }

  /**
   * Beta(alpha, alpha) by way of a t-distribution with 2 alpha degrees of freedom (L. Devroye, "Random Variate Generation
   * in One Line of Code", 1996): two uniform numbers each, nothing rejected.
   */
  #beta(n: number): Tensor {
    const u = ops.pow(ops.sub(1, this.draw([n, 1, 1, 1])), 1 / this.alpha);
    const cos = ops.cos(ops.mul(this.draw([n, 1, 1, 1]), 2 * Math.PI));
    const square = ops.mul(ops.sub(1, u), ops.square(cos));
    const root = ops.sqrt(ops.div(square, ops.maximum(ops.add(u, square), 1e-30)));
    return ops.add(ops.mul(ops.mul(ops.sign(cos), root), 0.5), 0.5);
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), alpha: this.alpha, seed: this.seedGenerator.seed ?? null };
  }
}
