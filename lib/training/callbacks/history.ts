import { Callback } from './callback.js';
import type { Logs } from '../trainer-types.js';

/** What happened, epoch by epoch; `fit` answers it. */
export class History extends Callback {
  /** The epochs that were run to their end, from 0. */
  readonly epoch: number[] = [];
  /** One value an epoch: `loss`, `accuracy`, `val_loss`, ... */
  readonly history: Record<string, number[]> = {};

  override onEpochEnd(epoch: number, logs: Logs): void {
    this.epoch.push(epoch);
    for (const [name, value] of Object.entries(logs)) (this.history[name] ??= []).push(value);
  }

  /** The values after the last epoch. */
  get last(): Logs {
    return Object.fromEntries(Object.entries(this.history).map(([name, values]) => [name, values.at(-1)!]));
  }

  toJSON(): { epoch: number[]; history: Record<string, number[]> } {
    return { epoch: this.epoch, history: this.history };
  }
}
