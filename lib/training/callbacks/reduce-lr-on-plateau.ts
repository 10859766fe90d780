import { FoveaError } from '../../errors.js';
import { stateOf } from '../trainer-state.js';
import type { Logs } from '../trainer-types.js';
import { Callback, type CallbackState } from './callback.js';
import { numericRate } from './learning-rate-scheduler.js';
import { Monitor, printer, type MonitorMode, type VerboseOptions } from './monitor.js';

/** Options of {@link ReduceLROnPlateau}, with Keras's names and defaults. */
export interface ReduceLROnPlateauOptions extends VerboseOptions {
  /** `val_loss` unless told. */
  readonly monitor?: string;
  /** The learning rate is multiplied by this; below 1. 0.1 unless told. */
  readonly factor?: number;
  /** Epochs without improvement before that. 10 unless told. */
  readonly patience?: number;
  readonly mode?: MonitorMode;
  /** Less than this is no improvement. 1e-4 unless told. */
  readonly minDelta?: number;
  /** Epochs after a reduction that do not count. 0 unless told. */
  readonly cooldown?: number;
  /** The learning rate does not fall below this. 0 unless told. */
  readonly minLr?: number;
}

/** Reduces the learning rate when a metric has stopped improving, and logs it as `learning_rate`. */
export class ReduceLROnPlateau extends Callback {
  readonly #options: Required<Omit<ReduceLROnPlateauOptions, 'print'>> & VerboseOptions;
  #monitor!: Monitor;
  #wait = 0;
  #cooldown = 0;

  constructor(options: ReduceLROnPlateauOptions = {}) {
    super();
    this.#options = {
      ...{ monitor: 'val_loss', factor: 0.1, patience: 10, mode: 'auto' as const, minDelta: 1e-4 },
      ...{ cooldown: 0, minLr: 0, verbose: 0 as const },
      ...options,
    };
    const { factor } = this.#options;
    if (!(factor > 0 && factor < 1)) {
      throw new FoveaError(`ReduceLROnPlateau: expected factor above 0 and below 1, received ${factor}`, {
        op: 'ReduceLROnPlateau',
      });
    }
    this.#begin();
  }

  override onTrainBegin(): void {
    numericRate(this.model, 'ReduceLROnPlateau');
    this.#begin();
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    const { patience, cooldown } = this.#options;
    logs['learning_rate'] = numericRate(this.model, 'ReduceLROnPlateau');
    const value = this.#monitor.read(logs, 'ReduceLROnPlateau');
    if (value === undefined) return;
    if (this.#cooldown > 0) {
      this.#cooldown--;
      this.#wait = 0;
    }
    if (this.#monitor.improves(value)) this.#wait = 0;
    else if (this.#cooldown === 0 && ++this.#wait >= patience && this.#reduce(epoch)) {
      this.#cooldown = cooldown;
      this.#wait = 0;
    }
  }

  override saveState(): CallbackState {
    return { values: { best: this.#monitor.best ?? null, wait: this.#wait, cooldown: this.#cooldown } };
  }

  override restoreState({ values }: CallbackState): void {
    this.#monitor.best = (values['best'] as number | null) ?? undefined;
    this.#wait = values['wait'] as number;
    this.#cooldown = values['cooldown'] as number;
  }

  #reduce(epoch: number): boolean {
    const { factor, minLr } = this.#options;
    const { optimizer } = stateOf(this.model).compiled!;
    const before = optimizer.learningRate;
    if (!(before > minLr)) return false;
    const after = Math.max(before * factor, minLr);
    optimizer.learningRate = after;
    printer(this.#options)(`Epoch ${epoch + 1}: ReduceLROnPlateau reducing learning rate to ${after}.`);
    return true;
  }

  #begin(): void {
    const { monitor, mode, minDelta } = this.#options;
    this.#monitor = new Monitor(monitor, mode, minDelta);
    this.#wait = 0;
    this.#cooldown = 0;
  }
}
