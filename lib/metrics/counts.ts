import { mismatch } from '../errors.js';
import { alignWeights } from '../losses/reduction.js';
import { pairOf } from '../losses/loss.js';
import { add, greater, mul, sub } from '../ops/binary.js';
import { oneHot } from '../ops/indexing.js';
import { matmul } from '../ops/matmul.js';
import { sum } from '../ops/reduce.js';
import { concat, expandDims, reshape } from '../ops/shape.js';
import { cast } from '../ops/unary.js';
import { asTensor, type TensorLike } from '../tensor/create.js';
import { isFloat } from '../tensor/dtype.js';
import { formatShape } from '../tensor/shape.js';
import { checkNumber } from '../util/options.js';
import type { Tensor } from '../tensor/tensor.js';
import { divideOrZero, Metric, metricRegistry, type MetricOptions } from './metric.js';

export interface ThresholdOptions extends MetricOptions {
  /** Predictions above it mean yes, 0.5 by default; the result has one number for each of a list. */
  thresholds?: number | readonly number[] | undefined;
}

/** A share of true positives, at one or several thresholds. */
abstract class ShareOfTruePositives extends Metric {
  readonly #thresholds: readonly number[];
  readonly #single: boolean;
  /** The state that true positives are compared with, beside themselves. */
  protected abstract readonly others: 'falsePositives' | 'falseNegatives';

  constructor(name: string, options: ThresholdOptions = {}) {
    super(name, options);
    const args = this.reader<ThresholdOptions>();
    const given = args.raw('thresholds');
    this.#single = !Array.isArray(given);
    const limits = { min: 0, max: 1 };
    this.#thresholds = this.#single ? [args.number('thresholds', 0.5, limits)] : args.numbers('thresholds');
    this.#thresholds.forEach((t, i) => checkNumber(name, `thresholds[${i}]`, t, limits));
    args.done();
  }

  protected update(yTrue: Tensor, yPred: Tensor, sampleWeight: Tensor | undefined): void {
    const [t, p] = pairOf(this.name, yTrue, yPred);
    const weights = sampleWeight && alignWeights(this.name, sampleWeight, p);
    const per = (threshold: number): { hits: Tensor; others: Tensor } => {
      const yes = cast(greater(p, threshold), p.dtype);
      const actual = cast(greater(t, 0), p.dtype);
      const hit = mul(yes, actual);
      const other = sub(this.others === 'falsePositives' ? yes : actual, hit);
      const total = (x: Tensor): Tensor => reshape(sum(weights ? mul(x, weights) : x), [1]);
      return { hits: total(hit), others: total(other) };
    };
    const counts = this.#thresholds.map(per);
    counts.forEach(({ hits, others }, i) => {
      this.accumulate(`truePositives${this.#suffix(i)}`, hits);
      this.accumulate(`${this.others}${this.#suffix(i)}`, others);
    });
  }

  result(): Tensor {
    const shares = this.#thresholds.map((_, i) => {
      const hits = this.state(`truePositives${this.#suffix(i)}`, [1]).value;
      return divideOrZero(hits, add(hits, this.state(`${this.others}${this.#suffix(i)}`, [1]).value));
    });
    return this.#single ? reshape(shares[0]!, []) : concat(shares, 0);
  }

  #suffix(i: number): string {
    return this.#single ? '' : `_${i}`;
  }
}

/** Of all that was said to be, how much is: true positives / (true + false positives). */
export class Precision extends ShareOfTruePositives {
  readonly className = 'Precision';
  protected readonly others = 'falsePositives';

  constructor(options?: ThresholdOptions) {
    super('precision', options);
  }
}

/** Of all that is, how much was said to be: true positives / (true positives + false negatives). */
export class Recall extends ShareOfTruePositives {
  readonly className = 'Recall';
  protected readonly others = 'falseNegatives';

  constructor(options?: ThresholdOptions) {
    super('recall', options);
  }
}

export interface ConfusionMatrixOptions {
  numClasses: number;
  /** A factor for each sample; the counts are float32 then. */
  weights?: TensorLike;
}

/**
 * How often each class was taken for each: rows are the actual classes, columns the predicted ones.
 *
 * @param labels - class numbers [n]
 * @param predictions - class numbers [n]
 * @returns [numClasses, numClasses], int32 (float32 with weights); numbers outside of 0..numClasses-1 are not counted
 */
export function confusionMatrix(labels: TensorLike, predictions: TensorLike, options: ConfusionMatrixOptions): Tensor {
  const op = 'confusionMatrix';
  const count = checkNumber(op, 'numClasses', options.numClasses, { min: 1, integer: true });
  const [actual, predicted] = [labels, predictions].map((x) => {
    const t = asTensor(op, x, 'int32');
    if (isFloat(t.dtype)) throw mismatch('ERR_DTYPE', { op }, 'class numbers of dtype int32', t.dtype);
    return t;
  }) as [Tensor, Tensor];
  if (actual.size !== predicted.size) {
    const received = `${formatShape(actual.shape)} and ${formatShape(predicted.shape)}`;
    throw mismatch('ERR_SHAPE', { op }, 'labels and predictions of one length', received);
  }
  const rows = (t: Tensor): Tensor => oneHot(cast(reshape(t, [t.size]), 'int32'), count);
  const { weights } = options;
  let weighed = rows(actual);
  if (weights !== undefined) {
    const w = alignWeights(op, asTensor(op, weights), cast(reshape(actual, [actual.size]), 'float32'));
    weighed = mul(weighed, expandDims(w, -1));
  }
  const counts = matmul(weighed, rows(predicted), { transposeA: true });
  return weights === undefined ? cast(counts, 'int32') : counts;
}

metricRegistry.register('Precision', (c) => new Precision(c));
metricRegistry.register('Recall', (c) => new Recall(c));
