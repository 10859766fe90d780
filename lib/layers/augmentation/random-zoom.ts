import type { Tensor } from '../../tensor/tensor.js';
import type { LayerConfig } from '../registry.js';
import { zoom } from './affine-maps.js';
import { rangeOf, type Range } from './augmentation-layer.js';
import { GeometricLayer, type GeometricOptions } from './geometric-layer.js';

export interface RandomZoomOptions extends GeometricOptions {
  /** `0.2` shows 80% to 120% of the height: larger where negative, smaller where positive; or a pair. */
  heightFactor: number | readonly [number, number];
  /** As drawn for the height by default, which keeps the proportions. */
  widthFactor?: number | readonly [number, number] | null | undefined;
}

const BOUNDS = { least: -0.999, most: 1 };

/** Makes each image larger or smaller around its middle. */
export class RandomZoom extends GeometricLayer {
  static readonly className: string = 'RandomZoom';
  readonly heightFactor: Range;
  readonly widthFactor: Range | undefined;

  constructor(options: RandomZoomOptions) {
    super(options, ['heightFactor', 'widthFactor']);
    this.heightFactor = rangeOf(this, 'heightFactor', options.heightFactor, BOUNDS);
    const width = options.widthFactor ?? undefined;
    this.widthFactor = width === undefined ? undefined : rangeOf(this, 'widthFactor', width, BOUNDS);
  }

  protected override transforms(images: Tensor): Tensor {
    const factor = ([low, high]: Range): Tensor => this.draw(images, [1 + low, 1 + high]);
    const vertical = factor(this.heightFactor);
    const horizontal = this.widthFactor ? factor(this.widthFactor) : vertical;
    return zoom(vertical, horizontal, images.shape[1]!, images.shape[2]!);
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), heightFactor: this.heightFactor, widthFactor: this.widthFactor ?? null };
  }
}
