import { END, type Puller } from './pull.js';

/**
 * One running iteration of a dataset, as `for await` wants it. Leaving the loop early, an error and an abort all close
 * every stage; calls of `next` that overlap are answered one after the other.
 */
export class DatasetIterator<T> implements AsyncIterableIterator<T, undefined>, AsyncDisposable {
  #last: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(
    private readonly source: Puller<T>,
    private readonly signal?: AbortSignal,
  ) {}

  next(): Promise<IteratorResult<T, undefined>> {
    const result = this.#last.then(() => this.#pull());
    this.#last = result.catch(() => undefined);
    return result;
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    await this.#close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #pull(): Promise<IteratorResult<T, undefined>> {
    if (this.#closing) return { done: true, value: undefined };
    try {
      this.signal?.throwIfAborted();
      const element = await this.source.next();
      if (element !== END) return { done: false, value: element as T };
    } catch (error) {
      // The first error is the one worth telling; what closing adds comes after it.
      await this.#close().catch(() => undefined);
      throw error;
    }
    await this.#close();
    return { done: true, value: undefined };
  }

  #close(): Promise<void> {
    this.#closing ??= Promise.resolve().then(() => this.source.close());
    return this.#closing;
  }
}
