import type { Tensor } from '../../tensor/tensor.js';
import type { LayerConfig } from '../registry.js';
import { shear } from './affine-maps.js';
import { rangeOf, type Range } from './augmentation-layer.js';
import { GeometricLayer, type GeometricOptions } from './geometric-layer.js';

export interface RandomShearOptions extends GeometricOptions {
  /** Columns move by up to this part of the row's number, either way. 0 by default. */
  xFactor?: number | readonly [number, number] | undefined;
  /** Rows move by up to this part of the column's number. 0 by default. */
  yFactor?: number | readonly [number, number] | undefined;
}

/** Slants each image; the two directions are drawn apart. */
export class RandomShear extends GeometricLayer {
  static readonly className: string = 'RandomShear';
  readonly xFactor: Range;
  readonly yFactor: Range;

  constructor(options: RandomShearOptions = {}) {
    super(options, ['xFactor', 'yFactor']);
    this.xFactor = rangeOf(this, 'xFactor', options.xFactor ?? 0, { least: -1, most: 1 });
    this.yFactor = rangeOf(this, 'yFactor', options.yFactor ?? 0, { least: -1, most: 1 });
  }

  protected override transforms(images: Tensor): Tensor {
    return shear(this.draw(images, this.xFactor), this.draw(images, this.yFactor));
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), xFactor: this.xFactor, yFactor: this.yFactor };
  }
}
