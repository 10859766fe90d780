import { setImmediate as turn } from 'node:timers/promises';
import { checkCount } from '../arguments.js';
import { END, type MaybePromise, type Opener, type Pulled, type Puller } from '../pull.js';
import type { Source } from '../source.js';
import { openFrom } from './resume.js';

type Outcome<T> = { readonly value: Pulled<T> } | { readonly error: unknown };

/** Produces up to `size` elements ahead, between the turns of the event loop, while the consumer is busy. */
class PrefetchPuller<T> implements Puller<T> {
  readonly #queue: Outcome<T>[] = [];
  #waiting: ((outcome: Outcome<T>) => void) | undefined;
  #pumping: Promise<void> | undefined;
  #running = false;
  #ended = false;
  #closed = false;

  constructor(
    private readonly source: Puller<T>,
    private readonly size: number,
  ) {}

  next(): MaybePromise<Pulled<T>> {
    const ready = this.#queue.shift();
    if (ready) {
      this.#pump();
      return unwrap(ready);
    }
    if (this.#ended || this.#closed) return END;
    const answer = new Promise<Outcome<T>>((resolve) => (this.#waiting = resolve));
    this.#pump();
    return answer.then(unwrap);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#queue.length = 0;
    await this.#pumping;
    this.#deliver({ value: END });
    await this.source.close();
  }

  #pump(): void {
    if (this.#running) return;
    this.#running = true;
    this.#pumping = this.#produce();
  }

  async #produce(): Promise<void> {
    while (!this.#closed && !this.#ended && (this.#waiting || this.#queue.length < this.size)) {
      if (!this.#waiting) await turn();
      if (this.#closed) break;
      const outcome = await this.#pull();
      if ('error' in outcome || outcome.value === END) this.#ended = true;
      this.#deliver(outcome);
    }
    // In the same turn as the last look at the queue, or a consumer in between would wait for ever.
    this.#running = false;
  }

  async #pull(): Promise<Outcome<T>> {
    try {
      return { value: await this.source.next() };
    } catch (error) {
      return { error };
    }
  }

  #deliver(outcome: Outcome<T>): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(outcome);
    else if (!this.#closed) this.#queue.push(outcome);
  }
}

function unwrap<T>(outcome: Outcome<T>): Pulled<T> {
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

/** Keeps up to `size` elements ready; 0 is a plain pass-through. */
export function openPrefetch<T>(open: Opener<T>, size: number): Opener<T> {
  return size === 0 ? open : (pass) => new PrefetchPuller(open(pass), size);
}

/** Keeps up to `size` elements ready while the consumer works. */
export function prefetchSource<T>(source: Source<T>, size: number): Source<T> {
  checkCount('prefetch', 'the size', size, 0);
  return {
    cardinality: source.cardinality,
    stages: [...source.stages, 'prefetch'],
    recipe: source.recipe,
    open: openPrefetch(source.open, size),
    from: (count) => openPrefetch(openFrom(source, count), size),
  };
}
