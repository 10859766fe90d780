import * as ops from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkKeys, wholeNumber } from '../arguments.js';
import type { LayerOptions } from '../layer.js';
import type { LayerConfig } from '../registry.js';
import type { SymbolicShape } from '../symbolic.js';
import { UnaryLayer } from '../unary.js';

export interface CenterCropOptions extends LayerOptions {
  height: number;
  width: number;
}

/** Cuts `height` x `width` out of the middle of images; where they are smaller, the middle part is resized, as in Keras. */
export class CenterCrop extends UnaryLayer {
  static readonly className: string = 'CenterCrop';
  readonly height: number;
  readonly width: number;

  constructor(options: CenterCropOptions) {
    super(options);
    checkKeys(this, options, ['height', 'width']);
    this.height = wholeNumber(this, 'height', options.height);
    this.width = wholeNumber(this, 'width', options.width);
  }

  protected override get inputRank(): number {
    return 4;
  }

  /** Images are cut with all their digits, whatever follows computes in. */
  protected override get castsInputs(): boolean {
    return false;
  }

  override call(x: Tensor): Tensor {
    const { height, width } = this;
    const float = x.dtype === 'float64' ? x : ops.cast(x, 'float32');
    const [n, h, w, c] = x.shape as [number, number, number, number];
    if (h < height || w < width) return ops.smartResize(float, [height, width]);
    return ops.slice(float, [0, Math.floor((h - height) / 2), Math.floor((w - width) / 2), 0], [n, height, width, c]);
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    return [inputShape[0]!, this.height, this.width, inputShape[3]!];
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), height: this.height, width: this.width };
  }
}
