import { FoveaError } from '../errors.js';
import { compile, type CompiledFunction } from '../graph/compile.js';
import { tensor } from '../tensor/create.js';
import { allocateTyped, type DType, type TypedArray } from '../tensor/dtype.js';
import { formatShape } from '../tensor/shape.js';
import type { Callback, CallbackParameters } from './callbacks/callback.js';
import { CallbackList } from './callbacks/callback-list.js';
import { ProgressBar } from './callbacks/progress-bar.js';
import { rowsOf } from './data-host.js';
import { BatchFeed, isDataset, type Batch } from './data-source.js';
import type { CompiledModel } from './trainer-compiled.js';
import { runSteps } from './trainer-loop.js';
import { compiledOf, stateOf } from './trainer-state.js';
import { leavesOf, mapTree } from './trainer-trees.js';
import type {
  BatchDataset,
  DataInput,
  EvaluateOptions,
  Logs,
  PredictOptions,
  TensorTree,
  TrainableModel,
  Verbosity,
} from './trainer-types.js';

/** The batches of a run, and how many there are when that is known. */
export interface Batches {
  readonly dataset: BatchDataset;
  readonly steps: number | undefined;
}

/** Batches of data in memory, or a dataset as it is. */
export async function batchesOf(
  op: string,
  data: BatchDataset | readonly [x: DataInput, y?: DataInput, sampleWeight?: DataInput],
  batchSize: number | undefined,
): Promise<Batches> {
  if (isDataset(data)) {
    if (batchSize !== undefined) throw unneeded(op, 'batchSize');
    return { dataset: data, steps: knownSteps(data) };
  }
  const dataset = (await rowsOf(op, ...data)).batch(checkCount(op, 'batchSize', batchSize ?? 32)) as BatchDataset;
  return { dataset, steps: knownSteps(dataset) };
}

export function unneeded(op: string, name: string): FoveaError {
  return new FoveaError(
    `${op}: expected ${name} with data in memory only, received it with a dataset (which has its own)`,
    { op },
  );
}

export function knownSteps({ cardinality }: BatchDataset): number | undefined {
  return typeof cardinality === 'number' ? cardinality : undefined;
}

/** @throws FoveaError ERR_ARGUMENT unless a number is a count of at least `least` */
export function checkCount(op: string, name: string, value: number, least = 1): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new FoveaError(`${op}: expected ${name} to be a whole number of at least ${least}, received ${String(value)}`, {
    op,
    expected: `at least ${least}`,
    received: value,
  });
}

/** @throws FoveaError ERR_ARGUMENT for a count of steps that is none, or for none with data that never ends */
export function checkSteps(op: string, dataset: BatchDataset, name: string, steps: number | undefined): void {
  if (steps !== undefined) checkCount(op, name, steps);
  else if (dataset.cardinality === 'infinite') {
    throw new FoveaError(`${op}: expected ${name} with an infinite dataset, received none`, { op, expected: name });
  }
}

export function makeCallbacks(
  model: TrainableModel,
  callbacks: readonly Callback[],
  verbose: Verbosity,
  parameters: Omit<CallbackParameters, 'verbose'>,
): CallbackList {
  const all = verbose === 0 ? callbacks : [new ProgressBar(verbose), ...callbacks];
  return new CallbackList(all, model, { ...parameters, verbose: verbose === 'auto' ? 1 : verbose });
}

/** Measures a model over batches; the hooks of a list of callbacks are called. */
export async function testOver(
  compiled: CompiledModel,
  { dataset }: Batches,
  callbacks: CallbackList,
  options: { op: string; steps?: number | undefined; signal?: AbortSignal | undefined },
): Promise<Logs> {
  const feed = new BatchFeed(dataset, { op: options.op, targets: true });
  let logs: Logs = {};
  compiled.reset();
  await callbacks.call('onTestBegin', {});
  try {
    await runSteps<Logs>({
      feed,
      limit: options.steps,
      repeat: false,
      exact: false,
      signal: options.signal,
      begin: (step) => callbacks.call('onTestBatchBegin', step, {}),
      launch: (batch) => compiled.test(batch),
      end: (step, result) => callbacks.call('onTestBatchEnd', step, (logs = result)),
      stopped: () => false,
    });
  } finally {
    await feed.close();
  }
  await callbacks.call('onTestEnd', logs);
  return logs;
}

