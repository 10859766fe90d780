import type { Gradients } from '../autograd/grad.js';
import type { ArrayInput, Dataset } from '../data/index.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import type { Callback } from './callbacks/callback.js';

/** Tensors in arrays and records: what a model of several inputs or outputs takes and gives. */
export type TensorTree = Tensor | readonly TensorTree[] | { readonly [name: string]: TensorTree };

/** Data in memory: tensors, host tensors, typed arrays, nested numbers; arrays and records of these for several parts. */
export type DataInput = Tensor | ArrayInput | readonly DataInput[] | { readonly [name: string]: DataInput };

/**
 * A dataset of batches `[x, y]` or `[x, y, sampleWeight]`, each part a host tensor, or an array or record of them; for
 * `predict` also of `x` alone.
 */
export type BatchDataset = Dataset<unknown>;

/** `(dataset, options?)` or `(x, y, options?)`. */
export type DataArguments<Options> =
  [data: BatchDataset, options?: Options] | [x: DataInput, y: DataInput, options?: Options];

/** What the trainer needs of a model; {@link Model} is one. */
export interface TrainableModel {
  readonly name: string;
  readonly weights: readonly Variable[];
  readonly trainableWeights: readonly Variable[];
  /** Regularization and activity losses of the last `apply`, scalars. */
  readonly losses: readonly Tensor[];
  /** Names of the outputs, when the model knows them. */
  readonly outputNames?: readonly string[] | undefined;
  /** Names of the inputs, when the model knows them. */
  readonly inputNames?: readonly string[] | undefined;
  /** Set by callbacks to end training after the running batch. */
  stopTraining: boolean;
  apply(inputs: never, options?: { training?: boolean }): TensorTree;
}

/** A loss: a scalar from targets and predictions; `Loss` is one. */
export interface LossLike {
  readonly name: string;
  apply(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): Tensor;
}

/** A loss per sample or a scalar, written by hand. */
export type LossFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

/** A metric that keeps its state in variables; `Metric` is one. */
export interface MetricLike {
  readonly name: string;
  readonly variables: readonly Variable[];
  updateState(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void;
  result(): Tensor;
  reset(): void;
}

/** A metric written by hand: a value per sample, or a scalar; the mean is shown. */
export type MetricFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

/** What the trainer needs of an optimizer; `Optimizer` is one. */
export interface OptimizerLike {
  readonly name: string;
  learningRate: unknown;
  readonly iterations: number;
  apply(grads: Gradients): void;
}

export type LossSpec = string | LossLike | LossFunction | null;
export type MetricSpec = string | MetricLike | MetricFunction;

/** One for each output, in order or by name. */
export type PerOutput<T> = readonly T[] | { readonly [output: string]: T };

/** Options of `compile`. */
export interface CompileModelOptions {
  /** A name with Keras's defaults, or an optimizer. */
  readonly optimizer: string | OptimizerLike;
  /** For the only output, or one for each. `null` leaves an output out. */
  readonly loss?: LossSpec | PerOutput<LossSpec>;
  readonly metrics?: readonly MetricSpec[] | PerOutput<MetricSpec | readonly MetricSpec[]>;
  /** As `metrics`, but they see sample and class weights. */
  readonly weightedMetrics?: readonly MetricSpec[] | PerOutput<MetricSpec | readonly MetricSpec[]>;
  /** Factors of the outputs' losses in the total. */
  readonly lossWeights?: PerOutput<number>;
}

/** 0 silent, 1 a progress bar, 2 a line an epoch; `auto` is 1 on a terminal, else 2. */
export type Verbosity = 0 | 1 | 2 | 'auto';

/** Results by name: `loss`, `accuracy`, `val_loss`. */
export type Logs = Record<string, number>;

/** Options of `fit`. */
export interface FitOptions {
  /** The number of the last epoch, so that `epochs - initialEpoch` are run. 1 unless told. */
  readonly epochs?: number;
  /** Of data in memory; datasets come in batches. 32 unless told. */
  readonly batchSize?: number;
  readonly validationData?: BatchDataset | readonly [x: DataInput, y: DataInput, sampleWeight?: DataInput];
  /** The last part of data in memory is set aside, before shuffling. */
  readonly validationSplit?: number;
  /** Whether data in memory is shuffled before each epoch. True unless told. */
  readonly shuffle?: boolean;
  /** Fixes that order; drawn from the global seed unless told. */
  readonly shuffleSeed?: number;
  /** A factor for the samples of each class. */
  readonly classWeight?: Readonly<Record<number, number>>;
  /** One factor a sample, for data in memory. */
  readonly sampleWeight?: DataInput;
  readonly initialEpoch?: number;
  /** Batches an epoch; needed for infinite datasets. */
  readonly stepsPerEpoch?: number;
  readonly validationSteps?: number;
  readonly validationBatchSize?: number;
  /** Every how many epochs to validate. 1 unless told. */
  readonly validationFrequency?: number;
  readonly callbacks?: readonly Callback[];
  readonly verbose?: Verbosity;
  /** Ends training after the running batch, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Options of `evaluate`. */
export interface EvaluateOptions {
  readonly batchSize?: number;
  readonly sampleWeight?: DataInput;
  readonly steps?: number;
  readonly callbacks?: readonly Callback[];
  readonly verbose?: Verbosity;
  readonly signal?: AbortSignal;
}

/** Options of `predict`. */
export interface PredictOptions {
  readonly batchSize?: number;
  readonly steps?: number;
  readonly callbacks?: readonly Callback[];
  readonly verbose?: Verbosity;
  readonly signal?: AbortSignal;
}

/** Options of `trainOnBatch` and `testOnBatch`. */
export interface OnBatchOptions {
  readonly sampleWeight?: DataInput;
  /** For `trainOnBatch` only. */
  readonly classWeight?: Readonly<Record<number, number>>;
}
