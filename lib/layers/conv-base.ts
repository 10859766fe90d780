import type { Padding, Pair } from '../ops/index.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import type { ActivationLike } from './activations.js';
import { checkKeys, flag, wholePair, windowPadding, wrongArgument } from './arguments.js';
import type { LayerOptions } from './layer.js';
import { camelCase } from './names.js';
import {
  ActivationPart,
  initializerPart,
  partsConfig,
  regularizerPart,
  type InitializerLike,
  type RegularizerLike,
} from './parts.js';
import type { LayerConfig } from './registry.js';
import type { SymbolicShape } from './symbolic.js';
import { UnaryLayer } from './unary.js';
import { imageSize, windowOutput } from './window.js';

/** What all convolutions take. */
export interface ConvOptions extends LayerOptions {
  /** Height and width of the window; one number for both. */
  kernelSize: Pair;
  /** Steps between windows. 1 by default. */
  strides?: Pair | undefined;
  /** `'valid'` (default), `'same'` as TensorFlow has it, or zeros at `[top, bottom, left, right]`. */
  padding?: Padding | undefined;
  /** Distance between the elements of a window. 1 by default. */
  dilationRate?: Pair | undefined;
  /** Name or function; linear by default. */
  activation?: ActivationLike | undefined;
  /** Whether a bias is added. True by default. */
  useBias?: boolean | undefined;
  /** Of the bias; `'zeros'` by default. */
  biasInitializer?: InitializerLike | undefined;
  /** Penalty on the bias; none by default. */
  biasRegularizer?: RegularizerLike | undefined;
}

const KEYS = [
  'kernelSize',
  'strides',
  'padding',
  'dilationRate',
  'activation',
  'useBias',
  'biasInitializer',
  'biasRegularizer',
];

/** Windows, bias and activation: what all convolutions of [n, h, w, c] have in common. */
export abstract class BaseConv extends UnaryLayer {
  readonly kernelSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: Padding;
  readonly dilationRate: readonly [number, number];
  readonly useBias: boolean;
  bias: Variable | undefined;
  readonly #activation: ActivationPart;
  readonly #biasParts;

  constructor(options: ConvOptions, ownKeys: readonly string[]) {
    super(options);
    checkKeys(this, options, [...ownKeys, ...KEYS]);
    this.kernelSize = wholePair(this, 'kernelSize', options.kernelSize);
    this.strides = wholePair(this, 'strides', options.strides ?? 1);
    this.padding = windowPadding(this, options.padding ?? 'valid');
    this.dilationRate = wholePair(this, 'dilationRate', options.dilationRate ?? 1);
    if (Math.max(...this.strides) > 1 && Math.max(...this.dilationRate) > 1) {
      throw wrongArgument(this, 'dilationRate', `1 where strides are more than 1`, options.dilationRate);
    }
    this.useBias = flag(this, 'useBias', options.useBias ?? true);
    this.#activation = new ActivationPart(this, options.activation);
    this.#biasParts = {
      biasInitializer: initializerPart(this, 'biasInitializer', options.biasInitializer ?? 'zeros'),
      biasRegularizer: regularizerPart(this, 'biasRegularizer', options.biasRegularizer),
    };
  }

  /** The op that computes it, for messages. */
  protected get op(): string {
    return camelCase(this.className);
  }

  protected override get inputRank(): number {
    return 4;
  }

  protected addBias(filters: number): void {
    if (!this.useBias) return;
    const { biasInitializer: initializer, biasRegularizer: regularizer } = this.#biasParts;
    this.bias = this.addWeight({ name: 'bias', shape: [filters], initializer, regularizer });
  }

  /** The convolution with its bias, without the activation. */
  protected abstract convolve(x: Tensor): Tensor;

  override call(x: Tensor): Tensor {
    return this.#activation.apply(this.convolve(x));
  }

  /** The options of the op. */
  protected get window(): {
    strides: readonly [number, number];
    padding: Padding;
    dilations: readonly [number, number];
  } {
    return { strides: this.strides, padding: this.padding, dilations: this.dilationRate };
  }

  /** The output's channels. */
  protected abstract outputChannels(inputShape: SymbolicShape): number | null;

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    const size = windowOutput(this.op, imageSize(inputShape), this.kernelSize, this.window);
    return [inputShape[0]!, ...size, this.outputChannels(inputShape)];
  }

  override getConfig(): LayerConfig {
    return {
      ...super.getConfig(),
      kernelSize: this.kernelSize,
      strides: this.strides,
      padding: this.padding,
      dilationRate: this.dilationRate,
      activation: this.#activation.config,
      useBias: this.useBias,
      ...partsConfig(this.#biasParts),
    };
  }
}
