import * as ops from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { wrongArgument } from '../arguments.js';
import type { LayerConfig } from '../registry.js';
import type { Range } from './augmentation-layer.js';
import { ColorLayer, type ColorOptions } from './color-layer.js';

export interface RandomContrastOptions extends ColorOptions {
  /** `0.2` multiplies deviations by 0.8 to 1.2; `[low, high]` by 1 - low to 1 + high. */
  factor: number | readonly [number, number];
}

/** Multiplies how far values are from the mean of their channel in the image; they stay in their range. */
export class RandomContrast extends ColorLayer {
  static readonly className: string = 'RandomContrast';
  readonly factor: Range;

  constructor(options: RandomContrastOptions) {
    super(options, ['factor']);
    const pair: unknown = typeof options.factor === 'number' ? [options.factor, options.factor] : options.factor;
    const fits = (v: unknown): boolean => typeof v === 'number' && v >= 0 && v <= 1;
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every(fits)) {
      throw wrongArgument(this, 'factor', 'a number or two, from 0 to 1', options.factor);
    }
    this.factor = [pair[0] as number, pair[1] as number];
  }

  protected override augment(images: Tensor): Tensor {
    const mean = ops.mean(images, { axes: [1, 2], keepDims: true });
    const factor = this.draw(images, [1 - this.factor[0], 1 + this.factor[1]]);
    return this.clipped(ops.add(ops.mul(ops.sub(images, mean), factor), mean));
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), factor: this.factor };
  }
}
