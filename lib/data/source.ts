import type { Opener } from './pull.js';
import type { Table } from './table.js';

/** How many elements a dataset has. */
export type Cardinality = number | 'infinite' | 'unknown';

/** A step of a recipe: text, or a function that makes it when somebody asks (a digest of the data, say). */
export type RecipeStep = string | (() => string | Promise<string>);

/** What stands behind a `Dataset`: the recipe of its elements. */
export interface Source<T> {
  readonly cardinality: Cardinality;
  /** The names of the stages so far, for messages. */
  readonly stages: readonly string[];
  /** Everything that decides which elements come, as far as it can be written down: what a cache on disk compares. */
  readonly recipe: readonly RecipeStep[];
  readonly open: Opener<T>;
  /** Opens behind the first `count` elements without making them; absent where that cannot be done. */
  readonly from?: (count: number) => Opener<T>;
  /**
   * Present while the elements are rows of arrays in memory, or files, and only their order has been changed: then row
   * numbers are shuffled, taken and skipped in place of the elements.
   */
  readonly indexed?: Indexed<T>;
}

/** Rows in some order. */
export interface Indexed<T> {
  readonly order: Opener<number>;
  /** Makes the elements of rows. */
  readonly elements: (order: Opener<number>) => Opener<T>;
  /** The rows, when they are in memory: a batch is gathered straight from them. */
  readonly table?: Table<T>;
  /** Whether a row may turn out to have no element (a corrupt image). */
  readonly drops?: boolean;
}

/** A stage that changes which elements come and when, but not the elements. */
export type Reordering = <U>(open: Opener<U>) => Opener<U>;

/** Rows of a table, in the order given. */
export function tableElements<T>(table: Table<T>): (order: Opener<number>) => Opener<T> {
  return (order) => (pass) => {
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
}

/** The elements of rows. */
export function indexedSource<T>(
  indexed: Indexed<T>,
  about: Pick<Source<T>, 'cardinality' | 'stages' | 'recipe'>,
): Source<T> {
  return { ...about, open: indexed.elements(indexed.order), indexed };
}

/**
 * Adds a reordering stage: to the row numbers where there are some, else to the elements.
 *
 * @param settings - what the stage was told, for the recipe
 */
export function reordered<T>(
  source: Source<T>,
  name: string,
  reordering: Reordering,
  cardinality: Cardinality,
  settings: readonly (number | boolean)[] = [],
): Source<T> {
  const about = {
    cardinality,
    stages: [...source.stages, name],
    recipe: [...source.recipe, [name, ...settings].join(' ')],
  };
  const { indexed } = source;
  if (!indexed) return { ...about, open: reordering(source.open) };
  return indexedSource({ ...indexed, order: reordering(indexed.order) }, about);
}

/** The pipeline so far with one more stage, for messages: `fromArrays > shuffle > map`. */
export function stagePath(source: { stages: readonly string[] }, name: string): string {
  return [...source.stages, name].join(' > ');
}
