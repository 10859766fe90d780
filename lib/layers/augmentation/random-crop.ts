import * as ops from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { wholeNumber } from '../arguments.js';
import type { LayerConfig } from '../registry.js';
import type { SymbolicShape } from '../symbolic.js';
import { AugmentationLayer, type AugmentationOptions } from './augmentation-layer.js';
import { pixelsAt, positions, wholeBelow } from './pixels.js';

export interface RandomCropOptions extends AugmentationOptions {
  height: number;
  width: number;
}

/**
 * Cuts `height` x `width` out of each image, at a place of its own in training (Keras 3 takes one place for a batch). In
 * inference, and where images are smaller, the middle part with those proportions is resized, as in Keras.
 */
export class RandomCrop extends AugmentationLayer {
  static readonly className: string = 'RandomCrop';
  readonly height: number;
  readonly width: number;

  constructor(options: RandomCropOptions) {
    super(options, ['height', 'width']);
    this.height = wholeNumber(this, 'height', options.height);
    this.width = wholeNumber(this, 'width', options.width);
  }

  protected override augment(images: Tensor): Tensor {
    const [, h, w] = images.shape as [number, number, number, number];
    if (h < this.height || w < this.width) return this.still(images);
    return pixelsAt(images, this.#places(images, 1, this.height), this.#places(images, 2, this.width));
  }

  #places(images: Tensor, axis: 1 | 2, size: number): Tensor {
    const start = this.draw(images, [0, 1]).reshape([images.shape[0]!, 1, 1]);
    return ops.add(positions(images, axis, size), wholeBelow(start, images.shape[axis]! - size + 1));
  }

  protected override still(images: Tensor): Tensor {
    return ops.smartResize(images, [this.height, this.width]);
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    return [...inputShape.slice(0, -3), this.height, this.width, inputShape.at(-1)!];
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), height: this.height, width: this.width };
  }
}
