import { checkCount, checkFunction, userError } from '../arguments.js';
import {
  chain,
  END,
  isPending,
  type MaybePromise,
  type Opener,
  type Pass,
  type Pulled,
  type Puller,
  settle,
} from '../pull.js';
import { type Source, stagePath } from '../source.js';
import { openPrefetch } from './prefetch.js';

/**
 * A user's function over elements. `index` counts the elements of this pass; `pass` names the pass (the epoch first), so
 * that `new HostRandom(seed, [...pass, index])` draws the same for an element whatever ran before.
 */
export type MapFunction<T, U> = (element: T, index: number, pass: Pass) => U | PromiseLike<U>;

/** Options of `map`. */
export interface MapOptions {
  /** How many calls of an asynchronous function may run at once; the order is kept. 1 unless told. */
  readonly parallel?: number;
}

/** Calls a user's function so that what it throws names the stage. */
export function callUser<T, U>(
  where: string,
  fn: MapFunction<T, U>,
  element: T,
  index: number,
  pass: Pass,
): MaybePromise<U> {
  const failed = (error: unknown): never => {
    throw userError(where, `the function failed on element ${index}`, error);
  };
  try {
    const result = settle(fn(element, index, pass));
    return isPending(result) ? result.catch(failed) : result;
  } catch (error) {
    return failed(error);
  }
}

/** A started call, boxed so that nothing awaits it before its turn. */
interface Started<U> {
  readonly result: MaybePromise<U>;
}

class Starter<T, U> implements Puller<Started<U>> {
  readonly #running = new Set<Promise<unknown>>();
  #index = 0;

  constructor(
    private readonly source: Puller<T>,
    private readonly where: string,
    private readonly fn: MapFunction<T, U>,
    private readonly pass: Pass,
  ) {}

  next(): MaybePromise<Pulled<Started<U>>> {
    return chain(this.source.next(), (element) => (element === END ? END : this.#start(element)));
  }

  async close(): Promise<void> {
    // When an iteration is over no function of the user is still at work.
    await Promise.allSettled(this.#running);
    await this.source.close();
  }

  #start(element: T): Started<U> {
    const index = this.#index++;
    const result = Promise.resolve().then(() => callUser(this.where, this.fn, element, index, this.pass));
    const done = (): void => void this.#running.delete(result);
    this.#running.add(result);
    result.then(done, done);
    return { result };
  }
}

function openSerial<T, U>(open: Opener<T>, where: string, fn: MapFunction<T, U>): Opener<U> {
  return (pass) => {
    const source = open(pass);
    let index = 0;
    return {
      next: () =>
        chain(source.next(), (element): MaybePromise<Pulled<U>> =>
          element === END ? END : callUser(where, fn, element, index++, pass),
        ),
      close: () => source.close(),
    };
  };
}

function openParallel<T, U>(open: Opener<T>, where: string, fn: MapFunction<T, U>, parallel: number): Opener<U> {
  const started = openPrefetch<Started<U>>((pass) => new Starter(open(pass), where, fn, pass), parallel - 1);
  return (pass) => {
    const source = started(pass);
    return {
      next: () => chain(source.next(), (call): MaybePromise<Pulled<U>> => (call === END ? END : call.result)),
      close: () => source.close(),
    };
  };
}

/** Applies a function to each element. */
export function mapSource<T, U>(source: Source<T>, fn: MapFunction<T, U>, options: MapOptions): Source<U> {
  const { parallel = 1 } = options;
  const where = stagePath(source, 'map');
  checkFunction('map', fn);
  checkCount('map', 'parallel', parallel, 1);
  return {
    cardinality: source.cardinality,
    stages: [...source.stages, 'map'],
    open: parallel === 1 ? openSerial(source.open, where, fn) : openParallel(source.open, where, fn, parallel),
  };
}
