import * as ops from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { MixingLayer, type Mixed, type MixingOptions } from './mixing-layer.js';

/**
 * Weighted means of pairs of images and of their labels (Zhang et al. 2017, "mixup: Beyond Empirical Risk Minimization",
 * arXiv:1710.09412); `alpha` is 0.2 unless told. For what it takes see {@link MixingLayer}.
 */
export class MixUp extends MixingLayer {
  static readonly className: string = 'MixUp';

  constructor(options: MixingOptions = {}) {
    super(options, 0.2);
  }

  protected override mix(images: Tensor, others: Tensor, own: Tensor): Mixed {
    return { images: ops.add(ops.mul(images, own), ops.mul(others, ops.sub(1, own))), own };
  }
}
