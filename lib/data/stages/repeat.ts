import { checkCount } from '../arguments.js';
import {
  AGAIN,
  chain,
  END,
  type MaybePromise,
  type Opener,
  type Pass,
  type Pulled,
  type Puller,
  until,
} from '../pull.js';
import { type Cardinality, reordered, type Source } from '../source.js';

class RepeatPuller<T> implements Puller<T> {
  #current: Puller<T> | undefined;
  #round = 0;
  #empty = true;

  constructor(
    private readonly open: Opener<T>,
    private readonly count: number,
    private readonly pass: Pass,
  ) {}

  next(): MaybePromise<Pulled<T>> {
    return until<Pulled<T>>(() => {
      if (this.#round >= this.count) return END;
      this.#current ??= this.open([...this.pass, this.#round]);
      return chain(this.#current.next(), (element) => this.#accept(element));
    });
  }

  async close(): Promise<void> {
    this.#round = Infinity;
    await this.#current?.close();
  }

  #accept(element: Pulled<T>): MaybePromise<Pulled<T> | typeof AGAIN> {
    if (element !== END) {
      this.#empty = false;
      return element;
    }
    // A pass without elements would be followed by endless others like it.
    this.#round = this.#empty ? Infinity : this.#round + 1;
    this.#empty = true;
    const finished = this.#current;
    this.#current = undefined;
    return chain(finished?.close(), () => AGAIN);
  }
}

/** The elements `count` times over, or for ever. */
export function repeatSource<T>(source: Source<T>, count: number | undefined): Source<T> {
  if (count !== undefined) checkCount('repeat', 'the count', count, 0);
  const known = source.cardinality;
  let cardinality: Cardinality = known;
  if (known === 0 || count === 0) cardinality = 0;
  else if (count === undefined) cardinality = known === 'unknown' ? 'unknown' : 'infinite';
  else if (typeof known === 'number') cardinality = known * count;
  const repeat = <U>(open: Opener<U>): Opener<U> => {
    return (pass) => new RepeatPuller(open, count ?? Infinity, pass);
  };
  return reordered(source, 'repeat', repeat, cardinality, [count ?? Infinity]);
}
