import * as ops from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { LayerConfig } from '../registry.js';
import { rotation } from './affine-maps.js';
import { rangeOf, type Range } from './augmentation-layer.js';
import { GeometricLayer, type GeometricOptions } from './geometric-layer.js';

export interface RandomRotationOptions extends GeometricOptions {
  /** Part of a full turn, counterclockwise where positive: `0.1` is -36 to 36 degrees; or a pair. */
  factor: number | readonly [number, number];
}

/** Turns each image around its middle. */
export class RandomRotation extends GeometricLayer {
  static readonly className: string = 'RandomRotation';
  readonly factor: Range;

  constructor(options: RandomRotationOptions) {
    super(options, ['factor']);
    this.factor = rangeOf(this, 'factor', options.factor, { least: -1, most: 1 });
  }

  protected override transforms(images: Tensor): Tensor {
    const turns = this.draw(images, this.factor);
    return rotation(ops.mul(turns, 2 * Math.PI), images.shape[1]!, images.shape[2]!);
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), factor: this.factor };
  }
}
