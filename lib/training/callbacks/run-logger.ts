import { FoveaError } from '../../errors.js';
import type { RunFolder } from '../run-folder.js';
import type { Logs } from '../trainer-types.js';
import { Callback, type CallbackState } from './callback.js';

/**
 * Writes the history (CSV and JSON) into a run folder after each epoch, and the training curves as a picture at the
 * end, also when it is interrupted.
 * Metrics that an epoch does not have (validation every other epoch) are NaN there.
 */
export class RunLogger extends Callback {
  readonly #epoch: number[] = [];
  readonly #history: Record<string, number[]> = {};

  /**
   * @param folder - see `createRunFolder`
   * @param title - of the picture
   */
  constructor(
    readonly folder: RunFolder,
    private readonly title?: string,
  ) {
    super();
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    for (const name of Object.keys(logs)) this.#history[name] ??= this.#epoch.map(() => NaN);
    this.#epoch.push(epoch);
    for (const [name, values] of Object.entries(this.#history)) values.push(logs[name] ?? NaN);
    await this.folder.saveHistory({ epoch: this.#epoch, history: this.#history });
  }

  override saveState(): CallbackState {
    return { values: { epoch: [...this.#epoch], history: { ...this.#history } } };
  }

  override restoreState({ values }: CallbackState): void {
    this.#epoch.splice(0, Infinity, ...(values['epoch'] as number[]));
    for (const [name, series] of Object.entries(values['history'] as Record<string, number[]>)) {
      this.#history[name] = [...series];
    }
  }

  override onTrainEnd(): Promise<void> {
    return this.#draw();
  }

  override onInterrupt(): Promise<void> {
    return this.#draw();
  }

  async #draw(): Promise<void> {
    if (this.#epoch.length === 0) return;
    try {
      await this.folder.saveCurves({ epoch: this.#epoch, history: this.#history }, this.title);
    } catch (error) {
      // The numbers are there; a missing drawing library is no reason to lose a training.
      if (!(error instanceof FoveaError) || error.code !== 'ERR_UNSUPPORTED') throw error;
      process.emitWarning(error.message, 'FoveaWarning');
    }
  }
}
