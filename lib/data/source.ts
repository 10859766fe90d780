import type { Opener } from './pull.js';
import type { Table } from './table.js';

/** How many elements a dataset has. */
export type Cardinality = number | 'infinite' | 'unknown';

/** What stands behind a `Dataset`: the recipe of its elements. */
export interface Source<T> {
  readonly cardinality: Cardinality;
  /** The names of the stages so far, for messages. */
  readonly stages: readonly string[];
  readonly open: Opener<T>;
  /**
   * Present while the elements are rows of arrays in memory and only their order has been changed: then a batch is
   * gathered straight from the rows.
   */
  readonly indexed?: Indexed<T>;
}

/** Rows of a table in some order. */
export interface Indexed<T> {
  readonly table: Table<T>;
  readonly order: Opener<number>;
}

/** A stage that changes which elements come and when, but not the elements. */
export type Reordering = <U>(open: Opener<U>) => Opener<U>;

/** Rows of a table, in the order given. */
export function indexedSource<T>(indexed: Indexed<T>, cardinality: Cardinality, stages: readonly string[]): Source<T> {
  const { table, order } = indexed;
  const open: Opener<T> = (pass) => {
    const rows = order(pass);
    return {
      // An order over rows in memory is never asynchronous: none of its stages runs foreign code.
      next: () => {
        const row = rows.next();
        return typeof row === 'number' ? table.get(row) : (row as never);
      },
      close: () => rows.close(),
    };
  };
  return { cardinality, stages, open, indexed };
}

/** Adds a reordering stage: to the row numbers where there are some, else to the elements. */
export function reordered<T>(
  source: Source<T>,
  name: string,
  reordering: Reordering,
  cardinality: Cardinality,
): Source<T> {
  const stages = [...source.stages, name];
  if (source.indexed) {
    const { table, order } = source.indexed;
    return indexedSource({ table, order: reordering(order) }, cardinality, stages);
  }
  return { cardinality, stages, open: reordering(source.open) };
}

/** The pipeline so far with one more stage, for messages: `fromArrays > shuffle > map`. */
export function stagePath(source: { stages: readonly string[] }, name: string): string {
  return [...source.stages, name].join(' > ');
}
