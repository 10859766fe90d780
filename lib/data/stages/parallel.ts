import { chain, END, type MaybePromise, type Opener, type Pass, type Pulled, type Puller } from '../pull.js';
import { openPrefetch } from './prefetch.js';

/** A call for one element; `index` counts the elements of the pass. */
export type Call<T, U> = (element: T, index: number, pass: Pass) => MaybePromise<U>;

/** A started call, boxed so that nothing awaits it before its turn. */
interface Started<U> {
  readonly result: MaybePromise<U>;
}

class Starter<T, U> implements Puller<Started<U>> {
  readonly #running = new Set<Promise<unknown>>();

  constructor(
    private readonly source: Puller<T>,
    private readonly call: Call<T, U>,
    private readonly pass: Pass,
    private index: number,
  ) {}

  next(): MaybePromise<Pulled<Started<U>>> {
    return chain(this.source.next(), (element) => (element === END ? END : this.#start(element)));
  }

  async close(): Promise<void> {
    // When an iteration is over no call is still at work.
    await Promise.allSettled(this.#running);
    await this.source.close();
  }

  #start(element: T): Started<U> {
    const index = this.index++;
    const result = Promise.resolve().then(() => this.call(element, index, this.pass));
    const done = (): void => void this.#running.delete(result);
    this.#running.add(result);
    result.then(done, done);
    return { result };
  }
}

function openSerial<T, U>(open: Opener<T>, call: Call<T, U>, first: number): Opener<U> {
  return (pass) => {
    const source = open(pass);
    let index = first;
    return {
      next: () =>
        chain(source.next(), (element): MaybePromise<Pulled<U>> =>
          element === END ? END : call(element, index++, pass),
        ),
      close: () => source.close(),
    };
  };
}

/**
 * Calls a function for each element and keeps the order. At most `parallel` calls are running or waiting to be taken, so
 * memory is bounded however slow the consumer is.
 *
 * @param first - the index of the first element
 */
export function openCalls<T, U>(open: Opener<T>, call: Call<T, U>, parallel: number, first = 0): Opener<U> {
  if (parallel === 1) return openSerial(open, call, first);
  const started = openPrefetch<Started<U>>((pass) => new Starter(open(pass), call, pass, first), parallel - 1);
  return (pass) => {
    const source = started(pass);
    return {
      next: () => chain(source.next(), (made): MaybePromise<Pulled<U>> => (made === END ? END : made.result)),
      close: () => source.close(),
    };
  };
}
