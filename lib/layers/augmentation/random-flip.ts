import * as ops from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { oneOf } from '../arguments.js';
import type { LayerConfig } from '../registry.js';
import { AugmentationLayer, type AugmentationOptions } from './augmentation-layer.js';
import { pixelsAt, positions } from './pixels.js';

/** In which directions images are mirrored. */
export type FlipMode = 'horizontal' | 'vertical' | 'horizontalAndVertical';

export interface RandomFlipOptions extends AugmentationOptions {
  /** `'horizontalAndVertical'` by default, as in Keras; photographs want `'horizontal'`. */
  mode?: FlipMode | undefined;
}

/**
 * Mirrors half of the images, left to right, upside down or both; the two directions are drawn apart (Keras 3 draws once
 * for both).
 */
export class RandomFlip extends AugmentationLayer {
  static readonly className: string = 'RandomFlip';
  readonly mode: FlipMode;

  constructor(options: RandomFlipOptions = {}) {
    super(options, ['mode']);
    const mode: unknown = options.mode ?? 'horizontalAndVertical';
    const names = ['horizontal', 'vertical', 'horizontalAndVertical'] as const;
    this.mode = oneOf(this, 'mode', mode === 'horizontal_and_vertical' ? names[2] : mode, names);
  }

  protected override augment(images: Tensor): Tensor {
    const [rows, columns] = ([1, 2] as const).map((axis) => this.#places(images, axis)) as [Tensor, Tensor];
    return pixelsAt(images, rows, columns);
  }

  #places(images: Tensor, axis: 1 | 2): Tensor {
    const size = images.shape[axis]!;
    const places = positions(images, axis, size);
    if (this.mode === (axis === 1 ? 'horizontal' : 'vertical')) return places;
    const flipped = ops.less(this.draw(images, [0, 1]).reshape([images.shape[0]!, 1, 1]), 0.5);
    return ops.select(flipped, ops.sub(size - 1, places), places);
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), mode: this.mode };
  }
}
