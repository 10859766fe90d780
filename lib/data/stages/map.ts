import { checkCount, checkFunction, userError } from '../arguments.js';
import { isPending, type MaybePromise, type Pass, settle } from '../pull.js';
import { type Source, stagePath } from '../source.js';
import { openCalls } from './parallel.js';
import { openFrom } from './resume.js';

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

/** Applies a function to each element. */
export function mapSource<T, U>(source: Source<T>, fn: MapFunction<T, U>, options: MapOptions): Source<U> {
  const { parallel = 1 } = options;
  const where = stagePath(source, 'map');
  checkFunction('map', fn);
  checkCount('map', 'parallel', parallel, 1);
  const call = (element: T, index: number, pass: Pass): MaybePromise<U> => callUser(where, fn, element, index, pass);
  return {
    cardinality: source.cardinality,
    stages: [...source.stages, 'map'],
    recipe: [...source.recipe, `map ${fn.toString()}`],
    open: openCalls(source.open, call, parallel),
    from: (count) => openCalls(openFrom(source, count), call, parallel, count),
  };
}
