import { requireFloatPredictions } from '../losses/loss.js';
import { isFloat } from '../tensor/dtype.js';
import { cast, sqrt, widened } from '../ops/unary.js';
import { squaredDifference } from '../ops/binary.js';
import { asTensor, type TensorLike } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { pairOf, type Loss } from '../losses/loss.js';
import type { Config } from '../util/options.js';
import { Aggregate, divideOrZero, MeanMetric, metricRegistry, weightedSum, type MetricOptions } from './metric.js';

function asFloat(owner: string, values: TensorLike): Tensor {
  const t = asTensor(owner, values);
  return isFloat(t.dtype) ? widened(t) : cast(t, 'float32');
}

/** The (weighted) mean of all values it was given: of losses, for example. */
export class Mean extends Aggregate {
  readonly className = 'Mean';

  constructor(options?: MetricOptions) {
    super('mean', options);
    this.args.done();
  }

  /** @param sampleWeight - a factor for each value */
  updateState(values: TensorLike, sampleWeight?: TensorLike): void {
    const weights = sampleWeight === undefined ? undefined : asTensor(this.name, sampleWeight);
    const { total, count } = weightedSum(this.name, asFloat(this.name, values), weights);
    this.accumulate('total', total);
    this.accumulate('count', count);
  }

  result(): Tensor {
    return divideOrZero(this.state('total').value, this.state('count').value);
  }
}

/** The (weighted) sum of all values it was given. */
export class Sum extends Aggregate {
  readonly className = 'Sum';

  constructor(options?: MetricOptions) {
    super('sum', options);
    this.args.done();
  }

  /** @param sampleWeight - a factor for each value */
  updateState(values: TensorLike, sampleWeight?: TensorLike): void {
    const weights = sampleWeight === undefined ? undefined : asTensor(this.name, sampleWeight);
    this.accumulate('total', weightedSum(this.name, asFloat(this.name, values), weights).total);
  }

  result(): Tensor {
    return this.state('total').value;
  }
}

/** A loss as a metric: its (weighted) mean over all samples, without the loss's reduction. */
export class LossMetric extends MeanMetric {
  readonly className: string;
  readonly #loss: Loss;

  constructor(loss: Loss, options: MetricOptions = {}) {
    super(options.name ?? loss.name, options);
    this.args.done();
    this.className = loss.className;
    this.#loss = loss;
  }

  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return this.#loss.call(yTrue, yPred);
  }

  override getConfig(): Config {
    const { reduction: _, ...config } = this.#loss.getConfig();
    return { ...config, name: this.name };
  }
}

/** The root of the mean of (target - prediction)^2 over all elements. */
export class RootMeanSquaredError extends MeanMetric {
  readonly className = 'RootMeanSquaredError';

  constructor(options?: MetricOptions) {
    super('rootMeanSquaredError', options);
    this.args.done();
  }

  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    requireFloatPredictions(this.name, yPred);
    return squaredDifference(...pairOf(this.name, yTrue, yPred));
  }

  override result(): Tensor {
    return sqrt(super.result());
  }
}

metricRegistry.register('Mean', (c) => new Mean(c));
metricRegistry.register('Sum', (c) => new Sum(c));
metricRegistry.register('RootMeanSquaredError', (c) => new RootMeanSquaredError(c), 'rmse');
