import type { TypedArray } from '../../tensor/dtype.js';
import { tensor } from '../../tensor/create.js';
import type { Logs } from '../trainer-types.js';
import { Callback } from './callback.js';
import { Monitor, type MonitorMode } from './monitor.js';

/** Options of {@link EarlyStopping}, with Keras's names and defaults. */
export interface EarlyStoppingOptions {
  readonly monitor?: string;
  readonly minDelta?: number;
  /** Epochs without improvement before training ends. */
  readonly patience?: number;
  readonly mode?: MonitorMode;
  /** What must be improved on. */
  readonly baseline?: number;
  readonly restoreBestWeights?: boolean;
  readonly startFromEpoch?: number;
}

/** Ends training when a metric has stopped improving. */
export class EarlyStopping extends Callback {
  readonly #options: EarlyStoppingOptions;
  #monitor!: Monitor;
  #wait = 0;
  #best: TypedArray[] | undefined;
  /** The epoch whose weights are the best, from 0. */
  bestEpoch = 0;
  /** The epoch after which training was ended. */
  stoppedEpoch: number | undefined;

  constructor(options: EarlyStoppingOptions = {}) {
    super();
    this.#options = options;
    this.#begin();
  }

  override onTrainBegin(): void {
    this.#begin();
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const { patience = 0, restoreBestWeights = false, startFromEpoch = 0 } = this.#options;
    const value = this.#monitor.read(logs, 'EarlyStopping');
    if (value === undefined || epoch < startFromEpoch) return;
    if (restoreBestWeights && !this.#best) await this.#keep(epoch);
    this.#wait++;
    if (this.#monitor.improves(value)) {
      this.#wait = 0;
      if (restoreBestWeights) await this.#keep(epoch);
      else this.bestEpoch = epoch;
    } else if (this.#wait >= patience && epoch > 0) {
      this.stoppedEpoch = epoch;
      this.model.stopTraining = true;
    }
  }

  override onTrainEnd(): void {
    const best = this.#best;
    if (!best) return;
    this.model.weights.forEach((weight, i) => {
      using value = tensor(best[i]!, weight.shape, { dtype: weight.dtype, device: weight.device });
      weight.assign(value);
    });
  }

  async #keep(epoch: number): Promise<void> {
    this.bestEpoch = epoch;
    this.#best = await Promise.all(this.model.weights.map((weight) => weight.data()));
  }

  #begin(): void {
    const { monitor = 'val_loss', mode = 'auto', minDelta = 0, baseline } = this.#options;
    this.#monitor = new Monitor(monitor, mode, Math.abs(minDelta), baseline);
    this.#wait = 0;
    this.#best = undefined;
    this.stoppedEpoch = undefined;
  }
}
