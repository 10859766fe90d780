import { mismatch } from '../../errors.js';
import * as ops from '../../ops/index.js';
import { SeedGenerator } from '../../random/seed.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkKeys, finiteNumber, wrongArgument, type Owner } from '../arguments.js';
import type { CallContext, LayerOptions } from '../layer.js';
import type { LayerConfig } from '../registry.js';
import { formatSymbolicShape, type SymbolicShape } from '../symbolic.js';
import { UnaryLayer } from '../unary.js';

export interface AugmentationOptions extends LayerOptions {
  /** Fixes what is drawn; one of the global seeds by default. */
  seed?: number | null | undefined;
}

/** The seeds of a layer, checked. */
export function seedsOf(owner: Owner, seed: number | null | undefined): SeedGenerator {
  if (seed !== undefined && seed !== null && !Number.isSafeInteger(seed)) {
    throw wrongArgument(owner, 'seed', 'a safe integer', seed);
  }
  return new SeedGenerator({ seed: seed ?? undefined, name: owner.name });
}

/** Two numbers in order: as given, or from minus one number to plus it. */
export type Range = readonly [low: number, high: number];

/** Reads Keras's factors: `0.2` is -0.2 to 0.2, or a pair. */
export function rangeOf(
  owner: Owner,
  argument: string,
  value: unknown,
  bounds: { readonly least: number; readonly most: number; readonly from?: 'minus' | 'zero' },
): Range {
  if (!Array.isArray(value)) {
    const limit = Math.abs(finiteNumber(owner, argument, value, { least: -bounds.most, most: bounds.most }));
    return [bounds.from === 'zero' ? 0 : Math.max(bounds.least, -limit), limit];
  }
  const pair: readonly unknown[] = value;
  const fits = (v: unknown): boolean => typeof v === 'number' && v >= bounds.least && v <= bounds.most;
  if (pair.length !== 2 || !pair.every(fits)) {
    throw wrongArgument(owner, argument, `a number or two, from ${bounds.least} to ${bounds.most}`, value);
  }
  return (pair as [number, number]).toSorted((a, b) => a - b) as [number, number];
}

/** A layer that changes images at random in training, each of a batch in its own way, and leaves them alone otherwise. */
export abstract class AugmentationLayer extends UnaryLayer {
  readonly seedGenerator: SeedGenerator;

  /** @param keys - of the layer's own options */
  constructor(options: AugmentationOptions, keys: readonly string[]) {
    super(options);
    checkKeys(this, options, [...keys, 'seed']);
    this.seedGenerator = seedsOf(this, options.seed);
  }

  /**
   * What becomes of images in training.
   *
   * @param images - float [n, h, w, c]
   */
  protected abstract augment(images: Tensor): Tensor;

  /** What becomes of images in inference. */
  protected still(images: Tensor): Tensor {
    return images;
  }

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    super.checkInputs(shapes);
    const rank = shapes[0]!.length;
    if (rank === 3 || rank === 4) return;
    const expected = 'images [batch,height,width,channels], or one [height,width,channels]';
    throw mismatch('ERR_SHAPE', this.errorLabel(), expected, formatSymbolicShape(shapes[0]!));
  }

  /** Images are changed with all their digits, whatever follows computes in. */
  protected override get castsInputs(): boolean {
    return false;
  }

  override call(x: Tensor, { training }: CallContext): Tensor {
    const float = x.dtype === 'float64' ? x : ops.cast(x, 'float32');
    const batch = x.rank === 3 ? ops.expandDims(float, 0) : float;
    const y = training ? this.augment(batch) : this.still(batch);
    return x.rank === 3 ? ops.squeeze(y, 0) : y;
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    return inputShape;
  }

  /** A number for each image, [n, 1, 1, 1], uniform from low to high. */
  protected draw(images: Tensor, [low, high]: Range): Tensor {
    const shape = [images.shape[0]!, 1, 1, 1];
    if (low === high) return ops.mul(ops.randomUniform(shape, this.seedGenerator.next()), 0).add(low);
    return ops.randomUniform(shape, this.seedGenerator.next(), { min: low, max: high });
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), seed: this.seedGenerator.seed ?? null };
  }
}
