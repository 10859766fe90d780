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
import type { Cardinality, Source } from '../source.js';

class ConcatenatePuller<T> implements Puller<T> {
  #current: Puller<T> | undefined;
  #part = 0;

  constructor(
    private readonly parts: readonly Opener<T>[],
    private readonly pass: Pass,
  ) {}

  next(): MaybePromise<Pulled<T>> {
    return until<Pulled<T>>(() => {
      const open = this.parts[this.#part];
      if (!open) return END;
      this.#current ??= open(this.pass);
      return chain(this.#current.next(), (element): MaybePromise<Pulled<T> | typeof AGAIN> => {
        if (element !== END) return element;
        const finished = this.#current;
        this.#current = undefined;
        this.#part++;
        return chain(finished?.close(), () => AGAIN);
      });
    });
  }

  async close(): Promise<void> {
    this.#part = this.parts.length;
    await this.#current?.close();
  }
}

function sum(a: Cardinality, b: Cardinality): Cardinality {
  if (a === 'infinite' || b === 'infinite') return 'infinite';
  return a === 'unknown' || b === 'unknown' ? 'unknown' : a + b;
}

/** The elements of one source, then those of another. */
export function concatenateSource<T, U>(first: Source<T>, second: Source<U>): Source<T | U> {
  const parts: readonly Opener<T | U>[] = [first.open, second.open];
  return {
    cardinality: sum(first.cardinality, second.cardinality),
    stages: [...first.stages, 'concatenate'],
    recipe: [...first.recipe, 'concatenate', ...second.recipe],
    open: (pass) => new ConcatenatePuller(parts, pass),
  };
}
