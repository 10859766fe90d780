import { FoveaError } from '../errors.js';
import { type DiskCacheOptions, diskCacheSource } from './cache/disk-cache.js';
import { DatasetIterator } from './dataset-iterator.js';
import { type ArrayInput, arraysSource, type FromArraysOptions, type Row } from './from-arrays.js';
import type { Cardinality, Source } from './source.js';
import { type BatchOptions, batchSource } from './stages/batch.js';
import { cacheSource } from './stages/cache.js';
import { concatenateSource } from './stages/concatenate.js';
import { filterSource } from './stages/filter.js';
import { type Generate, generatorSource } from './stages/generator.js';
import { type MapFunction, type MapOptions, mapSource } from './stages/map.js';
import { prefetchSource } from './stages/prefetch.js';
import { repeatSource } from './stages/repeat.js';
import { type ShuffleOptions, shuffleSource } from './stages/shuffle.js';
import { frozenSource, skipSource, takeSource } from './stages/take-skip.js';
import { unbatchSource } from './stages/unbatch.js';
import type { Batched } from './structure.js';

/** Options of {@link Dataset.iterate}. */
export interface IterateOptions {
  /** Which epoch this is; the shuffles derive their order from it. The next of this dataset's own count unless told. */
  readonly epoch?: number;
  /** Ends the iteration with the signal's reason at the next element. */
  readonly signal?: AbortSignal;
}

/**
 * A lazy, repeatable stream of elements, asynchronously iterable. Every method gives a new dataset and leaves this one as
 * it was. Nothing is read before somebody iterates; each `for await` starts anew, with the next epoch's shuffles.
 *
 * An element may be anything until it is batched; then it is made of host tensors and numbers in tuples and records. For
 * training it is `[x, y]` or `[x, y, sampleWeight]`.
 */
export class Dataset<T> implements AsyncIterable<T> {
  readonly #source: Source<T>;
  #epochs = 0;

  /** @internal Use {@link Dataset.fromArrays} or {@link Dataset.fromGenerator}. */
  constructor(source: Source<T>) {
    this.#source = source;
  }

  /**
   * The slices of arrays along their first axis, as views: nothing is copied.
   *
   * @param x - inputs: a host tensor, `{ data, shape }`, a typed array, nested numbers, or a tuple or record of these
   * @param y - targets of the same length; then the elements are `[x, y]`
   * @param sampleWeight - one weight per example; then the elements are `[x, y, sampleWeight]`
   * @param options - dtypes of nested numbers
   * @throws FoveaError ERR_SHAPE when lengths differ, or a shape does not fit its data
   */
  static fromArrays<X extends ArrayInput>(this: void, x: X): Dataset<Row<X>>;
  static fromArrays<X extends ArrayInput, Y extends ArrayInput>(
    this: void,
    x: X,
    y: Y,
    sampleWeight?: undefined,
    options?: FromArraysOptions,
  ): Dataset<[Row<X>, Row<Y>]>;
  static fromArrays<X extends ArrayInput, Y extends ArrayInput, W extends ArrayInput>(
    this: void,
    x: X,
    y: Y,
    sampleWeight: W,
    options?: FromArraysOptions,
  ): Dataset<[Row<X>, Row<Y>, Row<W>]>;
  static fromArrays(
    this: void,
    x: unknown,
    y?: unknown,
    sampleWeight?: unknown,
    options?: FromArraysOptions,
  ): Dataset<unknown> {
    return new Dataset(arraysSource([x, y, sampleWeight], options));
  }

  /**
   * The elements of an iterable that a function makes for each pass. Its `return` is called when a pass ends early, so a
   * generator can close files in `finally`.
   *
   * @param generate - called once per pass, with the epoch; returns an iterable or async iterable
   * @param options - `cardinality` when it is known
   */
  static fromGenerator<T>(
    this: void,
    generate: Generate<T>,
    options: { readonly cardinality?: Cardinality } = {},
  ): Dataset<T> {
    return new Dataset(generatorSource(generate, options.cardinality ?? 'unknown'));
  }

  /** How many elements one pass has; `unknown` after a generator or a filter. */
  get cardinality(): Cardinality {
    return this.#source.cardinality;
  }

