import * as ops from '../ops/index.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { checkKeys, finiteNumber, flag, wholeNumber, wrongArgument } from './arguments.js';
import type { CallContext, LayerOptions } from './layer.js';
import { initializerPart, partsConfig, regularizerPart, type InitializerLike, type RegularizerLike } from './parts.js';
import type { LayerConfig } from './registry.js';
import type { SymbolicShape } from './symbolic.js';
import { UnaryLayer } from './unary.js';

export interface BatchNormalizationOptions extends LayerOptions {
  /** The axis that keeps its statistics apart: the last, -1, only. */
  axis?: number | undefined;
  /** How much of the moving statistics a step keeps. 0.99 by default. */
  momentum?: number | undefined;
  /** Added to the variance. 1e-3 by default. */
  epsilon?: number | undefined;
  /** Whether beta is added. True by default. */
  center?: boolean | undefined;
  /** Whether gamma multiplies. True by default. */
  scale?: boolean | undefined;
  /** `'zeros'` by default. */
  betaInitializer?: InitializerLike | undefined;
  /** `'ones'` by default. */
  gammaInitializer?: InitializerLike | undefined;
  /** `'zeros'` by default. */
  movingMeanInitializer?: InitializerLike | undefined;
  /** `'ones'` by default. */
  movingVarianceInitializer?: InitializerLike | undefined;
  /** Penalty on beta; none by default. */
  betaRegularizer?: RegularizerLike | undefined;
  /** Penalty on gamma; none by default. */
  gammaRegularizer?: RegularizerLike | undefined;
}

/**
 * Batch normalization (Ioffe and Szegedy 2015) over all axes but the last. In training it takes the statistics of the
 * batch and moves its own towards them (biased variance, as Keras 3); in inference, and when frozen, it takes its own.
 */
export class BatchNormalization extends UnaryLayer {
  static readonly className: string = 'BatchNormalization';
  readonly momentum: number;
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
  gamma: Variable | undefined;
  beta: Variable | undefined;
  movingMean: Variable | undefined;
  movingVariance: Variable | undefined;
  readonly #parts;