export async function evaluateModel(
  model: TrainableModel,
  data: BatchDataset | readonly [x: DataInput, y: DataInput],
  options: EvaluateOptions,
): Promise<Logs> {
  const compiled = compiledOf(model, 'evaluate');
  const { batchSize, sampleWeight, verbose = 'auto', signal } = options;
  if (isDataset(data) && sampleWeight !== undefined) throw unneeded('evaluate', 'sampleWeight');
  const parts = isDataset(data) ? data : ([...data, sampleWeight] as [DataInput, DataInput, DataInput?]);
  const batches = await batchesOf('evaluate', parts, batchSize);
  const steps = options.steps ?? batches.steps;
  const callbacks = makeCallbacks(model, options.callbacks ?? [], verbose, { epochs: 1, steps });
  checkSteps('evaluate', batches.dataset, 'steps', options.steps);
  return guarded(callbacks, () =>
    testOver(compiled, batches, callbacks, { op: 'evaluate', steps: options.steps, signal }),
  );
}

/** Tells the callbacks of a failure. */
export async function guarded<T>(callbacks: CallbackList, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    await callbacks.call('onFailure', error);
    throw error;
  }
}

/** The compiled inference of a model. */
export function predictStep(model: TrainableModel): CompiledFunction<[TensorTree], TensorTree> {
  const state = stateOf(model);
  state.predict ??= compile((x: TensorTree) => model.apply(x as never, { training: false }), { name: 'predict' });
  return state.predict;
}

/** The pieces of one output. */
interface Pieces {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray[];
}

export async function predictModel(
  model: TrainableModel,
  data: DataInput | BatchDataset,
  options: PredictOptions,
): Promise<TensorTree> {
  const { batchSize, verbose = 0, signal } = options;
  const batches = await batchesOf('predict', isDataset(data) ? data : [data], batchSize);
  const steps = options.steps ?? batches.steps;
  const callbacks = makeCallbacks(model, options.callbacks ?? [], verbose, { epochs: 1, steps });
  checkSteps('predict', batches.dataset, 'steps', options.steps);
  const step = predictStep(model);
  // Data in memory is all input, however many parts it has.
  const feed = new BatchFeed(isDataset(data) ? batches.dataset : batches.dataset.map((x) => [x]), {
    op: 'predict',
    targets: false,
  });
  const outputs: Pieces[] = [];
  let structure: TensorTree | undefined;
  const launch = async ({ x }: Batch): Promise<TypedArray[]> => {
    const predictions = step(x);
    const leaves = leavesOf(predictions).map(({ value }) => value);
    structure ??= predictions;
    for (const [i, { dtype, shape }] of leaves.entries()) {
      outputs[i] ??= { dtype, shape: shape.slice(1), data: [] };
      if (shape.slice(1).join() === outputs[i].shape.join()) continue;
      throw new FoveaError(
        `predict: expected outputs of one shape to put together, received ${formatShape(shape)} after [*,${outputs[i].shape.join(',')}]`,
        { code: 'ERR_SHAPE', op: 'predict' },
      );
    }
    const reading = Promise.all(leaves.map((leaf) => leaf.data()));
    leaves.forEach((leaf) => leaf.dispose());
    return reading;
  };
  return guarded(callbacks, async () => {
    await callbacks.call('onPredictBegin');
    try {
      await runSteps({
        feed,
        limit: options.steps,
        repeat: false,
        exact: false,
        signal,
        begin: (number) => callbacks.call('onPredictBatchBegin', number),
        launch,
        end: (number, arrays: TypedArray[]) => {
          arrays.forEach((array, i) => outputs[i]!.data.push(array));
          return callbacks.call('onPredictBatchEnd', number);
        },
        stopped: () => false,
      });
    } finally {
      await feed.close();
    }
    await callbacks.call('onPredictEnd');
    return mapTree(structure!, (_, i) => join(outputs[i]!));
  });
}

function join({ dtype, shape, data }: Pieces): ReturnType<typeof tensor> {
  const length = data.reduce((sum, piece) => sum + piece.length, 0);
  const all = allocateTyped(dtype, length);
  let at = 0;
  for (const piece of data) {
    all.set(piece, at);
    at += piece.length;
  }
  const size = shape.reduce((product, d) => product * d, 1);
  return tensor(all, [size === 0 ? 0 : length / size, ...shape], { dtype });
}
