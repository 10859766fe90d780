/**
 * How the stages of a `Dataset` talk to each other: each stage pulls from the one before. A pull answers at once when it
 * can and with a promise only when it must, so a pipeline over arrays costs no microtask per element and stage.
 */

/** A value, or the promise of one. */
export type MaybePromise<T> = T | Promise<T>;

/** Answered by a pull when there is nothing left. */
export const END = Symbol('end of data');

/** An element, or {@link END}. */
export type Pulled<T> = T | typeof END;

/** One running iteration of one stage. `next` is never called again before its last answer is there. */
export interface Puller<T> {
  next(): MaybePromise<Pulled<T>>;
  /** Ends the iteration early or late and everything before it; called once or more. */
  close(): MaybePromise<void>;
}

/**
 * Which pass over the data this is: the epoch, then the pass inside each `repeat`. Random stages derive their order from
 * seed and pass alone, so an epoch has the same order whatever ran before it.
 */
export type Pass = readonly number[];

/** Starts an iteration. */
export type Opener<T> = (pass: Pass) => Puller<T>;

/** Whether an answer is still to come. */
export function isPending<T>(value: MaybePromise<T>): value is Promise<T> {
  return value instanceof Promise;
}

/** Goes on with a value, at once if it is there. */
export function chain<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return isPending(value) ? value.then(next) : next(value);
}

/** Answered by a step of {@link until} that wants to be called again. */
export const AGAIN = Symbol('again');

/** Calls `step` until it answers something else than {@link AGAIN}; stays synchronous as long as the steps are. */
export function until<T>(step: () => MaybePromise<T | typeof AGAIN>): MaybePromise<T> {
  for (;;) {
    const result = step();
    if (isPending(result)) return untilLater(step, result);
    if (result !== AGAIN) return result;
  }
}

async function untilLater<T>(
  step: () => MaybePromise<T | typeof AGAIN>,
  pending: Promise<T | typeof AGAIN>,
): Promise<T> {
  let result = await pending;
  while (result === AGAIN) result = await step();
  return result;
}

/** Makes a promise of what a user's function answered, if it is thenable. */
export function settle<T>(value: T | PromiseLike<T>): MaybePromise<T> {
  const thenable = typeof (value as PromiseLike<T> | null | undefined)?.then === 'function';
  return thenable ? Promise.resolve(value) : (value as T);
}