  constructor(options: BatchNormalizationOptions = {}) {
    super(options);
    const initializer = (name: `${'beta' | 'gamma' | 'movingMean' | 'movingVariance'}Initializer`, usual: string) =>
      initializerPart(this, name, options[name] ?? usual);
    checkKeys(this, options, [
      'axis',
      'momentum',
      'epsilon',
      'center',
      'scale',
      'betaInitializer',
      'gammaInitializer',
      'movingMeanInitializer',
      'movingVarianceInitializer',
      'betaRegularizer',
      'gammaRegularizer',
    ]);
    const axis: unknown = options.axis ?? -1;
    if (axis !== -1 && axis !== 3 && axis !== 1) throw wrongArgument(this, 'axis', '-1, the last', axis);
    this.#axis = axis;
    this.momentum = finiteNumber(this, 'momentum', options.momentum ?? 0.99, { least: 0, most: 1 });
    this.epsilon = finiteNumber(this, 'epsilon', options.epsilon ?? 1e-3, { least: 0 });
    this.center = flag(this, 'center', options.center ?? true);
    this.scale = flag(this, 'scale', options.scale ?? true);
    this.#parts = {
      betaInitializer: initializer('betaInitializer', 'zeros'),
      gammaInitializer: initializer('gammaInitializer', 'ones'),
      movingMeanInitializer: initializer('movingMeanInitializer', 'zeros'),
      movingVarianceInitializer: initializer('movingVarianceInitializer', 'ones'),
      betaRegularizer: regularizerPart(this, 'betaRegularizer', options.betaRegularizer),
      gammaRegularizer: regularizerPart(this, 'gammaRegularizer', options.gammaRegularizer),
    };
  }

  readonly #axis: number;

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    super.checkInputs(shapes);
    const [shape] = shapes;
    if (this.#axis >= 0 && this.#axis !== shape!.length - 1) {
      throw wrongArgument(this, 'axis', `-1, the last (inputs have rank ${shape!.length})`, this.#axis);
    }
    const known = this.movingMean?.shape;
    if (known) this.checkSize(shape!, -1, known[0]!, 'channels', known);
  }

  override build(inputShape: SymbolicShape): void {
    const shape = [this.knownSize(inputShape, -1, 'channels')];
    const parts = this.#parts;
    const autocast = false; // Statistics and what scales them keep their digits.
    if (this.scale) {
      const [initializer, regularizer] = [parts.gammaInitializer, parts.gammaRegularizer];
      this.gamma = this.addWeight({ name: 'gamma', shape, initializer, regularizer, autocast });
    }
    if (this.center) {
      const [initializer, regularizer] = [parts.betaInitializer, parts.betaRegularizer];
      this.beta = this.addWeight({ name: 'beta', shape, initializer, regularizer, autocast });
    }
    const moving = { shape, trainable: false, autocast };
    this.movingMean = this.addWeight({ name: 'moving_mean', initializer: parts.movingMeanInitializer, ...moving });
    this.movingVariance = this.addWeight({
      name: 'moving_variance',
      initializer: parts.movingVarianceInitializer,
      ...moving,
    });
  }

  override call(x: Tensor, { training }: CallContext): Tensor {
    const mean = this.movingMean!;
    const variance = this.movingVariance!;
    const { epsilon } = this;
    const gamma = this.gamma?.value;
    const beta = this.beta?.value;
    if (!training || !this.trainable) {
      return ops.batchNormInference(x, { mean: mean.value, variance: variance.value, gamma, beta }, { epsilon });
    }
    const batch = ops.batchNorm(x, gamma ?? ops.onesLike(mean.value), beta ?? ops.zerosLike(mean.value), { epsilon });
    this.#move(mean, batch.mean);
    this.#move(variance, batch.variance);
    return batch.y;
  }

  #move(moving: Variable, batch: Tensor): void {
    moving.assign(ops.add(ops.mul(moving.value, this.momentum), ops.mul(batch, 1 - this.momentum)));
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    return inputShape;
  }

  override getConfig(): LayerConfig {
    const { momentum, epsilon, center, scale } = this;
    return { ...super.getConfig(), axis: this.#axis, momentum, epsilon, center, scale, ...partsConfig(this.#parts) };
  }
}

export interface LocalResponseNormalizationOptions extends LayerOptions {
  /** Channels on either side that count. 5 by default. */
  depthRadius?: number | undefined;
  /** 1 by default. */
  bias?: number | undefined;
  /** 1 by default; not divided by the number of channels. */
  alpha?: number | undefined;
  /** 0.5 by default. */
  beta?: number | undefined;
}

/** x / (bias + alpha * sum of x² over 2 * depthRadius + 1 channels) ^ beta (Krizhevsky et al. 2012), as TensorFlow. */
export class LocalResponseNormalization extends UnaryLayer {
  static readonly className: string = 'LocalResponseNormalization';
  readonly depthRadius: number;
  readonly bias: number;
  readonly alpha: number;
  readonly beta: number;

  constructor(options: LocalResponseNormalizationOptions = {}) {
    super(options);
    checkKeys(this, options, ['depthRadius', 'bias', 'alpha', 'beta']);
    this.depthRadius = wholeNumber(this, 'depthRadius', options.depthRadius ?? 5, 0);
    this.bias = finiteNumber(this, 'bias', options.bias ?? 1);
    this.alpha = finiteNumber(this, 'alpha', options.alpha ?? 1);
    this.beta = finiteNumber(this, 'beta', options.beta ?? 0.5);
  }

  override call(x: Tensor): Tensor {
    const { depthRadius, bias, alpha, beta } = this;
    return ops.lrn(x, { depthRadius, bias, alpha, beta });
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    return inputShape;
  }

  override getConfig(): LayerConfig {
    const { depthRadius, bias, alpha, beta } = this;
    return { ...super.getConfig(), depthRadius, bias, alpha, beta };
  }
}
