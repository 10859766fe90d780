import path from 'node:path';
import { FoveaError } from '../../errors.js';
import { SummaryWriter } from '../tensorboard/summary-writer.js';
import { weightImages } from '../tensorboard/weight-images.js';
import { stateOf } from '../trainer-state.js';
import type { Logs } from '../trainer-types.js';
import { Callback, type CallbackState } from './callback.js';

/** Options of {@link TensorBoard}, with Keras's names and defaults. */
export interface TensorBoardOptions {
  /** Every how many epochs histograms of the weights are written; 0 for never, which is the default. */
  readonly histogramFreq?: number;
  /** Whether the weights are drawn as well, with the histograms. False unless told. */
  readonly writeImages?: boolean;
  /** Whether steps per second are written. False unless told. */
  readonly writeStepsPerSecond?: boolean;
  /** `epoch`, or `batch`, or every how many batches the running means are written too. `epoch` unless told. */
  readonly updateFreq?: 'epoch' | 'batch' | number;
}

/**
 * Writes event files for TensorBoard, under Keras's names: `train/` with `epoch_loss`, `epoch_accuracy`,
 * `epoch_learning_rate` and so on, `validation/` with the same of the validation, and `evaluation_loss_vs_iterations`.
 *
 * Unlike in Keras, steps of batches go on when training is resumed. Text and images of one's own: `writer('train')`.
 */
export class TensorBoard extends Callback {
  readonly #options: Required<Omit<TensorBoardOptions, 'updateFreq'>>;
  /** Every how many batches; undefined for epochs only. */
  readonly #every: number | undefined;
  readonly #writers = new Map<'train' | 'validation', SummaryWriter>();
  #batches = 0;
  #stepAt = 0;
  #epochAt = 0;
  #epochBatches = 0;
  #fitting = false;

  /** @param folder - `--logdir` of TensorBoard, or a folder in it: one a run */
  constructor(
    readonly folder: string,
    options: TensorBoardOptions = {},
  ) {
    super();
    const { updateFreq = 'epoch', histogramFreq = 0, writeImages = false, writeStepsPerSecond = false } = options;
    this.#options = { histogramFreq, writeImages, writeStepsPerSecond };
    this.#every = updateFreq === 'epoch' ? undefined : updateFreq === 'batch' ? 1 : updateFreq;
    check('updateFreq', this.#every ?? 1, 1);
    check('histogramFreq', histogramFreq, 0);
  }

  override get pipelined(): boolean {
    return true;
  }

  /** The writer of a folder, for summaries of one's own. Open until training or evaluation ends. */
  writer(part: 'train' | 'validation'): SummaryWriter {
    let writer = this.#writers.get(part);
    if (!writer) this.#writers.set(part, (writer = new SummaryWriter(path.join(this.folder, part))));
    return writer;
  }

  override onTrainBegin(): void {
    this.#fitting = true;
    this.#batches = 0;
  }

  override onEpochBegin(): void {
    this.#epochAt = this.#stepAt = performance.now();
    this.#epochBatches = 0;
  }

  override onTrainBatchEnd(_batch: number, logs: Logs): void | Promise<void> {
    const number = ++this.#batches;
    this.#epochBatches++;
    const now = performance.now();
    const seconds = (now - this.#stepAt) / 1000;
    this.#stepAt = now;
    if (this.#every === undefined || number % this.#every !== 0) return;
    const train = this.writer('train');
    if (this.#options.writeStepsPerSecond) train.scalar('batch_steps_per_second', 1 / seconds, number);
    for (const [name, value] of Object.entries(logs)) train.scalar(`batch_${name}`, value, number);
    return train.flush();
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const rate = stateOf(this.model).compiled?.optimizer.learningRate;
    const train: Logs = rate === undefined ? {} : { learning_rate: rate };
    if (this.#options.writeStepsPerSecond) {
      train['steps_per_second'] = (1000 * this.#epochBatches) / (this.#stepAt - this.#epochAt);
    }
    for (const [name, value] of Object.entries({ ...logs, ...train })) {
      if (name.startsWith('val_')) this.writer('validation').scalar(`epoch_${name.slice(4)}`, value, epoch);
      else this.writer('train').scalar(`epoch_${name}`, value, epoch);
    }
    const { histogramFreq } = this.#options;
    if (histogramFreq > 0 && epoch % histogramFreq === 0) await this.#weights(epoch);
    await this.#flush();
  }

  override async onTestEnd(logs: Logs): Promise<void> {
    const iterations = stateOf(this.model).compiled?.optimizer.iterations ?? 0;
    for (const [name, value] of Object.entries(logs)) {
      this.writer('validation').scalar(`evaluation_${name}_vs_iterations`, value, iterations);
    }
    if (!this.#fitting) await this.#close();
  }

  override async onTrainEnd(): Promise<void> {
    this.#fitting = false;
    await this.#close();
  }

  override async onFailure(): Promise<void> {
    this.#fitting = false;
    await this.#close();
  }

  override saveState(): CallbackState {
    return { values: { batches: this.#batches } };
  }

  override restoreState({ values }: CallbackState): void {
    this.#batches = values['batches'] as number;
  }

  async #weights(epoch: number): Promise<void> {
    const train = this.writer('train');
    const weights = await Promise.all(
      this.model.weights.map(async (weight) => ({ name: weight.name, shape: weight.shape, data: await weight.data() })),
    );
    for (const { name, shape, data } of weights) {
      const values = Float64Array.from(data as ArrayLike<number>);
      train.histogram(`${name}/histogram`, values, epoch);
      if (!this.#options.writeImages) continue;
      const images = weightImages(values, shape);
      if (images.length > 0) train.image(`${name}/image`, images, epoch);
    }
  }

  async #flush(): Promise<void> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.flush()));
  }

  async #close(): Promise<void> {
    const writers = [...this.#writers.values()];
    this.#writers.clear();
    await Promise.all(writers.map((writer) => writer.close()));
  }
}

function check(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new FoveaError(
    `TensorBoard: expected ${name} to be a whole number of at least ${least}, received ${String(value)}`,
    { op: 'TensorBoard', received: value },
  );
}
