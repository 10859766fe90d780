import * as ops from '../../ops/index.js';
import type { FillMode } from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { finiteNumber, oneOf } from '../arguments.js';
import type { LayerConfig } from '../registry.js';
import { AugmentationLayer, type AugmentationOptions } from './augmentation-layer.js';

export interface GeometricOptions extends AugmentationOptions {
  /** What lies outside of images: `'reflect'` (default), `'wrap'`, `'constant'` or `'nearest'`. */
  fillMode?: FillMode | undefined;
  /** `'bilinear'` (default) or `'nearest'`. */
  interpolation?: 'bilinear' | 'nearest' | undefined;
  /** The value outside of images where `fillMode` is `'constant'`. 0 by default. */
  fillValue?: number | undefined;
}

/** A layer that moves pixels by an affine map, drawn for each image. */
export abstract class GeometricLayer extends AugmentationLayer {
  readonly fillMode: FillMode;
  readonly interpolation: 'bilinear' | 'nearest';
  readonly fillValue: number;

  constructor(options: GeometricOptions, keys: readonly string[]) {
    super(options, [...keys, 'fillMode', 'interpolation', 'fillValue']);
    const { fillMode = 'reflect', interpolation = 'bilinear', fillValue = 0 } = options;
    this.fillMode = oneOf(this, 'fillMode', fillMode, ['reflect', 'wrap', 'constant', 'nearest']);
    this.interpolation = oneOf(this, 'interpolation', interpolation, ['bilinear', 'nearest']);
    this.fillValue = finiteNumber(this, 'fillValue', fillValue);
  }

  /** The maps, [n, 6]; see `ops.affineTransform`. */
  protected abstract transforms(images: Tensor): Tensor;

  protected override augment(images: Tensor): Tensor {
    const { fillMode, interpolation, fillValue } = this;
    return ops.affineTransform(images, this.transforms(images), { fillMode, interpolation, fillValue });
  }

  override getConfig(): LayerConfig {
    const { fillMode, interpolation, fillValue } = this;
    return { ...super.getConfig(), fillMode, interpolation, fillValue };
  }
}
