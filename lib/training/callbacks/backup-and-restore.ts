import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { FoveaError } from '../../errors.js';
import { loadCheckpoint, saveCheckpoint } from '../../weights/checkpoint.js';
import { Callback, type CallbackState } from './callback.js';
import { BatchCounter, type SaveFrequency } from './save-frequency.js';

/** Options of {@link BackupAndRestore}. */
export interface BackupAndRestoreOptions {
  /** `epoch`, or every how many batches (counted on over epochs). `epoch` unless told. */
  readonly saveFreq?: SaveFrequency;
  /** Whether the file is deleted when training has reached its end, as Keras does. True unless told. */
  readonly deleteCheckpoint?: boolean;
}

/**
 * Writes a checkpoint after epochs (or batches) and when training is interrupted, and when training begins goes on from
 * the one that is there: weights, optimizer, random state, order of the data, epoch and step, and what the other callbacks
 * remember. A training that was killed and is started again gives the same numbers, bit for bit, as one that was not.
 *
 * Keras goes on at the beginning of an epoch, forgets seeds and callbacks, and may leave a broken file (its
 * `double_checkpoint` is for that); here the file is replaced atomically.
 */
export class BackupAndRestore extends Callback {
  /** The checkpoint. */
  readonly file: string;
  readonly #options: BackupAndRestoreOptions;
  readonly #counter: BatchCounter;

  /**
   * @param target - the checkpoint's file (`backup.safetensors`), or a folder in which it is made
   */
  constructor(target: string, options: BackupAndRestoreOptions = {}) {
    super();
    if (!target) {
      throw new FoveaError('BackupAndRestore: expected a file or folder, received none', { op: 'BackupAndRestore' });
    }
    this.file = target.endsWith('.safetensors') ? target : path.join(target, 'backup.safetensors');
    this.#options = options;
    this.#counter = new BatchCounter('BackupAndRestore', options.saveFreq);
  }

  /** With `saveFreq: 'epoch'` it does nothing after batches. */
  override get pipelined(): boolean {
    return this.#counter.perEpoch;
  }

  /** What the other callbacks did at the end of an epoch belongs into the checkpoint. */
  override get runsLast(): boolean {
    return true;
  }

  override async onTrainBegin(): Promise<void> {
    this.#counter.reset();
    if (existsSync(this.file)) await loadCheckpoint(this.model, this.file);
  }

  override onTrainBatchEnd(): void | Promise<void> {
    if (this.#counter.isDue()) return saveCheckpoint(this.model, this.file);
  }

  override async onEpochEnd(): Promise<void> {
    if (this.#counter.perEpoch) await saveCheckpoint(this.model, this.file);
  }

  override async onInterrupt(): Promise<void> {
    await saveCheckpoint(this.model, this.file);
  }

  override async onTrainEnd(): Promise<void> {
    if (this.#options.deleteCheckpoint ?? true) await rm(this.file, { force: true });
  }

  override saveState(): CallbackState {
    return { values: { batches: this.#counter.batches } };
  }

  override restoreState({ values }: CallbackState): void {
    this.#counter.reset(values['batches'] as number);
  }
}
