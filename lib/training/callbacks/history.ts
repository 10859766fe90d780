import type { Logs } from '../trainer-types.js';
import { Callback, type CallbackState } from './callback.js';

/** What happened, epoch by epoch; `fit` answers it. */
export class History extends Callback {
  /** The epochs that were run to their end, from 0. */
  readonly epoch: number[] = [];
  /** One value an epoch that had it: `loss`, `accuracy`, `val_loss`, ... */
  readonly history: Record<string, number[]> = {};

  override onEpochEnd(epoch: number, logs: Logs): void {
    this.epoch.push(epoch);
    for (const [name, value] of Object.entries(logs)) (this.history[name] ??= []).push(value);
  }

  /** The values after the last epoch. */
  get last(): Logs {
    return Object.fromEntries(Object.entries(this.history).map(([name, values]) => [name, values.at(-1)!]));
  }

  /** A training that resumes goes on with the epochs before. */
  override saveState(): CallbackState {
    return { values: { epoch: [...this.epoch], history: { ...this.history } } };
  }

  override restoreState({ values }: CallbackState): void {
    this.epoch.splice(0, Infinity, ...(values['epoch'] as number[]));
    for (const name of Object.keys(this.history)) delete this.history[name];
    for (const [name, series] of Object.entries(values['history'] as Record<string, number[]>)) {
      this.history[name] = [...series];
    }
  }

  toJSON(): { epoch: number[]; history: Record<string, number[]> } {
    return { epoch: this.epoch, history: this.history };
  }
}
