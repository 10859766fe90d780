import { mismatch } from '../../errors.js';
import * as ops from '../../ops/index.js';
import { tensor } from '../../tensor/create.js';
import type { Tensor } from '../../tensor/tensor.js';
import { finiteNumber } from '../arguments.js';
import type { LayerConfig } from '../registry.js';
import { formatSymbolicShape, type SymbolicShape } from '../symbolic.js';
import { ColorLayer, type ColorOptions } from './color-layer.js';

export interface RandomColorPcaOptions extends ColorOptions {
  /** Standard deviation of the shift along each principal direction, in units of its strength. 0.1, as AlexNet's. */
  stddev?: number | undefined;
}

/** Principal directions of the colours (RGB, 0 to 1) of ImageNet's training images, in columns, and their strengths. */
const DIRECTIONS = [
  [-0.5675, 0.7192, 0.4009],
  [-0.5808, -0.0045, -0.814],
  [-0.5836, -0.6948, 0.4203],
] as const;
const STRENGTHS = [0.2175, 0.0188, 0.0045] as const;

/**
 * AlexNet's shift of colours: to all pixels of an image one multiple of each principal direction of ImageNet's colours is
 * added (A. Krizhevsky et al. 2012, section 4.1; the numbers are those that Facebook's fb.resnet.torch published). Values
 * may leave the range, as in the paper.
 */
export class RandomColorPca extends ColorLayer {
  static readonly className: string = 'RandomColorPca';
  readonly stddev: number;

  constructor(options: RandomColorPcaOptions = {}) {
    super(options, ['stddev']);
    this.stddev = finiteNumber(this, 'stddev', options.stddev ?? 0.1, { least: 0 });
  }

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    super.checkInputs(shapes);
    const channels = shapes[0]!.at(-1);
    if (channels === 3 || channels === null) return;
    throw mismatch('ERR_SHAPE', this.errorLabel(), 'images of 3 channels (RGB)', formatSymbolicShape(shapes[0]!));
  }

  protected override augment(images: Tensor): Tensor {
    const n = images.shape[0]!;
    const alpha = ops.randomNormal([n, 3], this.seedGenerator.next(), { stddev: this.stddev });
    const span = this.valueRange[1] - this.valueRange[0];
    // Row j is what a shift of 1 along direction j adds to R, G and B.
    const rows = STRENGTHS.map((strength, j) => DIRECTIONS.map((row) => row[j]! * strength * span));
    const shift = ops.matmul(alpha, tensor(rows, [3, 3], { device: images.device }));
    return ops.add(images, ops.cast(shift, images.dtype).reshape([n, 1, 1, 3]));
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), stddev: this.stddev };
  }
}
