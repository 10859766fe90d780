import { chain, END, type Opener, type Puller } from '../pull.js';
import { reordered, type Source } from '../source.js';

function cacheOpener<T>(open: Opener<T>): Opener<T> {
  let kept: readonly T[] | undefined;

  const replay = (elements: readonly T[]): Puller<T> => {
    let position = 0;
    return {
      next: () => (position < elements.length ? (elements[position++] as T) : END),
      close: () => undefined,
    };
  };

  const record = (): Puller<T> => {
    // Always the pass of epoch 0: a process that resumes at epoch 5 must cache what one that began at 0 has cached.
    const input = open([0]);
    const elements: T[] = [];
    return {
      next: () =>
        chain(input.next(), (element) => {
          if (element === END) kept ??= elements;
          else elements.push(element);
          return element;
        }),
      close: () => input.close(),
    };
  };

  return () => (kept ? replay(kept) : record());
}

/** Keeps the elements of the first complete pass in memory and replays them from then on. */
export function cacheSource<T>(source: Source<T>): Source<T> {
  // Rows in memory need no second copy, only their order is kept; what files hold is worth keeping.
  const cached = source.indexed && !source.indexed.table ? { ...source, indexed: undefined } : source;
  return reordered(cached, 'cache', cacheOpener, source.cardinality);
}
