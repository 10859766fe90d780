import * as ops from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { boxes } from './boxes.js';
import { MixingLayer, type Mixed, type MixingOptions } from './mixing-layer.js';

/**
 * A box of another image in each image, labels by area (Yun et al. 2019, "CutMix: Regularization Strategy to Train Strong
 * Classifiers with Localizable Features", arXiv:1905.04899); `alpha` is 1 unless told, as in the paper. For what it takes
 * see {@link MixingLayer}.
 */
export class CutMix extends MixingLayer {
  static readonly className: string = 'CutMix';

  constructor(options: MixingOptions = {}) {
    super(options, 1);
  }

  protected override mix(images: Tensor, others: Tensor, own: Tensor): Mixed {
    const side = ops.sqrt(ops.sub(1, own));
    const [top, left] = [this.draw(own.shape), this.draw(own.shape)];
    const { inside, part } = boxes(images, { height: side, width: side, top, left });
    return { images: ops.select(inside, others, images), own: ops.sub(1, part) };
  }
}
