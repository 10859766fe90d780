import * as ops from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { LayerConfig } from '../registry.js';
import { rangeOf, type Range } from './augmentation-layer.js';
import { ColorLayer, type ColorOptions } from './color-layer.js';

export interface RandomBrightnessOptions extends ColorOptions {
  /** Part of the value range that is added: `0.2` is -0.2 to 0.2; or a pair. */
  factor: number | readonly [number, number];
}

/** Makes each image lighter or darker; values stay in their range. */
export class RandomBrightness extends ColorLayer {
  static readonly className: string = 'RandomBrightness';
  readonly factor: Range;

  constructor(options: RandomBrightnessOptions) {
    super(options, ['factor']);
    this.factor = rangeOf(this, 'factor', options.factor, { least: -1, most: 1 });
  }

  protected override augment(images: Tensor): Tensor {
    const [black, white] = this.valueRange;
    return this.clipped(ops.add(images, ops.mul(this.draw(images, this.factor), white - black)));
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), factor: this.factor };
  }
}
