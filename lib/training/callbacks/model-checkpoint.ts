import { saveModel } from '../../weights/model-file.js';
import { saveWeights } from '../../weights/model-weights.js';
import type { Logs } from '../trainer-types.js';
import { Callback } from './callback.js';
import { Monitor, type MonitorMode } from './monitor.js';

/** Options of {@link ModelCheckpoint}, with Keras's names and defaults. */
export interface ModelCheckpointOptions {
  readonly monitor?: string;
  readonly saveBestOnly?: boolean;
  readonly saveWeightsOnly?: boolean;
  readonly mode?: MonitorMode;
  /** What must be improved on. */
  readonly initialValueThreshold?: number;
}

/** Saves the model after each epoch, or after those that improve a metric. */
export class ModelCheckpoint extends Callback {
  readonly #monitor: Monitor;

  /**
   * @param path - see `saveModel`; `{epoch}` (from 1) and metrics like `{val_loss}` in it are filled in
   */
  constructor(
    readonly path: string,
    private readonly options: ModelCheckpointOptions = {},
  ) {
    super();
    const { monitor = 'val_loss', mode = 'auto', initialValueThreshold } = options;
    this.#monitor = new Monitor(monitor, mode, 0, initialValueThreshold);
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const { saveBestOnly = false, saveWeightsOnly = false } = this.options;
    if (saveBestOnly) {
      const value = this.#monitor.read(logs, 'ModelCheckpoint');
      if (value === undefined || !this.#monitor.improves(value)) return;
    }
    const path = this.path.replace(/\{(\w+)\}/g, (all, name: string) => {
      if (name === 'epoch') return String(epoch + 1).padStart(2, '0');
      return logs[name]?.toFixed(4) ?? all;
    });
    if (saveWeightsOnly) await saveWeights(this.model, path);
    else await saveModel(this.model, path);
  }
}
