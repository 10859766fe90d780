import { FoveaError } from '../../errors.js';
import { checkFunction, userError } from '../arguments.js';
import { describeValue } from '../host-tensor.js';
import { END, type MaybePromise, type Opener, type Pulled, type Puller } from '../pull.js';
import type { Cardinality, Source } from '../source.js';

/** Makes the elements of one pass over the data. */
export type Generate<T> = (context: { readonly epoch: number }) => Iterable<T> | AsyncIterable<T>;

const WHERE = 'fromGenerator';

function iteratorOf<T>(made: Iterable<T> | AsyncIterable<T>): Iterator<T> | AsyncIterator<T> {
  const either = made as Partial<AsyncIterable<T> & Iterable<T>> | null | undefined;
  const iterator = either?.[Symbol.asyncIterator]?.() ?? either?.[Symbol.iterator]?.();
  if (iterator) return iterator;
  throw new FoveaError(`${WHERE}: expected the function to return an iterable, received ${describeValue(made)}`, {
    code: 'ERR_ARGUMENT',
    op: WHERE,
    expected: 'an iterable or async iterable',
    received: made,
  });
}

class GeneratorPuller<T> implements Puller<T> {
  #iterator: Iterator<T> | AsyncIterator<T> | undefined;
  #count = 0;
  #done = false;

  constructor(
    private readonly generate: Generate<T>,
    private readonly epoch: number,
  ) {}

  next(): MaybePromise<Pulled<T>> {
    if (this.#done) return END;
    try {
      this.#iterator ??= iteratorOf(this.generate({ epoch: this.epoch }));
      const result = this.#iterator.next();
      if (!(result instanceof Promise)) return this.#take(result);
      return result.then(
        (settled) => this.#take(settled),
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      return this.#fail(error);
    }
  }

  async close(): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    await this.#iterator?.return?.();
  }

  #take(result: IteratorResult<T>): Pulled<T> {
    if (result.done) {
      this.#done = true;
      return END;
    }
    this.#count++;
    return result.value;
  }

  #fail(error: unknown): never {
    this.#done = true;
    if (error instanceof FoveaError && error.op === WHERE) throw error;
    throw userError(WHERE, `the generator failed after ${this.#count} elements`, error);
  }
}

/** Elements made by a function that is called once per pass. */
export function generatorSource<T>(generate: Generate<T>, cardinality: Cardinality): Source<T> {
  checkFunction(WHERE, generate);
  const open: Opener<T> = (pass) => new GeneratorPuller(generate, pass[0] ?? 0);
  return { cardinality, stages: [WHERE], recipe: [`${WHERE} ${generate.toString()}`], open };
}
