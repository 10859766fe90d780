import { mismatch } from '../errors.js';
import * as ops from '../ops/index.js';
import type { Pair } from '../ops/index.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { wholeNumber, wholePair, wrongArgument } from './arguments.js';
import { BaseConv, type ConvOptions } from './conv-base.js';
import { initializerPart, partsConfig, regularizerPart, type InitializerLike, type RegularizerLike } from './parts.js';
import type { LayerConfig } from './registry.js';
import { formatSymbolicShape, type SymbolicShape } from './symbolic.js';
import { imageSize, transposedOutput } from './window.js';

/** Options of convolutions with one kernel. */
export interface KernelOptions extends ConvOptions {
  /** Number of output channels. */
  filters: number;
  /** Of the kernel; `'glorotUniform'` by default. */
  kernelInitializer?: InitializerLike | undefined;
  /** Penalty on the kernel; none by default. */
  kernelRegularizer?: RegularizerLike | undefined;
}

export interface Conv2DOptions extends KernelOptions {
  /** Channels and filters are split into this many groups that are convolved apart. 1 by default. */
  groups?: number | undefined;
}

export interface Conv2DTransposeOptions extends KernelOptions {
  /** Extra size at the end of the output; worked out from the strides by default. */
  outputPadding?: Pair | null | undefined;
}

const KERNEL_KEYS = ['filters', 'kernelInitializer', 'kernelRegularizer'];

abstract class KernelConv extends BaseConv {
  readonly filters: number;
  kernel: Variable | undefined;
  protected readonly kernelParts;

  constructor(options: KernelOptions, ownKeys: readonly string[]) {
    super(options, [...KERNEL_KEYS, ...ownKeys]);
    this.filters = wholeNumber(this, 'filters', options.filters);
    this.kernelParts = {
      kernelInitializer: initializerPart(this, 'kernelInitializer', options.kernelInitializer ?? 'glorotUniform'),
      kernelRegularizer: regularizerPart(this, 'kernelRegularizer', options.kernelRegularizer),
    };
  }

  protected addKernel(shape: readonly number[]): void {
    const { kernelInitializer: initializer, kernelRegularizer: regularizer } = this.kernelParts;
    this.kernel = this.addWeight({ name: 'kernel', shape, initializer, regularizer });
  }

  protected override outputChannels(): number {
    return this.filters;
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), filters: this.filters, ...partsConfig(this.kernelParts) };
  }
}

/**
 * 2-D convolution: [n, h, w, c] to [n, oh, ow, filters]. Kernel [kh, kw, c / groups, filters], bias [filters].
 *
 * @example
 * layers.conv2d({ filters: 64, kernelSize: 7, padding: 'same', activation: 'relu', inputShape: [28, 28, 1] })
 */
export class Conv2D extends KernelConv {
  static readonly className: string = 'Conv2D';
  readonly groups: number;

  constructor(options: Conv2DOptions) {
    super(options, ['groups']);
    this.groups = wholeNumber(this, 'groups', options.groups ?? 1);
    if (this.filters % this.groups !== 0) {
      throw wrongArgument(this, 'filters', `divisible by groups ${this.groups}`, this.filters);
    }
  }

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    super.checkInputs(shapes);
    if (!this.kernel) return;
    const channels = this.kernel.shape[2]! * this.groups;
    this.checkSize(shapes[0]!, 3, channels, 'channels', this.kernel.shape);
  }

  override build(inputShape: SymbolicShape): void {
    const channels = this.knownSize(inputShape, 3, 'channels');
    if (channels % this.groups !== 0) {
      const expected = `inputs with channels divisible by groups ${this.groups}`;
      throw mismatch('ERR_SHAPE', this.errorLabel(), expected, formatSymbolicShape(inputShape));
    }
    this.addKernel([...this.kernelSize, channels / this.groups, this.filters]);
    this.addBias(this.filters);
  }

  protected override convolve(x: Tensor): Tensor {
    return ops.conv2d(x, this.kernel!.value, { ...this.window, groups: this.groups, bias: this.bias?.value });
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), groups: this.groups };
  }
}

/**
 * Transposed convolution, which makes images larger: [n, h, w, c] to [n, h * stride, w * stride, filters] with 'same'
 * padding. Kernel [kh, kw, filters, c], bias [filters].
 */
export class Conv2DTranspose extends KernelConv {
  static readonly className: string = 'Conv2DTranspose';
  readonly outputPadding: readonly [number, number] | undefined;

  constructor(options: Conv2DTransposeOptions) {
    super(options, ['outputPadding']);
    const { outputPadding } = options;
    this.outputPadding = outputPadding ? wholePair(this, 'outputPadding', outputPadding, 0) : undefined;
    if (this.outputPadding?.some((extra, i) => extra >= this.strides[i]!)) {
      throw wrongArgument(this, 'outputPadding', `smaller than strides [${this.strides.join(',')}]`, outputPadding);
    }
    if (typeof this.padding !== 'string') {
      throw wrongArgument(this, 'padding', `'same' or 'valid'`, this.padding);
    }
  }

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    super.checkInputs(shapes);
    if (this.kernel) this.checkSize(shapes[0]!, 3, this.kernel.shape[3]!, 'channels', this.kernel.shape);
  }

  override build(inputShape: SymbolicShape): void {
    this.addKernel([...this.kernelSize, this.filters, this.knownSize(inputShape, 3, 'channels')]);
    this.addBias(this.filters);
  }

  protected override convolve(x: Tensor): Tensor {
    return ops.conv2dTranspose(x, this.kernel!.value, {
      ...this.window,
      padding: this.padding as 'same' | 'valid',
      outputPadding: this.outputPadding,
      bias: this.bias?.value,
    });
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    const sizes = imageSize(inputShape).map((size, i) =>
      transposedOutput(
        size,
        this.kernelSize[i]!,
        this.strides[i]!,
        this.dilationRate[i]!,
        this.padding as 'same' | 'valid',
        this.outputPadding?.[i],
      ),
    );
    return [inputShape[0]!, ...sizes, this.filters];
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), outputPadding: this.outputPadding ?? null };
  }
}
