import * as ops from '../ops/index.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import type { ActivationLike } from './activations.js';
import { checkKeys, finiteNumber, wrongArgument } from './arguments.js';
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

abstract class SameShapeLayer extends UnaryLayer {
  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    return inputShape;
  }
}

export interface ActivationOptions extends LayerOptions {
  /** Name or function. */
  activation: ActivationLike;
}

/** Applies an activation by name, or any function of one tensor that keeps its shape. */
export class Activation extends SameShapeLayer {
  static readonly className: string = 'Activation';
  readonly #activation: ActivationPart;

  constructor(options: ActivationOptions) {
    super(options);
    checkKeys(this, options, ['activation']);
    if (options.activation === undefined) throw wrongArgument(this, 'activation', 'a name or a function', undefined);
    this.#activation = new ActivationPart(this, options.activation);
  }

  override call(x: Tensor): Tensor {
    return this.#activation.apply(x);
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), activation: this.#activation.config };
  }
}

export interface ReLUOptions extends LayerOptions {
  /** Values above are cut off; none by default. */
  maxValue?: number | null | undefined;
  /** Slope below the threshold. 0 by default. */
  negativeSlope?: number | undefined;
  /** Where the function begins to grow. 0 by default. */
  threshold?: number | undefined;
}

/** x above the threshold (at most maxValue), negativeSlope * (x - threshold) below. */
export class ReLU extends SameShapeLayer {
  static readonly className: string = 'ReLU';
  readonly maxValue: number | null;
  readonly negativeSlope: number;
  readonly threshold: number;

  constructor(options: ReLUOptions = {}) {
    super(options);
    checkKeys(this, options, ['maxValue', 'negativeSlope', 'threshold']);
    const { maxValue = null } = options;
    this.maxValue = maxValue === null ? null : finiteNumber(this, 'maxValue', maxValue, { least: 0 });
    this.negativeSlope = finiteNumber(this, 'negativeSlope', options.negativeSlope ?? 0, { least: 0 });
    this.threshold = finiteNumber(this, 'threshold', options.threshold ?? 0, { least: 0 });
  }

  override call(x: Tensor): Tensor {
    const { maxValue, negativeSlope, threshold } = this;
    if (threshold === 0 && negativeSlope === 0 && maxValue === 6) return ops.relu6(x);
    const y =
      threshold !== 0
        ? ops.select(ops.greater(x, threshold), x, ops.mul(ops.sub(x, threshold), negativeSlope))
        : negativeSlope === 0
          ? ops.relu(x)
          : ops.leakyRelu(x, negativeSlope);
    return maxValue === null ? y : ops.minimum(y, maxValue);
  }

  override getConfig(): LayerConfig {
    const { maxValue, negativeSlope, threshold } = this;
    return { ...super.getConfig(), maxValue, negativeSlope, threshold };
  }
}

export interface LeakyReLUOptions extends LayerOptions {
  /** Slope below 0. 0.3 by default. */
  negativeSlope?: number | undefined;
}

/** x where positive, else negativeSlope * x. */
export class LeakyReLU extends SameShapeLayer {
  static readonly className: string = 'LeakyReLU';
  readonly negativeSlope: number;

  constructor(options: LeakyReLUOptions = {}) {
    super(options);
    checkKeys(this, options, ['negativeSlope']);
    this.negativeSlope = finiteNumber(this, 'negativeSlope', options.negativeSlope ?? 0.3);
  }

  override call(x: Tensor): Tensor {
    return ops.leakyRelu(x, this.negativeSlope);
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), negativeSlope: this.negativeSlope };
  }
}

export interface ELUOptions extends LayerOptions {
  /** Minus the value that is approached far below 0. 1 by default. */
  alpha?: number | undefined;
}

/** x where positive, else alpha * (exp(x) - 1). */
export class ELU extends SameShapeLayer {
  static readonly className: string = 'ELU';
  readonly alpha: number;

  constructor(options: ELUOptions = {}) {
    super(options);
    checkKeys(this, options, ['alpha']);
    this.alpha = finiteNumber(this, 'alpha', options.alpha ?? 1);
  }

  override call(x: Tensor): Tensor {
    return ops.elu(x, this.alpha);
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), alpha: this.alpha };
  }
}

export interface PReLUOptions extends LayerOptions {
  /** Of the slopes; `'zeros'` by default. */
  alphaInitializer?: InitializerLike | undefined;
  /** Penalty on the slopes; none by default. */
  alphaRegularizer?: RegularizerLike | undefined;
  /** Axes along which slopes are shared, the batch being 0: `[1, 2]` for a slope a channel. None by default. */
  sharedAxes?: readonly number[] | null | undefined;
}

/** x where positive, else alpha * x with alpha learnt (He et al. 2015). */
export class PReLU extends SameShapeLayer {
  static readonly className: string = 'PReLU';
  readonly sharedAxes: readonly number[];
  alpha: Variable | undefined;
  readonly #parts;

  constructor(options: PReLUOptions = {}) {
    super(options);
    checkKeys(this, options, ['alphaInitializer', 'alphaRegularizer', 'sharedAxes']);
    const sharedAxes: unknown = options.sharedAxes ?? [];
    if (!Array.isArray(sharedAxes) || !sharedAxes.every((a) => Number.isInteger(a) && a >= 1)) {
      throw wrongArgument(this, 'sharedAxes', 'a list of axes from 1', sharedAxes);
    }
    this.sharedAxes = sharedAxes as number[];
    this.#parts = {
      alphaInitializer: initializerPart(this, 'alphaInitializer', options.alphaInitializer ?? 'zeros'),
      alphaRegularizer: regularizerPart(this, 'alphaRegularizer', options.alphaRegularizer),
    };
  }

  override build(inputShape: SymbolicShape): void {
    const shape = inputShape
      .map((_, axis) =>
        axis > 0 && !this.sharedAxes.includes(axis) ? this.knownSize(inputShape, axis, `elements on axis ${axis}`) : 1,
      )
      .slice(1);
    const { alphaInitializer: initializer, alphaRegularizer: regularizer } = this.#parts;
    this.alpha = this.addWeight({ name: 'alpha', shape, initializer, regularizer });
  }

  override call(x: Tensor): Tensor {
    return ops.sub(ops.relu(x), ops.mul(this.alpha!.value, ops.relu(ops.neg(x))));
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), sharedAxes: this.sharedAxes, ...partsConfig(this.#parts) };
  }
}

export interface SoftmaxOptions extends LayerOptions {
  /** The axis along which the results add up to 1. The last by default. */
  axis?: number | undefined;
}

/** exp(x) / sum(exp(x)) along an axis. */
export class Softmax extends SameShapeLayer {
  static readonly className: string = 'Softmax';
  readonly axis: number;

  constructor(options: SoftmaxOptions = {}) {
    super(options);
    checkKeys(this, options, ['axis']);
    const axis: unknown = options.axis ?? -1;
    if (typeof axis !== 'number' || !Number.isInteger(axis)) throw wrongArgument(this, 'axis', 'a whole number', axis);
    this.axis = axis;
  }

  override call(x: Tensor): Tensor {
    return ops.softmax(x, this.axis);
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), axis: this.axis };
  }
}
