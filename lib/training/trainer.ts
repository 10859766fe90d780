/**
 * Training, evaluation and prediction of models, split as Keras splits them:
 *
 * - `data-source.ts`: data in memory or a dataset becomes batches on the device;
 * - `trainer-compiled.ts`: what `compile` makes of a model, and its step functions, each one compiled function
 *   (`trainer-losses.ts`, `trainer-metrics.ts`: the losses and metrics of its outputs);
 * - `trainer-loop.ts`: runs steps so that the device is never idle;
 * - `trainer-fit.ts`, `trainer-evaluate.ts`: epochs, validation, putting predictions together;
 * - `callbacks/`: what watches and steers.
 *
 * This file is the surface: `Model`'s methods call these functions.
 */
import type { StepProfile } from '../backends/backend.js';
import { FoveaError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import type { History } from './callbacks/history.js';
import { hostTensors } from './data-host.js';
import { isDataset, toBatch, type Batch } from './data-source.js';
import { CompiledModel } from './trainer-compiled.js';
import { evaluateModel, predictModel, predictStep } from './trainer-evaluate.js';
import { fitModel } from './trainer-fit.js';
import { compiledOf, stateOf } from './trainer-state.js';
import type {
  BatchDataset,
  CompileModelOptions,
  DataArguments,
  DataInput,
  EvaluateOptions,
  FitOptions,
  Logs,
  OnBatchOptions,
  PredictOptions,
  TensorTree,
  TrainableModel,
} from './trainer-types.js';

export { History } from './callbacks/history.js';
export type * from './trainer-types.js';

/**
 * Says how a model is trained. To be called before `fit` and `evaluate`, and again after `trainable` was changed: what
 * is trained is settled when the first step after it is traced.
 */
export function compileModel(model: TrainableModel, options: CompileModelOptions): void {
  if (options?.optimizer === undefined)
    throw new FoveaError(`compile "${model.name}": expected an optimizer, received none`, { op: 'compile' });
  const compiled = new CompiledModel(model, options);
  const state = stateOf(model);
  state.compiled?.dispose();
  state.predict?.dispose();
  delete state.predict;
  state.compiled = compiled;
}

/** The optimizer that `compile` was given, if it was called. */
export function optimizerOf(model: TrainableModel): CompiledModel['optimizer'] | undefined {
  return stateOf(model).compiled?.optimizer;
}

/**
 * Trains a model: `fit(model, dataset, options)` or `fit(model, x, y, options)`.
 *
 * @returns the history: loss and metrics of every epoch
 */
export async function fit(model: TrainableModel, ...args: DataArguments<FitOptions>): Promise<History> {
  const [data, options] = split<FitOptions>('fit', args);
  return fitModel(model, data, options);
}

/** Loss and metrics over data, as running means of the last batch: `{ loss, accuracy }`. */
export async function evaluate(model: TrainableModel, ...args: DataArguments<EvaluateOptions>): Promise<Logs> {
  const [data, options] = split<EvaluateOptions>('evaluate', args);
  return evaluateModel(model, data, options);
}

/**
 * The outputs for data, computed batch by batch, as one tensor for each output. A dataset yields `[x, ...]`, or `x` when
 * it is one tensor or a record.
 */
export async function predict<Out extends TensorTree = Tensor>(
  model: TrainableModel,
  x: DataInput | BatchDataset,
  options: PredictOptions = {},
): Promise<Out> {
  // What a model gives is the caller's to name, as with `apply`.
  return (await predictModel(model, x, options)) as Out;
}

/** Trains on one batch. Answers this batch's loss and metrics, before the update. */
export async function trainOnBatch(
  model: TrainableModel,
  x: DataInput,
  y: DataInput,
  options: OnBatchOptions = {},
): Promise<Logs> {
  const compiled = compiledOf(model, 'trainOnBatch');
  const batch = await batchOf('trainOnBatch', x, needed('trainOnBatch', y), options);
  if (options.resetMetrics ?? true) compiled.reset();
  return using(batch, () => compiled.train(batch));
}

/** Measures one batch. */
export async function testOnBatch(
  model: TrainableModel,
  x: DataInput,
  y: DataInput,
  options: OnBatchOptions = {},
): Promise<Logs> {
  const compiled = compiledOf(model, 'testOnBatch');
  const batch = await batchOf('testOnBatch', x, needed('testOnBatch', y), options);
  if (options.resetMetrics ?? true) compiled.reset();
  return using(batch, () => compiled.test(batch));
}

/** The outputs for one batch. Answers at once with tensors that are being computed. */
export async function predictOnBatch<Out extends TensorTree = Tensor>(
  model: TrainableModel,
  x: DataInput,
): Promise<Out> {
  const batch = await batchOf('predictOnBatch', x, undefined, {});
  return using(batch, async () => predictStep(model)(batch.x) as Out);
}

/**
 * Runs one batch `runs` times with a clock around every kernel, after a first time that warms up: training steps where
 * there are targets, predictions where there are none.
 *
 * @returns the profile of every run
 */
export async function profileOnBatch(
  model: TrainableModel,
  x: DataInput,
  y: DataInput | undefined,
  runs: number,
): Promise<StepProfile[][]> {
  const compiled = y === undefined ? undefined : compiledOf(model, 'profile');
  const batch = await batchOf('profile', x, y, {});
  const once = (): Promise<StepProfile[]> =>
    compiled ? compiled.profileTraining(batch) : predictStep(model).profile(batch.x);
  try {
    await once();
    const profiles: StepProfile[][] = [];
    for (let i = 0; i < runs; i++) profiles.push(await once());
    return profiles;
  } finally {
    batch.dispose();
  }
}

/** Targets where a step needs them. */
function needed(op: string, y: DataInput | undefined): DataInput {
  if (y === undefined) throw new FoveaError(`${op}: expected y, received none`, { op });
  return y;
}

/** A batch from data in memory. Tensors stay where they are. */
async function batchOf(op: string, x: DataInput, y: DataInput | undefined, options: OnBatchOptions): Promise<Batch> {
  const targets = y !== undefined;
  const { sampleWeight, classWeight } = options;
  const parts = [x, y, sampleWeight].map((part, i) =>
    part === undefined ? undefined : hostTensors(part, ['x', 'y', 'sampleWeight'][i]!, op),
  );
  return toBatch(parts, { op, targets, classWeight }, { pass: 0, offset: 0 });
}

/** Runs `fn`, which enqueues work at once, and frees the batch. */
function using<T>(batch: Batch, fn: () => Promise<T>): Promise<T> {
  try {
    return fn();
  } finally {
    batch.dispose();
  }
}

function split<Options>(
  op: string,
  args: DataArguments<Options>,
): [BatchDataset | readonly [DataInput, DataInput], Options] {
  const [data, second, third] = args as readonly [unknown, unknown?, unknown?];
  if (isDataset(data)) return [data, (third ?? second ?? {}) as Options];
  if (second === undefined || second === null) {
    throw new FoveaError(`${op}: expected a dataset, or x and y; received x without y`, { op });
  }
  return [[data as DataInput, second as DataInput], (third ?? {}) as Options];
}