  /**
   * Applies a function, synchronous or not, to each element; the order is kept.
   *
   * @param fn - receives the element, its index in this pass, and the pass (the epoch first), to seed random changes
   * @param options - `parallel`: how many calls of an asynchronous function may run at once
   */
  map<U>(fn: MapFunction<T, U>, options: MapOptions = {}): Dataset<U> {
    return new Dataset(mapSource(this.#source, fn, options));
  }

  /** Keeps the elements for which a function, synchronous or not, answers true. */
  filter(predicate: MapFunction<T, boolean>): Dataset<T> {
    return new Dataset(filterSource(this.#source, predicate));
  }

  /**
   * Shuffles through a buffer, exactly as tf.data does; a buffer as large as the data gives a uniform permutation. Over
   * arrays only row numbers are held, whatever the buffer's size.
   *
   * @param bufferSize - how many elements to choose from
   * @param options - `seed` fixes the order; `reshuffleEachIteration: false` makes it the same in every pass
   */
  shuffle(bufferSize: number, options: ShuffleOptions = {}): Dataset<T> {
    return new Dataset(shuffleSource(this.#source, bufferSize, options));
  }

  /**
   * Stacks `size` elements into one: each tensor `[...shape]` becomes `[size, ...shape]`, each number becomes float32.
   *
   * @param options - `dropRemainder` leaves out a last batch that is not full
   * @throws FoveaError (while iterating) ERR_SHAPE, ERR_DTYPE or ERR_DATA when elements differ, naming the element
   */
  batch(size: number, options: BatchOptions = {}): Dataset<Batched<T>> {
    return new Dataset(batchSource(this.#source, size, options));
  }

  /** Splits each element along the first axis of its tensors; the inverse of {@link batch}. The parts are views. */
  unbatch(): Dataset<Batched<T>> {
    return new Dataset(unbatchSource<T, Batched<T>>(this.#source));
  }

  /** Repeats the elements `count` times, or for ever; shuffles before it give each round another order. */
  repeat(count?: number): Dataset<T> {
    return new Dataset(repeatSource(this.#source, count));
  }

  /** The first `count` elements. */
  take(count: number): Dataset<T> {
    return new Dataset(takeSource(this.#source, count));
  }

  /** All but the first `count` elements. */
  skip(count: number): Dataset<T> {
    return new Dataset(skipSource(this.#source, count));
  }

  /**
   * Keeps the elements of the first pass and replays them, in their order, in later ones.
   *
   * In memory, unless a folder is given; a pass left early keeps nothing there. In a folder a pass left early, or a process
   * that died, leaves what it had, and the next goes on behind it. The folder is emptied when what the elements are made of
   * has changed: the files and options of a reader, the data of arrays, the stages before this one with their numbers,
   * seeds and the text of their functions. What a function reads from outside cannot be seen: give a `key` for it.
   *
   * @param folder - for this cache alone; made when it is missing
   * @param options - `key`: another one empties the folder
   * @throws FoveaError (while iterating) ERR_FILE when the folder cannot be used, ERR_DATA when it is damaged
   */
  cache(folder?: string, options: DiskCacheOptions = {}): Dataset<T> {
    const source = this.#source;
    return new Dataset(folder === undefined ? cacheSource(source) : diskCacheSource(source, folder, options));
  }

  /** Keeps up to `size` elements ready while the consumer is busy. An error comes after the elements before it. */
  prefetch(size: number): Dataset<T> {
    return new Dataset(prefetchSource(this.#source, size));
  }

  /** The elements of this dataset, then those of another. */
  concatenate<U>(other: Dataset<U>): Dataset<T | U> {
    return new Dataset(concatenateSource(this.#source, other.#source));
  }

  /** Pairs each element with its index: `[index, element]`. */
  enumerate(start = 0): Dataset<[number, T]> {
    const numbered = mapSource(this.#source, (element, index): [number, T] => [start + index, element], {});
    return new Dataset({
      ...numbered,
      stages: [...this.#source.stages, 'enumerate'],
      recipe: [...this.#source.recipe, `enumerate ${start}`],
    });
  }

  /**
   * Splits the dataset in two that never share an element: the first has `fraction` of them (rounded), in order, the
   * second the rest. A shuffle before a split is frozen to one order, or the parts would mix from epoch to epoch; shuffle
   * the first part again to train.
   *
   * @param fraction - between 0 and 1
   * @throws FoveaError ERR_UNSUPPORTED when the cardinality is not known
   */
  split(fraction: number): [Dataset<T>, Dataset<T>] {
    if (!(fraction >= 0 && fraction <= 1)) {
      throw new FoveaError(`split: expected a fraction between 0 and 1, received ${fraction}`, {
        code: 'ERR_ARGUMENT',
        op: 'split',
        expected: 'a number between 0 and 1',
        received: fraction,
      });
    }
    const { cardinality } = this;
    if (typeof cardinality !== 'number') {
      throw new FoveaError(
        `split: expected a dataset of known length, received one of ${cardinality} length (use take and skip)`,
        { code: 'ERR_UNSUPPORTED', op: 'split', expected: 'a known length', received: cardinality },
      );
    }
    const frozen = frozenSource(this.#source);
    const count = Math.round(cardinality * fraction);
    return [new Dataset(takeSource(frozen, count)), new Dataset(skipSource(frozen, count))];
  }

  /**
   * Starts a pass over the data.
   *
   * @param options - `epoch` for a certain epoch's order, whatever ran before in this process; `signal` to end it
   */
  iterate(options: IterateOptions = {}): DatasetIterator<T> {
    const { epoch = this.#epochs++, signal } = options;
    if (!Number.isSafeInteger(epoch) || epoch < 0) {
      throw new FoveaError(`iterate: expected epoch to be a non-negative integer, received ${epoch}`, {
        code: 'ERR_ARGUMENT',
        op: 'iterate',
        expected: 'a non-negative integer',
        received: epoch,
      });
    }
    return new DatasetIterator(this.#source.open([epoch]), signal);
  }

  [Symbol.asyncIterator](): DatasetIterator<T> {
    return this.iterate();
  }

  /** All elements of one pass, as an array. */
  async toArray(): Promise<T[]> {
    if (this.cardinality === 'infinite') {
      throw new FoveaError('toArray: expected a finite dataset, received an infinite one (use take)', {
        code: 'ERR_UNSUPPORTED',
        op: 'toArray',
      });
    }
    const elements: T[] = [];
    for await (const element of this) elements.push(element);
    return elements;
  }
}
