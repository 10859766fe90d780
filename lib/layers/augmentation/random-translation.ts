import * as ops from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { LayerConfig } from '../registry.js';
import { translation } from './affine-maps.js';
import { rangeOf, type Range } from './augmentation-layer.js';
import { GeometricLayer, type GeometricOptions } from './geometric-layer.js';

export interface RandomTranslationOptions extends GeometricOptions {
  /** Part of the height, down where positive: `0.2` is up or down by a fifth; or a pair. */
  heightFactor: number | readonly [number, number];
  /** Part of the width, to the right where positive. */
  widthFactor: number | readonly [number, number];
}

/** Moves each image. */
export class RandomTranslation extends GeometricLayer {
  static readonly className: string = 'RandomTranslation';
  readonly heightFactor: Range;
  readonly widthFactor: Range;

  constructor(options: RandomTranslationOptions) {
    super(options, ['heightFactor', 'widthFactor']);
    this.heightFactor = rangeOf(this, 'heightFactor', options.heightFactor, { least: -1, most: 1 });
    this.widthFactor = rangeOf(this, 'widthFactor', options.widthFactor, { least: -1, most: 1 });
  }

  protected override transforms(images: Tensor): Tensor {
    const down = ops.mul(this.draw(images, this.heightFactor), images.shape[1]!);
    return translation(ops.mul(this.draw(images, this.widthFactor), images.shape[2]!), down);
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), heightFactor: this.heightFactor, widthFactor: this.widthFactor };
  }
}
