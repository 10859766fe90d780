import { mismatch } from '../errors.js';
import { labelsFor, meanOfLast, oneHotFor } from '../losses/crossentropy.js';
import { pairOf, requireFloatPredictions } from '../losses/loss.js';
import { equal, greater, less, mul } from '../ops/binary.js';
import { argMax } from '../ops/indexing.js';
import { sum } from '../ops/reduce.js';
import { cast } from '../ops/unary.js';
import { isFloat } from '../tensor/dtype.js';
import { formatShape, sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { MeanMetric, metricRegistry, type MetricOptions } from './metric.js';

/** Class numbers as int32, of any dtype that holds whole numbers (labels are often read as floats). */
function classNumbers(owner: string, yTrue: Tensor, yPred: Tensor): Tensor {
  return labelsFor(owner, isFloat(yTrue.dtype) ? cast(yTrue, 'int32') : yTrue, yPred);
}

function sparseHits(owner: string, yTrue: Tensor, yPred: Tensor): Tensor {
  const labels = classNumbers(owner, yTrue, yPred);
  return cast(equal(argMax(yPred), labels), yPred.dtype);
}

/** Targets of the predictions' shape, a probability a class. */
function classTargets(owner: string, yTrue: Tensor, yPred: Tensor): Tensor {
  requireFloatPredictions(owner, yPred);
  if (!sameShape(yTrue.shape, yPred.shape)) {
    const expected = `targets of the predictions' shape ${formatShape(yPred.shape)}`;
    throw mismatch('ERR_SHAPE', { op: owner }, expected, formatShape(yTrue.shape));
  }
  return cast(yTrue, yPred.dtype);
}

function denseHits(owner: string, yTrue: Tensor, yPred: Tensor): Tensor {
  const targets = classTargets(owner, yTrue, yPred);
  return cast(equal(argMax(yPred), argMax(targets)), yPred.dtype);
}

function binaryHits(owner: string, yTrue: Tensor, yPred: Tensor, threshold: number): Tensor {
  const [t, p] = pairOf(owner, yTrue, yPred);
  return meanOfLast(cast(equal(t, cast(greater(p, threshold), p.dtype)), p.dtype));
}

/** Whether fewer than k classes have a larger score than the target's; ties count for it, as in TensorFlow. */
function topHits(targets: Tensor, yPred: Tensor, k: number): Tensor {
  const score = sum(mul(targets, yPred), { axes: -1, keepDims: true });
  const above = sum(cast(greater(yPred, score), yPred.dtype), { axes: -1 });
  return cast(less(above, k), yPred.dtype);
}

/**
 * How often predictions are right: of classes by number, of classes by probability, or of yes and no, whichever the
 * shapes of the first batch tell, as Keras does for `'accuracy'`.
 */
export class Accuracy extends MeanMetric {
  readonly className = 'Accuracy';
  #hits: ((owner: string, yTrue: Tensor, yPred: Tensor) => Tensor) | undefined;

  constructor(options?: MetricOptions) {
    super('accuracy', options);
    this.args.done();
  }

  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    requireFloatPredictions(this.name, yPred);
    this.#hits ??= resolve(yTrue, yPred);
    return this.#hits(this.name, yTrue, yPred);
  }
}

function resolve(yTrue: Tensor, yPred: Tensor): (owner: string, yTrue: Tensor, yPred: Tensor) => Tensor {
  const classes = yPred.shape.at(-1)!;
  if (classes === 1 || yPred.rank === 1) return (owner, t, p) => binaryHits(owner, t, p, 0.5);
  return yTrue.rank < yPred.rank || yTrue.shape.at(-1) === 1 ? sparseHits : denseHits;
}

/** How often the class with the largest score is the one whose number is given. */
export class SparseCategoricalAccuracy extends MeanMetric {
  readonly className = 'SparseCategoricalAccuracy';

  constructor(options?: MetricOptions) {
    super('sparseCategoricalAccuracy', options);
    this.args.done();
  }

  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return sparseHits(this.name, yTrue, yPred);
  }
}

/** How often the class with the largest score is the one with the largest target. */
export class CategoricalAccuracy extends MeanMetric {
  readonly className = 'CategoricalAccuracy';

  constructor(options?: MetricOptions) {
    super('categoricalAccuracy', options);
    this.args.done();
  }

  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return denseHits(this.name, yTrue, yPred);
  }
}

export interface BinaryAccuracyOptions extends MetricOptions {
  /** Predictions above it mean yes. */
  threshold?: number;
}

/** How often a probability is on the target's side of a threshold. */
export class BinaryAccuracy extends MeanMetric {
  readonly className = 'BinaryAccuracy';
  readonly #threshold: number;

  constructor(options: BinaryAccuracyOptions = {}) {
    super('binaryAccuracy', options);
    const args = this.reader<BinaryAccuracyOptions>();
    this.#threshold = args.number('threshold', 0.5);
    args.done();
  }

  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return binaryHits(this.name, yTrue, yPred, this.#threshold);
  }
}

export interface TopKOptions extends MetricOptions {
  k?: number;
}

/** How often the class with the largest target is among the k largest scores. */
export class TopKCategoricalAccuracy extends MeanMetric {
  readonly className = 'TopKCategoricalAccuracy';
  readonly #k: number;

  constructor(options: TopKOptions = {}) {
    super('topKCategoricalAccuracy', options);
    const args = this.reader<TopKOptions>();
    this.#k = args.number('k', 5, { min: 1, integer: true });
    args.done();
  }

  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    const targets = oneHotFor(argMax(classTargets(this.name, yTrue, yPred)), yPred);
    return topHits(targets, yPred, this.#k);
  }
}

/** How often the class whose number is given is among the k largest scores. */
export class SparseTopKCategoricalAccuracy extends MeanMetric {
  readonly className = 'SparseTopKCategoricalAccuracy';
  readonly #k: number;

  constructor(options: TopKOptions = {}) {
    super('sparseTopKCategoricalAccuracy', options);
    const args = this.reader<TopKOptions>();
    this.#k = args.number('k', 5, { min: 1, integer: true });
    args.done();
  }

  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return topHits(oneHotFor(classNumbers(this.name, yTrue, yPred), yPred), yPred, this.#k);
  }
}

metricRegistry.register('Accuracy', (c) => new Accuracy(c), 'acc');
metricRegistry.register('SparseCategoricalAccuracy', (c) => new SparseCategoricalAccuracy(c));
metricRegistry.register('CategoricalAccuracy', (c) => new CategoricalAccuracy(c));
metricRegistry.register('BinaryAccuracy', (c) => new BinaryAccuracy(c));
metricRegistry.register('TopKCategoricalAccuracy', (c) => new TopKCategoricalAccuracy(c));
metricRegistry.register('SparseTopKCategoricalAccuracy', (c) => new SparseTopKCategoricalAccuracy(c));
