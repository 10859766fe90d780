import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { FoveaError } from '../../errors.js';
import { loadCheckpoint, saveCheckpoint } from '../../weights/checkpoint.js';
import { Callback } from './callback.js';

/** Options of {@link Backup}. */
export interface BackupOptions {
  /** Also every so many batches; only after epochs unless told. */
  readonly everySteps?: number;
  /** Every how many epochs. 1 unless told. */
  readonly everyEpochs?: number;
  /** Whether the file is deleted when training has reached its end, as Keras does. False unless told. */
  readonly deleteAtEnd?: boolean;
}

/**
 * Keras's BackupAndRestore: writes a checkpoint after epochs (and batches), and when training begins goes on from the one
 * that is there. A training that was killed and is started again gives the same numbers as one that was not.
 */
export class Backup extends Callback {
  /**
   * @param file - of the checkpoint: `backup.safetensors`
   */
  constructor(
    readonly file: string,
    private readonly options: BackupOptions = {},
  ) {
    super();
    for (const [name, value] of Object.entries({ everySteps: options.everySteps, everyEpochs: options.everyEpochs })) {
      if (value === undefined || (Number.isSafeInteger(value) && value > 0)) continue;
      throw new FoveaError(`Backup: expected ${name} to be a whole number of at least 1, received ${value}`, {
        op: 'Backup',
      });
    }
  }

  /** Without `everySteps` it does nothing after batches. */
  override get pipelined(): boolean {
    return this.options.everySteps === undefined;
  }

  override async onTrainBegin(): Promise<void> {
    if (existsSync(this.file)) await loadCheckpoint(this.model, this.file);
  }

  override onTrainBatchEnd(batch: number): void | Promise<void> {
    const { everySteps } = this.options;
    if (everySteps !== undefined && (batch + 1) % everySteps === 0) return saveCheckpoint(this.model, this.file);
  }

  override async onEpochEnd(epoch: number): Promise<void> {
    if ((epoch + 1) % (this.options.everyEpochs ?? 1) === 0) await saveCheckpoint(this.model, this.file);
  }

  override async onTrainEnd(): Promise<void> {
    if (this.options.deleteAtEnd) await rm(this.file, { force: true });
  }
}
