import type { ArrayInput, Dataset } from '../data/index.js';
import type { PolicyName } from '../layers/policy.js';
import type * as losses from '../losses/index.js';
import type * as metrics from '../metrics/index.js';
import type { Optimizer } from '../optimizers/index.js';
import type { SeedGenerator } from '../random/seed.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import type { Callback } from './callbacks/callback.js';
import type { Verbosity } from './progress-line.js';

export type { Verbosity };

/** Tensors in arrays and records: what a model of several inputs or outputs takes and gives. */
export type TensorTree = Tensor | readonly TensorTree[] | { readonly [name: string]: TensorTree };

/**
 * Data in memory: tensors, host tensors, typed arrays, nested numbers; arrays and records of these for several parts.
 * Nested numbers are always one part: several come as tensors, as typed arrays or in a record.
 */
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
  /** The policy that the model was made under; without one nothing is known of its types. */
  readonly dtypePolicy?: PolicyName | undefined;
  readonly weights: readonly Variable[];
  readonly trainableWeights: readonly Variable[];
  /** State of random layers; saved with checkpoints. */
  readonly seedGenerators: readonly SeedGenerator[];
  /** Penalties of the weights, scalars, computed anew at every reading. */
  readonly losses: readonly Tensor[];
  /** Names of the outputs, when the model knows them. */
  readonly outputNames?: readonly string[] | undefined;
  /** Names of the inputs, when the model knows them. */
  readonly inputNames?: readonly string[] | undefined;
  /** Set by callbacks to end training after the running batch. */
  stopTraining: boolean;
  apply(inputs: never, options?: { training?: boolean }): TensorTree;
}

/** A loss by Keras's name, as an object, as a function, or as written down; `null` leaves an output out. */
export type LossSpec = Parameters<typeof losses.get>[0] | null;
/** A metric by Keras's name, as an object, as a function, or as written down. */
export type MetricSpec = Parameters<typeof metrics.get>[0];

/** One for each output, in order or by name. */
export type PerOutput<T> = readonly T[] | { readonly [output: string]: T };

/** Metrics of the only output, or those of each. */
export type MetricsSpec = readonly MetricSpec[] | PerOutput<MetricSpec | readonly MetricSpec[]>;

/** Options of `compile`. */
export interface CompileModelOptions {
  /** A name with Keras's defaults, or an optimizer. */
  readonly optimizer: string | Optimizer;
  /** For the only output, or one for each. `null` leaves an output out. */
  readonly loss?: LossSpec | PerOutput<LossSpec>;
  readonly metrics?: MetricsSpec;
  /** As `metrics`, but they see sample and class weights. */
  readonly weightedMetrics?: MetricsSpec;
  /** Factors of the outputs' losses in the total. */
  readonly lossWeights?: PerOutput<number>;
  /**
   * Whether the optimizer of a model of policy `mixed_float16` is wrapped to scale the loss
   * (`optimizers.lossScale`). True unless told.
   */
  readonly autoScaleLoss?: boolean;
}

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
  /** 0 silent, 1 a line that is redrawn, 2 a line an epoch. `auto` is 1 on a terminal and 2 elsewhere. */
  readonly verbose?: Verbosity;
  /**
   * A checkpoint file to go on from, if it exists: weights, optimizer, random state, epoch and step, bit for bit as if
   * training had not been interrupted. See `BackupAndRestore`, which writes them.
   */
  readonly resume?: string;
  /**
   * Ends training after the running batch: callbacks save (`BackupAndRestore`, `ModelCheckpoint` when asked), and `fit`
   * rejects with the signal's reason. See `interruptible` for Ctrl-C.
   */
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
  /** Whether the results are of this batch alone (the default), or running means since the last reset. */
  readonly resetMetrics?: boolean;
  /** For `trainOnBatch` only. */
  readonly classWeight?: Readonly<Record<number, number>>;
}
