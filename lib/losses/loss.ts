import { mismatch } from '../errors.js';
import { cast, widened } from '../ops/unary.js';
import { asTensor, type TensorLike } from '../tensor/create.js';
import { isFloat } from '../tensor/dtype.js';
import { formatShape, sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { OptionReader, type Config, type Configurable } from '../util/options.js';
import { Registry } from '../util/registry.js';
import { alignRanks, REDUCTIONS, reduceLoss, type Reduction } from './reduction.js';

export interface LossOptions {
  reduction?: Reduction;
  /** Shown in logs. */
  name?: string;
}

/** The smallest probability a logarithm is taken of. */
export const EPSILON = 1e-7;

/** How far predictions are from targets. */
export abstract class Loss implements Configurable {
  abstract readonly className: string;
  readonly name: string;
  readonly reduction: Reduction;
  protected readonly args: OptionReader<LossOptions>;

  constructor(name: string, options: LossOptions = {}) {
    this.args = new OptionReader(name, options);
    this.name = this.args.string('name', name);
    this.reduction = this.args.choice('reduction', 'sumOverBatchSize', REDUCTIONS);
    this.args.ignore('fn', 'dtype');
  }

  /** The loss of each sample: the shape of the predictions without their last axis. */
  abstract call(yTrue: Tensor, yPred: Tensor): Tensor;

  /**
   * The loss of a batch: one number, unless the reduction is `none`; in float32 for predictions of a 16-bit type.
   *
   * @param sampleWeight - a factor for each sample; the sum of weighted losses is divided by the number of samples
   * @throws FoveaError when shapes or dtypes do not fit
   */
  apply(yTrue: TensorLike, yPred: TensorLike, sampleWeight?: TensorLike): Tensor {
    const predictions = widened(asTensor(this.name, yPred));
    const values = this.call(asTensor(this.name, yTrue), predictions);
    const weights = sampleWeight === undefined ? undefined : asTensor(this.name, sampleWeight);
    return reduceLoss(this.name, values, this.reduction, weights);
  }

  getConfig(): Config {
    return this.args.config;
  }

  /** The reader of options, which a subclass reads its own from and then asks whether all were known. */
  protected reader<O extends LossOptions>(): OptionReader<O> {
    return this.args;
  }

  /** Targets and predictions of one shape and dtype, at least a vector. */
  protected pair(yTrue: Tensor, yPred: Tensor): [yTrue: Tensor, yPred: Tensor] {
    return pairOf(this.name, yTrue, yPred);
  }
}

/**
 * Targets and predictions of one shape and dtype; targets that are whole numbers become floating point.
 *
 * @param owner - the loss or metric, for messages
 */
export function pairOf(owner: string, yTrue: Tensor, yPred: Tensor): [yTrue: Tensor, yPred: Tensor] {
  requireFloatPredictions(owner, yPred);
  const [t, p] = alignRanks(yTrue, yPred);
  if (!sameShape(t.shape, p.shape)) {
    const expected = `targets of the predictions' shape ${formatShape(yPred.shape)}`;
    throw mismatch('ERR_SHAPE', { op: owner }, expected, formatShape(yTrue.shape));
  }
  return [cast(t, p.dtype), p];
}

/** Throws unless predictions are floating point and have a batch axis. */
export function requireFloatPredictions(owner: string, yPred: Tensor): void {
  if (!isFloat(yPred.dtype)) throw mismatch('ERR_DTYPE', { op: owner }, 'predictions of dtype float32', yPred.dtype);
  if (yPred.rank === 0) throw mismatch('ERR_SHAPE', { op: owner }, 'predictions with a batch axis', '[]');
}

export const lossRegistry = new Registry<Loss>('loss');
