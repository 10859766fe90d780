import { FoveaError } from '../../errors.js';

/** When to save: after each epoch, or every so many batches. */
export type SaveFrequency = 'epoch' | number;

/** Counts batches towards the next time to save. */
export class BatchCounter {
  readonly #every: number | undefined;
  #batches = 0;

  /** @throws FoveaError ERR_ARGUMENT when the frequency is neither `epoch` nor a count */
  constructor(owner: string, frequency: SaveFrequency = 'epoch') {
    if (frequency !== 'epoch' && !(Number.isSafeInteger(frequency) && frequency > 0)) {
      throw new FoveaError(
        `${owner}: expected saveFreq to be 'epoch' or a whole number of batches, received ${String(frequency)}`,
        { op: owner, received: frequency },
      );
    }
    this.#every = frequency === 'epoch' ? undefined : frequency;
  }

  /** Whether it saves after epochs, not after batches. */
  get perEpoch(): boolean {
    return this.#every === undefined;
  }

  /** Batches since the last time. */
  get batches(): number {
    return this.#batches;
  }

  reset(batches = 0): void {
    this.#batches = batches;
  }

  /** Counts a batch; whether it is time to save. */
  isDue(): boolean {
    if (this.#every === undefined || ++this.#batches < this.#every) return false;
    this.#batches = 0;
    return true;
  }
}
