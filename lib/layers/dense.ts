import * as ops from '../ops/index.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import type { ActivationLike } from './activations.js';
import { checkKeys, flag, wholeNumber } from './arguments.js';
import type { LayerOptions } from './layer.js';
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

export interface DenseOptions extends LayerOptions {
  /** Size of the output. */
  units: number;
  /** Name or function; linear by default. */
  activation?: ActivationLike | undefined;
  /** Whether a bias is added. True by default. */
  useBias?: boolean | undefined;
  /** Of the kernel [features, units]; `'glorotUniform'` by default. */
  kernelInitializer?: InitializerLike | undefined;
  /** Of the bias [units]; `'zeros'` by default. */
  biasInitializer?: InitializerLike | undefined;
  /** Penalty on the kernel; none by default. */
  kernelRegularizer?: RegularizerLike | undefined;
  /** Penalty on the bias; none by default. */
  biasRegularizer?: RegularizerLike | undefined;
}

/** activation(x · kernel + bias) over the last axis: [..., features] to [..., units]. */
export class Dense extends UnaryLayer {
  static readonly className: string = 'Dense';
  readonly units: number;
  readonly useBias: boolean;
  kernel: Variable | undefined;
  bias: Variable | undefined;
  readonly #activation: ActivationPart;
  readonly #parts;

  constructor(options: DenseOptions) {
    super(options);
    checkKeys(this, options, [
      'units',
      'activation',
      'useBias',
      'kernelInitializer',
      'biasInitializer',
      'kernelRegularizer',
      'biasRegularizer',
    ]);
    this.units = wholeNumber(this, 'units', options.units);
    this.useBias = flag(this, 'useBias', options.useBias ?? true);
    this.#activation = new ActivationPart(this, options.activation);
    this.#parts = {
      kernelInitializer: initializerPart(this, 'kernelInitializer', options.kernelInitializer ?? 'glorotUniform'),
      biasInitializer: initializerPart(this, 'biasInitializer', options.biasInitializer ?? 'zeros'),
      kernelRegularizer: regularizerPart(this, 'kernelRegularizer', options.kernelRegularizer),
      biasRegularizer: regularizerPart(this, 'biasRegularizer', options.biasRegularizer),
    };
  }

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    super.checkInputs(shapes);
    if (this.kernel) this.checkSize(shapes[0]!, -1, this.kernel.shape[0]!, 'features', this.kernel.shape);
  }

  override build(inputShape: SymbolicShape): void {
    const { kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer } = this.#parts;
    this.kernel = this.addWeight({
      name: 'kernel',
      shape: [this.knownSize(inputShape, -1, 'features'), this.units],
      initializer: kernelInitializer,
      regularizer: kernelRegularizer,
    });
    if (!this.useBias) return;
    const shape = [this.units];
    this.bias = this.addWeight({ name: 'bias', shape, initializer: biasInitializer, regularizer: biasRegularizer });
  }

  override call(x: Tensor): Tensor {
    return this.#activation.apply(ops.dense(x, this.kernel!.value, this.bias?.value));
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    return [...inputShape.slice(0, -1), this.units];
  }

  override getConfig(): LayerConfig {
    return {
      ...super.getConfig(),
      units: this.units,
      activation: this.#activation.config,
      useBias: this.useBias,
      ...partsConfig(this.#parts),
    };
  }
}
