import { checkCount } from '../arguments.js';
import { AGAIN, chain, END, type Opener, type Pulled, until } from '../pull.js';
import { type Cardinality, reordered, type Source } from '../source.js';

function takeOpener<T>(open: Opener<T>, count: number): Opener<T> {
  return (pass) => {
    const input = open(pass);
    let left = count;
    return {
      // The count is checked before pulling: what comes after the last element is never asked for.
      next: () => (left > 0 ? (left--, input.next()) : END),
      close: () => input.close(),
    };
  };
}

/** Drops the first `count` elements. */
export function skipOpener<T>(open: Opener<T>, count: number): Opener<T> {
  return (pass) => {
    const input = open(pass);
    let left = count;
    const drop = (element: Pulled<T>): Pulled<T> | typeof AGAIN => {
      if (left === 0 || element === END) return element;
      left--;
      return AGAIN;
    };
    return {
      next: () => (left === 0 ? input.next() : until<Pulled<T>>(() => chain(input.next(), drop))),
      close: () => input.close(),
    };
  };
}

/** The first `count` elements. */
export function takeSource<T>(source: Source<T>, count: number): Source<T> {
  checkCount('take', 'the count', count, 0);
  const known = source.cardinality;
  let cardinality: Cardinality = known === 'unknown' ? 'unknown' : count;
  if (typeof known === 'number') cardinality = Math.min(known, count);
  return reordered(source, 'take', (open) => takeOpener(open, count), cardinality, [count]);
}

/** All but the first `count` elements. */
export function skipSource<T>(source: Source<T>, count: number): Source<T> {
  checkCount('skip', 'the count', count, 0);
  const known = source.cardinality;
  const cardinality = typeof known === 'number' ? Math.max(0, known - count) : known;
  return reordered(source, 'skip', (open) => skipOpener(open, count), cardinality, [count]);
}

/** The same elements in the same order in every pass: what random stages before it do is frozen. */
export function frozenSource<T>(source: Source<T>): Source<T> {
  const freeze = <U>(open: Opener<U>): Opener<U> => {
    return () => open([0]);
  };
  return reordered(source, 'split', freeze, source.cardinality);
}
