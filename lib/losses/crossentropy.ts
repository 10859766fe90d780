import { mismatch } from '../errors.js';
import { add, div, mul, sub } from '../ops/binary.js';
import { oneHot } from '../ops/indexing.js';
import { mean, sum } from '../ops/reduce.js';
import { reshape, transpose } from '../ops/shape.js';
import { softmaxCrossEntropy, sparseSoftmaxCrossEntropy } from '../ops/softmax.js';
import { cast, clip, log, neg, softplus } from '../ops/unary.js';
import { isFloat } from '../tensor/dtype.js';
import { formatShape, normalizeAxis, sameShape, sizeOf } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { logitsOf } from './logits.js';
import { EPSILON, Loss, lossRegistry, requireFloatPredictions, type LossOptions } from './loss.js';

export interface CrossentropyOptions extends LossOptions {
  /** Whether predictions are logits, not probabilities. */
  fromLogits?: boolean;
}

export interface SmoothedCrossentropyOptions extends CrossentropyOptions {
  /** How much of each target is spread evenly over all classes, in [0, 1] (Szegedy et al. 2016). */
  labelSmoothing?: number;
  /** The axis of the classes. */
  axis?: number;
}

/** Predictions as rows of classes, with the logits when they are known. */
function rowsOf(yPred: Tensor, fromLogits: boolean): { rows: Tensor; logits: boolean } {
  const logits = fromLogits ? yPred : logitsOf(yPred, 'softmax');
  const source = logits ?? yPred;
  const rows = reshape(source, [sizeOf(source.shape.slice(0, -1)), source.shape.at(-1)!]);
  return { rows, logits: logits !== undefined };
}

/** log(p) of probabilities that are first made to sum to 1, and kept from 0 and 1. */
function logProbabilities(rows: Tensor): Tensor {
  const normalized = div(rows, sum(rows, { axes: -1, keepDims: true }));
  return log(clip(normalized, EPSILON, 1 - EPSILON));
}

/**
 * -log p[label]: the cross-entropy of class numbers. Predictions that come straight from `softmax` are taken by their
 * logits.
 */
export class SparseCategoricalCrossentropy extends Loss {
  readonly className = 'SparseCategoricalCrossentropy';
  readonly #fromLogits: boolean;

  constructor(options: CrossentropyOptions = {}) {
    super('sparseCategoricalCrossentropy', options);
    const args = this.reader<CrossentropyOptions & { ignoreClass?: undefined; axis?: number }>();
    this.#fromLogits = args.boolean('fromLogits', false);
    if (args.number('axis', -1) !== -1) throw args.refuse('axis', '-1', args.raw('axis'));
    args.note('axis', undefined);
    args.done();
  }

  /**
   * @param yTrue - int32 [n, ...], or with a last axis of length 1
   * @param yPred - [n, ..., classes]
   * @returns [n, ...]
   */
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    const labels = labelsFor(this.name, yTrue, yPred);
    const { rows, logits } = rowsOf(yPred, this.#fromLogits);
    const flat = reshape(labels, [labels.size]);
    // The kernel of logits takes log p for logits as well: log p = log p - log(sum of p). It checks the labels.
    const values = sparseSoftmaxCrossEntropy(logits ? rows : logProbabilities(rows), flat);
    return reshape(values, labels.shape);
  }
}

/** Class numbers as int32, of the shape of the predictions without their last axis. */
export function labelsFor(owner: string, yTrue: Tensor, yPred: Tensor): Tensor {
  requireFloatPredictions(owner, yPred);
  const wanted = yPred.shape.slice(0, -1);
  const fits = sameShape(yTrue.shape, wanted) || sameShape(yTrue.shape, [...wanted, 1]);
  if (!fits || yPred.rank < 2) {
    const expected = `labels of shape ${formatShape(wanted)} for predictions of shape ${formatShape(yPred.shape)}`;
    throw mismatch('ERR_SHAPE', { op: owner }, expected, formatShape(yTrue.shape));
  }
  if (isFloat(yTrue.dtype) || yTrue.dtype === 'bool') {
    const hint = isFloat(yTrue.dtype) && sameShape(yTrue.shape, yPred.shape) ? '; one-hot targets' : '';
    throw mismatch('ERR_DTYPE', { op: owner }, 'class numbers of dtype int32', `${yTrue.dtype}${hint}`);
  }
  return reshape(cast(yTrue, 'int32'), wanted);
}

/**
 * -sum(target * log p) over the classes. Predictions that come straight from `softmax` are taken by their logits.
 */
export class CategoricalCrossentropy extends Loss {
  readonly className = 'CategoricalCrossentropy';
  readonly #fromLogits: boolean;
  readonly #smoothing: number;
  readonly #axis: number;

