import { checkNumber } from '../../util/options.js';
import { tensor } from '../../tensor/create.js';
import type { NamedArray } from '../../weights/safetensors.js';
import type { Logs } from '../trainer-types.js';
import { Callback, type CallbackState } from './callback.js';
import { Monitor, printer, type MonitorMode, type VerboseOptions } from './monitor.js';

/** Options of {@link EarlyStopping}, with Keras's names and defaults. */
export interface EarlyStoppingOptions extends VerboseOptions {
  /** `val_loss` unless told. */
  readonly monitor?: string;
  /** Less than this is no improvement. 0 unless told. */
  readonly minDelta?: number;
  /** Epochs without improvement before training ends. 0 unless told. */
  readonly patience?: number;
  readonly mode?: MonitorMode;
  /** Training ends when `patience` epochs have not been better than this. */
  readonly baseline?: number;
  /** Whether the weights are those of the best epoch in the end, also when training was not ended early. */
  readonly restoreBestWeights?: boolean;
  /** Epochs before this one (from 0) do not count: a warm-up. */
  readonly startFromEpoch?: number;
}

/**
 * Ends training when a metric has stopped improving.
 *
 * As Keras 3 does it, but for two surprises: a NaN is never the best, and a baseline that is never reached ends training
 * after `patience` epochs, as Keras documents, also while the metric improves below it.
 */
export class EarlyStopping extends Callback {
  readonly #options: EarlyStoppingOptions;
  #monitor!: Monitor;
  #wait = 0;
  #best: NamedArray[] | undefined;
  /** The epoch with the best value, from 0. */
  bestEpoch = 0;
  /** The epoch after which training was ended. */
  stoppedEpoch: number | undefined;

  constructor(options: EarlyStoppingOptions = {}) {
    super();
    const { patience = 0, minDelta = 0, startFromEpoch = 0 } = options;
    checkNumber('EarlyStopping', 'patience', patience, { min: 0, integer: true });
    checkNumber('EarlyStopping', 'minDelta', minDelta);
    checkNumber('EarlyStopping', 'startFromEpoch', startFromEpoch, { min: 0, integer: true });
    this.#options = options;
    this.#begin();
  }

  override onTrainBegin(): void {
    this.#begin();
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const { patience = 0, restoreBestWeights = false, startFromEpoch = 0, baseline } = this.#options;
    const value = this.#monitor.read(logs, 'EarlyStopping');
    if (value === undefined || epoch < startFromEpoch) return;
    const improved = this.#monitor.improves(value);
    if (improved) this.bestEpoch = epoch;
    if (restoreBestWeights && (improved || !this.#best)) await this.#keep(epoch);
    this.#wait++;
    // Only what beats the baseline as well begins the waiting anew.
    if (improved && (baseline === undefined || this.#monitor.isBetter(value, baseline))) this.#wait = 0;
    else if (this.#wait >= patience && epoch > 0) {
      this.stoppedEpoch = epoch;
      this.model.stopTraining = true;
    }
  }

  override onTrainEnd(): void {
    const say = printer(this.#options);
    if (this.stoppedEpoch !== undefined) say(`Epoch ${this.stoppedEpoch + 1}: early stopping`);
    const best = this.#best;
    if (!best) return;
    say(`Restoring model weights from the end of the best epoch: ${this.bestEpoch + 1}.`);
    this.model.weights.forEach((weight, i) => {
      const { data, shape } = best[i]!;
      using value = tensor(data, shape, { dtype: weight.dtype, device: weight.device });
      weight.assign(value);
    });
  }

  override saveState(): CallbackState {
    const { best } = this.#monitor;
    const { bestEpoch, stoppedEpoch } = this;
    return {
      values: { best: best ?? null, wait: this.#wait, bestEpoch, stoppedEpoch: stoppedEpoch ?? null },
      ...(this.#best ? { arrays: Object.fromEntries(this.#best.entries()) } : {}),
    };
  }

  override restoreState({ values, arrays }: CallbackState): void {
    this.#monitor.best = (values['best'] as number | null) ?? undefined;
    this.#wait = values['wait'] as number;
    this.bestEpoch = values['bestEpoch'] as number;
    this.stoppedEpoch = (values['stoppedEpoch'] as number | null) ?? undefined;
    if (arrays) this.#best = this.model.weights.map((_, i) => arrays[i]!);
    // The checkpoint is of a training that was over.
    if (this.stoppedEpoch !== undefined) this.model.stopTraining = true;
  }

  async #keep(epoch: number): Promise<void> {
    this.bestEpoch = epoch;
    this.#best = await Promise.all(
      this.model.weights.map(async (weight) => ({
        dtype: weight.dtype,
        shape: weight.shape,
        data: await weight.data(),
      })),
    );
  }

  #begin(): void {
    const { monitor = 'val_loss', mode = 'auto', minDelta = 0 } = this.#options;
    this.#monitor = new Monitor(monitor, mode, minDelta);
    this.#wait = 0;
    this.#best = undefined;
    this.bestEpoch = 0;
    this.stoppedEpoch = undefined;
  }
}
