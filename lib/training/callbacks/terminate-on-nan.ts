import { FoveaError } from '../../errors.js';
import type { Logs } from '../trainer-types.js';
import { Callback } from './callback.js';

/** Options of {@link TerminateOnNaN}. */
export interface TerminateOnNaNOptions {
  /** Whether `fit` is to reject instead of ending as if it were done: then no end hook runs. False unless told. */
  readonly raiseError?: boolean;
}

/** Ends training when the loss is no finite number any more. */
export class TerminateOnNaN extends Callback {
  constructor(private readonly options: TerminateOnNaNOptions = {}) {
    super();
  }

  override get pipelined(): boolean {
    return true;
  }

  override onTrainBatchEnd(batch: number, logs: Logs): void {
    const { loss } = logs;
    if (loss === undefined || Number.isFinite(loss) || this.model.stopTraining) return;
    const text = `Batch ${batch}: invalid loss ${loss}, terminating training`;
    if (this.options.raiseError) throw new FoveaError(text, { code: 'ERR_EXECUTION', op: 'TerminateOnNaN' });
    console.warn(text);
    this.model.stopTraining = true;
  }
}
