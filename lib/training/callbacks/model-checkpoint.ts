import { mismatch } from '../../errors.js';
import { format } from '../../util/options.js';
import { saveModel } from '../../weights/model-file.js';
import { saveWeights } from '../../weights/model-weights.js';
import type { Logs } from '../trainer-types.js';
import { Callback, type CallbackState } from './callback.js';
import { Monitor, printer, type MonitorMode, type VerboseOptions } from './monitor.js';
import { fillTemplate } from './path-template.js';
import { BatchCounter, type SaveFrequency } from './save-frequency.js';

/** Options of {@link ModelCheckpoint}, with Keras's names and defaults. */
export interface ModelCheckpointOptions extends VerboseOptions {
  /** `val_loss` unless told. */
  readonly monitor?: string;
  readonly saveBestOnly?: boolean;
  readonly saveWeightsOnly?: boolean;
  readonly mode?: MonitorMode;
  /** `epoch`, or every how many batches (counted on over epochs). `epoch` unless told. */
  readonly saveFreq?: SaveFrequency;
  /** What must be improved on, with `saveBestOnly`. */
  readonly initialValueThreshold?: number;
  /** Whether the model is saved when the signal of `fit` ends training, whatever its metrics. False unless told. */
  readonly saveOnInterrupt?: boolean;
}

/**
 * Saves the model after each epoch, after so many batches, or when a metric has improved.
 *
 * As Keras 3 does it, but for one surprise: where Keras overwrites the best model in epochs without the metric (validation
 * every other epoch), it is kept. A metric that never was there makes it save with a warning, as in Keras.
 */
export class ModelCheckpoint extends Callback {
  readonly #monitor: Monitor;
  readonly #counter: BatchCounter;
  #epoch = 0;

  /**
   * @param path - see `saveModel`; `{epoch}` and `{batch}` (from 1) and metrics like `{val_loss:.3f}` in it are filled in
   */
  constructor(
    readonly path: string,
    private readonly options: ModelCheckpointOptions = {},
  ) {
    super();
    if (typeof path !== 'string' || path === '') {
      throw mismatch('ERR_ARGUMENT', { op: 'ModelCheckpoint' }, 'the path of a file or folder', format(path));
    }
    const { monitor = 'val_loss', mode, initialValueThreshold, saveBestOnly = false } = options;
    // Without `saveBestOnly` nothing is compared, whatever the metric's name.
    this.#monitor = new Monitor(monitor, mode ?? (saveBestOnly ? 'auto' : 'min'), 0, initialValueThreshold);
    this.#counter = new BatchCounter('ModelCheckpoint', options.saveFreq);
  }

  /** With `saveFreq: 'epoch'` it does nothing after batches. */
  override get pipelined(): boolean {
    return this.#counter.perEpoch;
  }

  override onEpochBegin(epoch: number): void {
    this.#epoch = epoch;
  }

  override onTrainBatchEnd(batch: number, logs: Logs): void | Promise<void> {
    if (this.#counter.isDue()) return this.#saveIfBetter(logs, { batch: batch + 1 });
  }

  override async onEpochEnd(_epoch: number, logs: Logs): Promise<void> {
    if (this.#counter.perEpoch) await this.#saveIfBetter(logs, {});
  }

  override async onInterrupt(_reason: unknown, logs: Logs): Promise<void> {
    if (this.options.saveOnInterrupt) await this.#save(this.#fill(logs, {}));
  }

  override saveState(): CallbackState {
    return { values: { best: this.#monitor.best ?? null, batches: this.#counter.batches } };
  }

  override restoreState({ values }: CallbackState): void {
    this.#monitor.best = (values['best'] as number | null) ?? undefined;
    this.#counter.reset(values['batches'] as number);
  }

  async #saveIfBetter(logs: Logs, extra: Logs): Promise<void> {
    const say = printer(this.options);
    const epoch = this.#epoch + 1;
    const target = this.#fill(logs, extra);
    if (this.options.saveBestOnly) {
      const { best, name, seen } = this.#monitor;
      const value = this.#monitor.read(logs, 'ModelCheckpoint');
      if (value === undefined && seen) return;
      const shown = best === undefined ? 'none' : best.toFixed(5);
      if (value !== undefined && !this.#monitor.improves(value)) {
        say(`Epoch ${epoch}: ${name} did not improve from ${shown}`);
        return;
      }
      if (value !== undefined) {
        say(`Epoch ${epoch}: ${name} improved from ${shown} to ${value.toFixed(5)}, saving model to ${target}`);
      }
    } else say(`Epoch ${epoch}: saving model to ${target}`);
    await this.#save(target);
  }

  #fill(logs: Logs, extra: Logs): string {
    return fillTemplate('ModelCheckpoint', this.path, { epoch: this.#epoch + 1, ...extra, ...logs });
  }

  async #save(target: string): Promise<void> {
    if (this.options.saveWeightsOnly) await saveWeights(this.model, target);
    else await saveModel(this.model, target);
  }
}
