import * as ops from '../ops/index.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { wholeNumber } from './arguments.js';
import { BaseConv, type ConvOptions } from './conv-base.js';
import { initializerPart, partsConfig, regularizerPart, type InitializerLike, type RegularizerLike } from './parts.js';
import type { LayerConfig } from './registry.js';
import type { SymbolicShape } from './symbolic.js';

export interface DepthwiseConv2DOptions extends ConvOptions {
  /** Kernels, and so output channels, for each input channel. 1 by default. */
  depthMultiplier?: number | undefined;
  /** Of the kernel; `'glorotUniform'` by default. */
  depthwiseInitializer?: InitializerLike | undefined;
  /** Penalty on the kernel; none by default. */
  depthwiseRegularizer?: RegularizerLike | undefined;
}

export interface SeparableConv2DOptions extends DepthwiseConv2DOptions {
  /** Number of output channels. */
  filters: number;
  /** Of the 1x1 kernel; `'glorotUniform'` by default. */
  pointwiseInitializer?: InitializerLike | undefined;
  /** Penalty on the 1x1 kernel; none by default. */
  pointwiseRegularizer?: RegularizerLike | undefined;
}

const KEYS = ['depthMultiplier', 'depthwiseInitializer', 'depthwiseRegularizer'];

abstract class DepthwiseBase extends BaseConv {
  readonly depthMultiplier: number;
  depthwiseKernel: Variable | undefined;
  readonly #parts;

  constructor(options: DepthwiseConv2DOptions, ownKeys: readonly string[]) {
    super(options, [...ownKeys, ...KEYS]);
    this.depthMultiplier = wholeNumber(this, 'depthMultiplier', options.depthMultiplier ?? 1);
    this.#parts = {
      depthwiseInitializer: initializerPart(
        this,
        'depthwiseInitializer',
        options.depthwiseInitializer ?? 'glorotUniform',
      ),
      depthwiseRegularizer: regularizerPart(this, 'depthwiseRegularizer', options.depthwiseRegularizer),
    };
  }

  /** Adds the kernel and returns the channels it makes. */
  protected addDepthwiseKernel(name: string, inputShape: SymbolicShape): number {
    const channels = this.knownSize(inputShape, 3, 'channels');
    const { depthwiseInitializer: initializer, depthwiseRegularizer: regularizer } = this.#parts;
    const shape = [...this.kernelSize, channels, this.depthMultiplier];
    this.depthwiseKernel = this.addWeight({ name, shape, initializer, regularizer });
    return channels * this.depthMultiplier;
  }

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    super.checkInputs(shapes);
    const kernel = this.depthwiseKernel;
    if (kernel) this.checkSize(shapes[0]!, 3, kernel.shape[2]!, 'channels', kernel.shape);
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), depthMultiplier: this.depthMultiplier, ...partsConfig(this.#parts) };
  }
}

/**
 * Convolves every channel with kernels of its own: [n, h, w, c] to [n, oh, ow, c * depthMultiplier]. Kernel
 * [kh, kw, c, depthMultiplier].
 */
export class DepthwiseConv2D extends DepthwiseBase {
  static readonly className: string = 'DepthwiseConv2D';

  constructor(options: DepthwiseConv2DOptions) {
    super(options, []);
  }

  override build(inputShape: SymbolicShape): void {
    this.addBias(this.addDepthwiseKernel('kernel', inputShape));
  }

  protected override convolve(x: Tensor): Tensor {
    return ops.depthwiseConv2d(x, this.depthwiseKernel!.value, { ...this.window, bias: this.bias?.value });
  }

  protected override outputChannels(inputShape: SymbolicShape): number | null {
    const channels = inputShape[3] ?? null;
    return channels === null ? null : channels * this.depthMultiplier;
  }
}

/**
 * A depthwise convolution followed by a 1x1 convolution: [n, h, w, c] to [n, oh, ow, filters]. Kernels
 * [kh, kw, c, depthMultiplier] and [1, 1, c * depthMultiplier, filters].
 */
export class SeparableConv2D extends DepthwiseBase {
  static readonly className: string = 'SeparableConv2D';
  readonly filters: number;
  pointwiseKernel: Variable | undefined;
  readonly #pointwise;

  constructor(options: SeparableConv2DOptions) {
    super(options, ['filters', 'pointwiseInitializer', 'pointwiseRegularizer']);
    this.filters = wholeNumber(this, 'filters', options.filters);
    this.#pointwise = {
      pointwiseInitializer: initializerPart(
        this,
        'pointwiseInitializer',
        options.pointwiseInitializer ?? 'glorotUniform',
      ),
      pointwiseRegularizer: regularizerPart(this, 'pointwiseRegularizer', options.pointwiseRegularizer),
    };
  }

  override build(inputShape: SymbolicShape): void {
    const channels = this.addDepthwiseKernel('depthwise_kernel', inputShape);
    const { pointwiseInitializer: initializer, pointwiseRegularizer: regularizer } = this.#pointwise;
    const shape = [1, 1, channels, this.filters];
    this.pointwiseKernel = this.addWeight({ name: 'pointwise_kernel', shape, initializer, regularizer });
    this.addBias(this.filters);
  }

  protected override convolve(x: Tensor): Tensor {
    const options = { ...this.window, bias: this.bias?.value };
    return ops.separableConv2d(x, this.depthwiseKernel!.value, this.pointwiseKernel!.value, options);
  }

  protected override outputChannels(): number {
    return this.filters;
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), filters: this.filters, ...partsConfig(this.#pointwise) };
  }
}
