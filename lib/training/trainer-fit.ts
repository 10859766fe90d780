import { existsSync } from 'node:fs';
import type { Dataset } from '../data/index.js';
import { FoveaError } from '../errors.js';
import { nextSeed } from '../random/seed.js';
import type { CallbackList } from './callbacks/callback-list.js';
import { History } from './callbacks/history.js';
import { rowsOf } from './data-host.js';
import { BatchFeed, isDataset } from './data-source.js';
import { loadCheckpoint } from '../weights/checkpoint.js';
import type { CompiledModel } from './trainer-compiled.js';
import {
  batchesOf,
  checkCount,
  checkSteps,
  guarded,
  knownSteps,
  makeCallbacks,
  testOver,
  unneeded,
  type Batches,
} from './trainer-evaluate.js';
import { runSteps } from './trainer-loop.js';
import { compiledOf, stateOf, type TrainerState, type TrainingPosition } from './trainer-state.js';
import type { BatchDataset, DataInput, FitOptions, Logs, TrainableModel } from './trainer-types.js';

/** The data of a training, before it is known which order it has. */
interface TrainingData {
  /** Batches in the order of a seed (which only data in memory uses). */
  readonly ordered: (seed: number) => BatchDataset;
  readonly steps: number | undefined;
  readonly inMemory: boolean;
  readonly validation: Batches | undefined;
}

export async function fitModel(
  model: TrainableModel,
  data: BatchDataset | readonly [x: DataInput, y: DataInput],
  options: FitOptions,
): Promise<History> {
  const compiled = compiledOf(model, 'fit');
  const state = stateOf(model);
  if (state.fitting)
    throw new FoveaError(`fit "${model.name}": expected one training of a model at a time, received a second`, {
      op: 'fit',
    });
  checkOptions(options);
  if (compiled.outdated) {
    process.emitWarning(
      `${model.name}: trainable was changed since compile(); it takes effect with the next compile()`,
      'FoveaWarning',
    );
  }
  state.fitting = true;
  try {
    return await new Training(model, compiled, state, await prepareData(data, options), options).run();
  } finally {
    state.fitting = false;
    delete state.position;
    delete state.callbacks;
  }
}

function checkOptions(options: FitOptions): void {
  const { epochs = 1, initialEpoch = 0, validationFrequency, validationSplit } = options;
  checkCount('fit', 'epochs', epochs, 0);
  checkCount('fit', 'initialEpoch', initialEpoch, 0);
  if (validationFrequency !== undefined) checkCount('fit', 'validationFrequency', validationFrequency);
  if (validationSplit !== undefined && !(validationSplit >= 0 && validationSplit < 1)) {
    throw new FoveaError(`fit: expected validationSplit from 0 up to 1, received ${validationSplit}`, { op: 'fit' });
  }
}

async function prepareData(
  data: BatchDataset | readonly [x: DataInput, y: DataInput],
  options: FitOptions,
): Promise<TrainingData> {
  const { batchSize, sampleWeight, validationData, validationSplit = 0, shuffle = true } = options;
  const validationSize = options.validationBatchSize;
  const given =
    validationData &&
    (await batchesOf('fit', validationData, isDataset(validationData) ? undefined : (validationSize ?? batchSize)));
  if (given) checkSteps('fit', given.dataset, 'validationSteps', options.validationSteps);
  if (isDataset(data)) {
    checkSteps('fit', data, 'stepsPerEpoch', options.stepsPerEpoch);
    if (batchSize !== undefined) throw unneeded('fit', 'batchSize');
    if (sampleWeight !== undefined) throw unneeded('fit', 'sampleWeight');
    if (validationSplit > 0) throw unneeded('fit', 'validationSplit');
    return { ordered: () => data, steps: knownSteps(data), inMemory: false, validation: given };
  }
  if (options.stepsPerEpoch !== undefined) checkCount('fit', 'stepsPerEpoch', options.stepsPerEpoch);
  const size = checkCount('fit', 'batchSize', batchSize ?? 32);
  const rows = await rowsOf('fit', data[0], data[1], sampleWeight);
  const count = rows.cardinality as number;
  // Keras's rounding: the first part has floor(n * (1 - split)) rows.
  const cut = given ? count : Math.floor(count * (1 - validationSplit));
  if (count > 0 && cut === 0) {
    throw new FoveaError(
      `fit: expected validationSplit to leave something to train on, received ${validationSplit} of ${count} samples`,
      { op: 'fit' },
    );
  }
  const train: Dataset<unknown> = cut === count ? rows : rows.take(cut);
  const validation =
    given ??
    (cut === count
      ? undefined
      : {
          dataset: rows.skip(cut).batch(checkCount('fit', 'validationBatchSize', validationSize ?? size)),
          steps: undefined,
        });
  return {
    ordered: (seed) => (shuffle && cut > 0 ? train.shuffle(cut, { seed }) : train).batch(size),
    steps: Math.ceil(cut / size),
    inMemory: true,
    validation,
  };
}

