/** Bytes and buffers in use on the reference device, and the highest the bytes ever were. */
export class MemoryAccount {
  #bytes = 0;
  #peakBytes = 0;
  #buffers = 0;
  /** Takes off the account what was collected without `dispose()`. */
  readonly #collected = new FinalizationRegistry<Entry>((entry) => this.#subtract(entry));

  /**
   * Adds `bytes` to the account until the returned function is called or `owner` is collected.
   *
   * @param owner - the object whose life the memory follows; not kept alive by the account
   * @param bytes - how much it holds
   * @param buffers - how many buffers it counts as: 1, or 0 for a plan
   * @returns takes the bytes off again; further calls do nothing
   */
  add(owner: object, bytes: number, buffers: 0 | 1): () => void {
    const entry: Entry = { bytes, buffers, open: true };
    this.#bytes += bytes;
    this.#buffers += buffers;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
    this.#collected.register(owner, entry, entry);
    return () => {
      this.#collected.unregister(entry);
      this.#subtract(entry);
    };
  }

  /** The totals at this moment. */
  report(): { bytes: number; peakBytes: number; buffers: number } {
    return { bytes: this.#bytes, peakBytes: this.#peakBytes, buffers: this.#buffers };
  }

  #subtract(entry: Entry): void {
    if (!entry.open) return;
    entry.open = false;
    this.#bytes -= entry.bytes;
    this.#buffers -= entry.buffers;
  }
}

interface Entry {
  readonly bytes: number;
  readonly buffers: number;
  open: boolean;
}
