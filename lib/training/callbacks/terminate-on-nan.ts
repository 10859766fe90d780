import type { Logs } from '../trainer-types.js';
import { Callback } from './callback.js';

/** Ends training when the loss is no finite number any more. */
export class TerminateOnNaN extends Callback {
  override get pipelined(): boolean {
    return true;
  }

  override onTrainBatchEnd(batch: number, logs: Logs): void {
    const { loss } = logs;
    if (loss === undefined || Number.isFinite(loss) || this.model.stopTraining) return;
    console.warn(`Batch ${batch}: invalid loss ${loss}, terminating training`);
    this.model.stopTraining = true;
  }
}
