import { mismatch } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { format, type Config } from '../util/options.js';
import { MeanMetric, type MetricOptions } from './metric.js';

/** A metric written by hand: a value a sample, or a scalar; the mean is kept. */
export type MetricFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

/** A function as a metric. */
export class CustomMetric extends MeanMetric {
  readonly className = 'CustomMetric';
  readonly #fn: MetricFunction;

  constructor(fn: MetricFunction, options: MetricOptions = {}) {
    super(options.name ?? (fn.name || 'metric'), options);
    this.args.done();
    this.#fn = fn;
  }

  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    const values = this.#fn(yTrue, yPred);
    if (!(values instanceof Tensor)) {
      throw mismatch('ERR_ARGUMENT', { op: this.name }, 'the function to return a tensor', format(values));
    }
    return values;
  }

  override getConfig(): Config {
    throw mismatch('ERR_UNSUPPORTED', { op: this.name }, 'a metric with a name, to save it', 'a function');
  }
}
