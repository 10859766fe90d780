import { checkFunction } from '../arguments.js';
import { AGAIN, chain, END, type MaybePromise, type Pulled, until } from '../pull.js';
import { type Source, stagePath } from '../source.js';
import { callUser, type MapFunction } from './map.js';

/** Keeps the elements for which the function answers true. */
export function filterSource<T>(source: Source<T>, predicate: MapFunction<T, boolean>): Source<T> {
  const where = stagePath(source, 'filter');
  checkFunction('filter', predicate);
  return {
    cardinality: 'unknown',
    stages: [...source.stages, 'filter'],
    recipe: [...source.recipe, `filter ${predicate.toString()}`],
    open: (pass) => {
      const input = source.open(pass);
      let index = 0;
      const decide = (element: Pulled<T>): MaybePromise<Pulled<T> | typeof AGAIN> =>
        element === END
          ? END
          : chain(callUser(where, predicate, element, index++, pass), (keep) => (keep ? element : AGAIN));
      return {
        next: () => until<Pulled<T>>(() => chain(input.next(), decide)),
        close: () => input.close(),
      };
    },
  };
}