  constructor(options: SmoothedCrossentropyOptions = {}) {
    super('categoricalCrossentropy', options);
    const args = this.reader<SmoothedCrossentropyOptions>();
    this.#fromLogits = args.boolean('fromLogits', false);
    this.#smoothing = args.number('labelSmoothing', 0, { min: 0, max: 1 });
    this.#axis = args.number('axis', -1, { integer: true });
    args.done();
  }

  /**
   * @param yTrue - probabilities, of the predictions' shape
   * @param yPred - [n, ..., classes]
   * @returns [n, ...]
   */
  call(yTrue: Tensor, yPred: Tensor): Tensor {
    requireFloatPredictions(this.name, yPred);
    if (!sameShape(yTrue.shape, yPred.shape)) {
      const sparse = yTrue.rank < yPred.rank ? '; class numbers need sparseCategoricalCrossentropy' : '';
      const expected = `targets of the predictions' shape ${formatShape(yPred.shape)}`;
      throw mismatch('ERR_SHAPE', { op: this.name }, expected, `${formatShape(yTrue.shape)}${sparse}`);
    }
    const targets = this.#lastAxis(cast(yTrue, yPred.dtype));
    const predictions = this.#lastAxis(yPred);
    const { rows, logits } = rowsOf(predictions, this.#fromLogits);
    const smooth = this.#smoothed(reshape(targets, rows.shape));
    const values = logits
      ? softmaxCrossEntropy(rows, smooth)
      : neg(sum(mul(smooth, logProbabilities(rows)), { axes: -1 }));
    return reshape(values, predictions.shape.slice(0, -1));
  }

  #smoothed(targets: Tensor): Tensor {
    const s = this.#smoothing;
    return s === 0 ? targets : add(mul(targets, 1 - s), s / targets.shape.at(-1)!);
  }

  #lastAxis(x: Tensor): Tensor {
    const axis = normalizeAxis(this.name, this.#axis, x.rank);
    const others = x.shape.map((_, i) => i).filter((i) => i !== axis);
    return axis === x.rank - 1 ? x : transpose(x, [...others, axis]);
  }
}

/**
 * -(target * log p + (1 - target) * log(1 - p)), the mean over the last axis. Predictions that come straight from
 * `sigmoid` are taken by their logits.
 */
export class BinaryCrossentropy extends Loss {
  readonly className = 'BinaryCrossentropy';
  readonly #fromLogits: boolean;
  readonly #smoothing: number;

  constructor(options: Omit<SmoothedCrossentropyOptions, 'axis'> = {}) {
    super('binaryCrossentropy', options);
    const args = this.reader<SmoothedCrossentropyOptions>();
    this.#fromLogits = args.boolean('fromLogits', false);
    this.#smoothing = args.number('labelSmoothing', 0, { min: 0, max: 1 });
    if (args.number('axis', -1) !== -1) throw args.refuse('axis', '-1', args.raw('axis'));
    args.note('axis', undefined);
    args.done();
  }

  call(yTrue: Tensor, yPred: Tensor): Tensor {
    const known = this.#fromLogits ? yPred : logitsOf(yPred, 'sigmoid');
    const [targets, predictions] = this.pair(yTrue, known ?? yPred);
    const s = this.#smoothing;
    const t = s === 0 ? targets : add(mul(targets, 1 - s), 0.5 * s);
    return meanOfLast(known ? binaryOfLogits(t, predictions) : binaryOfProbabilities(t, predictions));
  }
}

/** t * softplus(-x) + (1 - t) * softplus(x): no overflow, no rounding of small losses, and the gradient sigmoid(x) - t. */
function binaryOfLogits(t: Tensor, x: Tensor): Tensor {
  return add(mul(t, softplus(neg(x))), mul(sub(1, t), softplus(x)));
}

function binaryOfProbabilities(t: Tensor, p: Tensor): Tensor {
  const clipped = clip(p, EPSILON, 1 - EPSILON);
  return neg(add(mul(t, log(clipped)), mul(sub(1, t), log(sub(1, clipped)))));
}

/** The mean over the last axis; of a vector, its elements are the samples. */
export function meanOfLast(values: Tensor): Tensor {
  return values.rank <= 1 ? values : mean(values, { axes: -1 });
}

/** Class numbers as rows of 0 and 1, of the predictions' dtype. */
export function oneHotFor(labels: Tensor, yPred: Tensor): Tensor {
  return cast(oneHot(labels, yPred.shape.at(-1)!), yPred.dtype);
}

lossRegistry.register('SparseCategoricalCrossentropy', (c) => new SparseCategoricalCrossentropy(c));
lossRegistry.register('CategoricalCrossentropy', (c) => new CategoricalCrossentropy(c));
lossRegistry.register('BinaryCrossentropy', (c) => new BinaryCrossentropy(c), 'bce');