/** One run of `fit`. */
class Training {
  readonly #history = new History();
  readonly #callbacks: CallbackList;
  readonly #limit: number | undefined;
  #logs: Logs = {};

  constructor(
    private readonly model: TrainableModel,
    private readonly compiled: CompiledModel,
    private readonly state: TrainerState,
    private readonly data: TrainingData,
    private readonly options: FitOptions,
  ) {
    const { epochs = 1, verbose = 1, callbacks = [], stepsPerEpoch } = options;
    this.#limit = stepsPerEpoch;
    const steps = stepsPerEpoch ?? data.steps;
    this.#callbacks = makeCallbacks(model, [...callbacks, this.#history], verbose, { epochs, steps });
  }

  async run(): Promise<History> {
    const { model, options, state } = this;
    if (options.resume !== undefined && existsSync(options.resume)) await loadCheckpoint(model, options.resume);
    model.stopTraining = false;
    state.callbacks = this.#callbacks;
    return guarded(this.#callbacks, async () => {
      await this.#callbacks.call('onTrainBegin', {});
      const resumed = state.resume;
      if (resumed) this.#callbacks.restoreStates(state.resumeCallbacks ?? new Map());
      delete state.resume;
      delete state.resumeCallbacks;
      this.#logs = resumed?.logs ?? {};
      const seed = resumed?.shuffleSeed ?? options.shuffleSeed ?? (this.data.inMemory ? nextSeed() : undefined);
      let position: TrainingPosition = resumed
        ? { ...resumed, shuffleSeed: seed }
        : { epoch: options.initialEpoch ?? 0, step: 0, data: { pass: state.passes, offset: 0 }, shuffleSeed: seed };
      const feed = this.#open(position, seed ?? 0);
      try {
        while (position.epoch < (options.epochs ?? 1) && !this.#stopped()) position = await this.#epoch(position, feed);
      } catch (error) {
        const { signal } = this.options;
        if (signal?.aborted && error === signal.reason) {
          await this.#callbacks.call('onInterrupt', error, this.#logs);
        }
        throw error;
      } finally {
        state.passes = position.data.offset > 0 ? position.data.pass + 1 : position.data.pass;
        await feed.close();
      }
      this.compiled.optimizer.finalizeVariables(model.trainableWeights);
      await this.#callbacks.call('onTrainEnd', this.#logs);
      return this.#history;
    });
  }

  #open(position: TrainingPosition, seed: number): BatchFeed {
    const { classWeight } = this.options;
    return new BatchFeed(this.data.ordered(seed), { op: 'fit', targets: true, classWeight }, position.data);
  }

  #stopped(): boolean {
    return this.model.stopTraining;
  }

  /** Runs an epoch, or the rest of one; the position after it. */
  async #epoch(start: TrainingPosition, feed: BatchFeed): Promise<TrainingPosition> {
    const callbacks = this.#callbacks;
    const { compiled, state } = this;
    const { epoch } = start;
    let position = start;
    state.position = start;
    if (start.step === 0) compiled.reset();
    await callbacks.call('onEpochBegin', epoch, {});
    await runSteps<{ logs: Logs; after: TrainingPosition; size: number }>({
      feed,
      start: start.step,
      limit: this.#limit,
      repeat: this.#limit !== undefined,
      exact: callbacks.exactBatches,
      signal: this.options.signal,
      begin: (step) => callbacks.call('onTrainBatchBegin', step, {}),
      launch: async (batch) => {
        const after = { ...position, step: position.step + 1, data: batch.after };
        position = after;
        return { logs: await compiled.train(batch), after, size: batch.size };
      },
      end: (step, { logs, after, size }) => {
        this.#logs = logs;
        state.position = { ...after, logs };
        return callbacks.call('onTrainBatchEnd', step, logs, size);
      },
      stopped: () => this.#stopped(),
    });
    // The end of a pass; with `stepsPerEpoch` the data goes on where it is.
    const ended = this.#limit === undefined && feed.position.offset === 0;
    const data = ended ? feed.position : position.data;
    const next: TrainingPosition = { epoch: epoch + 1, step: 0, data, shuffleSeed: start.shuffleSeed };
    const logs = { ...this.#logs, ...(await this.#validate(epoch)) };
    state.position = next;
    await callbacks.call('onEpochEnd', epoch, logs);
    this.#logs = logs;
    return next;
  }

  async #validate(epoch: number): Promise<Logs> {
    const { validation } = this.data;
    const { validationFrequency = 1, validationSteps, signal } = this.options;
    if (!validation || (epoch + 1) % validationFrequency !== 0) return {};
    const logs = await testOver(this.compiled, validation, this.#callbacks, {
      op: 'fit (validation)',
      steps: validationSteps,
      signal,
    });
    return Object.fromEntries(Object.entries(logs).map(([name, value]) => [`val_${name}`, value]));
  }
}
