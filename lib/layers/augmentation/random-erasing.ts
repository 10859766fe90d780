import * as ops from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { finiteNumber } from '../arguments.js';
import type { LayerConfig } from '../registry.js';
import { rangeOf, type Range } from './augmentation-layer.js';
import { boxes } from './boxes.js';
import { ColorLayer, type ColorOptions } from './color-layer.js';

export interface RandomErasingOptions extends ColorOptions {
  /** How many of the images lose a part, from 0 to 1. 1 by default. */
  factor?: number | undefined;
  /** Height and width of the part are the roots of two numbers from this range, as parts of the image's. */
  scale?: readonly [number, number] | undefined;
  /** What is put in its place; noise by default. A number gives DeVries and Taylor's cutout (arXiv:1708.04552). */
  fillValue?: number | null | undefined;
}

/** Erases a box in each image (Zhong et al. 2017, "Random Erasing Data Augmentation", arXiv:1708.04896). */
export class RandomErasing extends ColorLayer {
  static readonly className: string = 'RandomErasing';
  readonly factor: number;
  readonly scale: Range;
  readonly fillValue: number | null;

  constructor(options: RandomErasingOptions = {}) {
    super(options, ['factor', 'scale', 'fillValue']);
    this.factor = finiteNumber(this, 'factor', options.factor ?? 1, { least: 0, most: 1 });
    this.scale = rangeOf(this, 'scale', options.scale ?? [0.02, 0.33], { least: 0, most: 1, from: 'zero' });
    const fill = options.fillValue ?? null;
    this.fillValue = fill === null ? null : finiteNumber(this, 'fillValue', fill);
  }

  protected override augment(images: Tensor): Tensor {
    const side = (): Tensor => ops.sqrt(this.draw(images, this.scale));
    const place = (): Tensor => this.draw(images, [0, 1]);
    const { inside } = boxes(images, { height: side(), width: side(), top: place(), left: place() });
    const erased = ops.and(inside, ops.less(place(), this.factor));
    return ops.select(erased, this.fillValue ?? this.#noise(images), images);
  }

  /** As Keras makes it: normally distributed, a deviation as large as white, held in the range. */
  #noise(images: Tensor): Tensor {
    const noise = ops.randomNormal(images.shape, this.seedGenerator.next(), { stddev: this.valueRange[1] });
    return this.clipped(ops.cast(noise, images.dtype));
  }

  override getConfig(): LayerConfig {
    const { factor, scale, fillValue } = this;
    return { ...super.getConfig(), factor, scale, fillValue };
  }
}
