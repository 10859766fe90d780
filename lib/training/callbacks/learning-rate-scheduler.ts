import { FoveaError, mismatch } from '../../errors.js';
import { format } from '../../util/options.js';
import { compiledOf } from '../trainer-state.js';
import type { Logs, TrainableModel } from '../trainer-types.js';
import { Callback, type CallbackState } from './callback.js';
import { printer, type VerboseOptions } from './monitor.js';

/** The learning rate of an epoch (from 0), given the one before. */
export type RateSchedule = (epoch: number, learningRate: number) => number;

/**
 * Sets the learning rate at the beginning of every epoch, and logs it as `learning_rate`.
 *
 * @example
 * new LearningRateScheduler((epoch, rate) => (epoch < 10 ? rate : rate * Math.exp(-0.1)));
 */
export class LearningRateScheduler extends Callback {
  /** The epoch whose rate has been set: an epoch that is resumed in its middle is not scheduled twice. */
  #epoch = -1;

  constructor(
    readonly schedule: RateSchedule,
    private readonly options: VerboseOptions = {},
  ) {
    super();
    if (typeof schedule !== 'function') {
      const expected = 'a function of epoch and learning rate as schedule';
      throw mismatch('ERR_ARGUMENT', { op: 'LearningRateScheduler' }, expected, format(schedule));
    }
  }

  override onTrainBegin(): void {
    numericRate(this.model, 'LearningRateScheduler');
    this.#epoch = -1;
  }

  override onEpochBegin(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    const { optimizer } = compiledOf(this.model, 'LearningRateScheduler');
    const rate: unknown = this.schedule(epoch, optimizer.learningRate);
    if (typeof rate !== 'number' || !Number.isFinite(rate) || rate < 0) {
      throw new FoveaError(
        `LearningRateScheduler: expected schedule(${epoch}, ${optimizer.learningRate}) to be a finite number of at least 0, ` +
          `received ${String(rate)}`,
        { op: 'LearningRateScheduler', received: rate },
      );
    }
    optimizer.learningRate = rate;
    printer(this.options)(`Epoch ${epoch + 1}: LearningRateScheduler setting learning rate to ${rate}.`);
  }

  override onEpochEnd(_epoch: number, logs: Logs): void {
    logs['learning_rate'] = numericRate(this.model, 'LearningRateScheduler');
  }

  override saveState(): CallbackState {
    return { values: { epoch: this.#epoch } };
  }

  override restoreState({ values }: CallbackState): void {
    this.#epoch = values['epoch'] as number;
  }
}

/**
 * The learning rate of the model's optimizer.
 *
 * @throws FoveaError ERR_ARGUMENT when it follows a schedule, which a callback would silently replace
 */
export function numericRate(model: TrainableModel, owner: string): number {
  const { optimizer } = compiledOf(model, owner);
  if (!optimizer.schedule) return optimizer.learningRate;
  throw new FoveaError(
    `${owner}: expected an optimizer with a number as learning rate, received one with the schedule ` +
      `${optimizer.schedule.className}: use one or the other`,
    { op: owner, received: optimizer.schedule.className },
  );
}
