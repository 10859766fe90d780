import { currentDevice } from '../backends/registry.js';
import { currentTrace, type Trace } from '../graph/trace.js';
import { alignWeights } from '../losses/reduction.js';
import { add, div, mul, notEqual, select } from '../ops/binary.js';
import { sum } from '../ops/reduce.js';
import { broadcastTo } from '../ops/shape.js';
import { cast, widened } from '../ops/unary.js';
import { asTensor, zeros, type TensorLike } from '../tensor/create.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Variable } from '../tensor/variable.js';
import { OptionReader, type Config, type Configurable } from '../util/options.js';
import { Registry } from '../util/registry.js';

export interface MetricOptions {
  /** Shown in logs. */
  name?: string;
}

/**
 * A number gathered over many batches. Its state is variables, so it can be updated inside traced functions; it is
 * read where `result()` is.
 */
export abstract class Aggregate implements Configurable {
  abstract readonly className: string;
  readonly name: string;
  protected readonly args: OptionReader<MetricOptions>;
  readonly #state = new Map<string, Variable>();
  /** The trace that reset this metric before its state was made: what it makes then is reset at every run. */
  #resetIn: Trace | undefined;

  constructor(name: string, options: MetricOptions = {}) {
    this.args = new OptionReader(name, options);
    this.name = this.args.string('name', name);
    this.args.ignore('dtype', 'fn');
  }

  /** The value so far; 0 before the first update. */
  abstract result(): Tensor;

  /** The state; made at the first update. */
  get variables(): Variable[] {
    return [...this.#state.values()];
  }

  /** Starts anew. Costs nothing and waits for nothing: updates and results asked for before keep their values. */
  reset(): void {
    this.#resetIn = currentTrace();
    for (const variable of this.#state.values()) {
      variable.assign(zeros(variable.shape, { device: variable.device }));
    }
  }

  getConfig(): Config {
    return this.args.config;
  }

  /** The reader of options, which a subclass reads its own from and then asks whether all were known. */
  protected reader<O extends MetricOptions>(): OptionReader<O> {
    return this.args;
  }

  /** A state variable, zeros at first; made on the device of the values that come first. */
  protected state(name: string, shape: Shape = [], device = currentTrace()?.device ?? currentDevice()): Variable {
    let variable = this.#state.get(name);
    if (!variable) {
      variable = new Variable(zeros(shape, { device }), { name: `${this.name}/${name}`, trainable: false });
      this.#state.set(name, variable);
      const trace = currentTrace();
      if (trace && trace === this.#resetIn) variable.assign(zeros(shape, { device }));
    }
    return variable;
  }

  /** Adds to a state variable. */
  protected accumulate(name: string, value: Tensor): void {
    const variable = this.state(name, value.shape, value.device);
    variable.assign(add(variable.value, cast(value, 'float32')));
  }
}

/** An aggregate of targets and predictions. */
export abstract class Metric extends Aggregate {
  /**
   * Takes a batch into account.
   *
   * @param sampleWeight - a factor for each sample
   * @throws FoveaError when shapes or dtypes do not fit
   */
  updateState(yTrue: TensorLike, yPred: TensorLike, sampleWeight?: TensorLike): void {
    const predictions = widened(asTensor(this.name, yPred));
    const weights = sampleWeight === undefined ? undefined : asTensor(this.name, sampleWeight);
    this.update(asTensor(this.name, yTrue), predictions, weights);
  }

  protected abstract update(yTrue: Tensor, yPred: Tensor, sampleWeight: Tensor | undefined): void;
}

/** a / b, 0 where b is 0. */
export function divideOrZero(a: Tensor, b: Tensor): Tensor {
  const there = notEqual(b, 0);
  return select(there, div(a, select(there, b, 1)), 0);
}

/** The weighted sum of values, and the sum of their weights. */
export function weightedSum(owner: string, values: Tensor, sampleWeight?: Tensor): { total: Tensor; count: Tensor } {
  const sums = (weights: Tensor): Tensor => sum(broadcastTo(weights, values.shape));
  const weights = sampleWeight ? alignWeights(owner, sampleWeight, values) : asTensor(owner, 1, values.dtype);
  const total = sampleWeight ? sum(mul(values, weights)) : sum(values);
  return { total, count: sampleWeight ? sums(weights) : asTensor(owner, values.size, values.dtype) };
}

/** A metric that is the (weighted) mean of a value for each sample. */
export abstract class MeanMetric extends Metric {
  /** A value for each sample. */
  protected abstract values(yTrue: Tensor, yPred: Tensor): Tensor;

  protected update(yTrue: Tensor, yPred: Tensor, sampleWeight: Tensor | undefined): void {
    const { total, count } = weightedSum(this.name, this.values(yTrue, yPred), sampleWeight);
    this.accumulate('total', total);
    this.accumulate('count', count);
  }

  result(): Tensor {
    return divideOrZero(this.state('total').value, this.state('count').value);
  }
}

export const metricRegistry = new Registry<Aggregate>('metric');
