import { HostRandom } from '../../random/philox.js';
import { crypto } from '../../util/builtins.js';
import { checkCount } from '../arguments.js';
import { AGAIN, chain, END, type MaybePromise, type Opener, type Pulled, type Puller, until } from '../pull.js';
import { reordered, type Source } from '../source.js';

/** Options of `shuffle`. */
export interface ShuffleOptions {
  /** Fixes the order; without it each dataset draws a seed of its own when it is made. */
  readonly seed?: number;
  /** Whether each pass has another order (derived from seed and pass). True unless told. */
  readonly reshuffleEachIteration?: boolean;
}

/**
 * tf.data's bounded buffer: it is filled first, then each draw takes a random place of it and the next element moves in;
 * at the end the last element fills the hole. With a buffer at least as large as the data this is Fisher and Yates'
 * shuffle.
 */
class ShufflePuller<T> implements Puller<T> {
  readonly #buffer: T[] = [];
  #ended = false;

  constructor(
    private readonly source: Puller<T>,
    private readonly bufferSize: number,
    private readonly random: HostRandom,
  ) {}

  next(): MaybePromise<Pulled<T>> {
    if (this.#ended) return this.#draw();
    return until<Pulled<T>>(() => chain(this.source.next(), (element) => this.#accept(element)));
  }

  close(): MaybePromise<void> {
    this.#buffer.length = 0;
    this.#ended = true;
    return this.source.close();
  }

  #accept(element: Pulled<T>): Pulled<T> | typeof AGAIN {
    if (element === END) {
      this.#ended = true;
      return this.#draw();
    }
    if (this.#buffer.length < this.bufferSize) {
      this.#buffer.push(element);
      return AGAIN;
    }
    const place = this.random.int(this.#buffer.length);
    const drawn = this.#buffer[place] as T;
    this.#buffer[place] = element;
    return drawn;
  }

  #draw(): Pulled<T> {
    const buffer = this.#buffer;
    if (buffer.length === 0) return END;
    const place = this.random.int(buffer.length);
    const drawn = buffer[place] as T;
    const last = buffer.pop() as T;
    if (place < buffer.length) buffer[place] = last;
    return drawn;
  }
}

/** Shuffles through a buffer of `bufferSize` elements. */
export function shuffleSource<T>(source: Source<T>, bufferSize: number, options: ShuffleOptions): Source<T> {
  checkCount('shuffle', 'bufferSize', bufferSize, 1);
  const { seed = crypto().randomInt(2 ** 47), reshuffleEachIteration = true } = options;
  // Refuses a bad seed here rather than at the first element.
  new HostRandom(seed);
  const shuffle = <U>(open: Opener<U>): Opener<U> => {
    return (pass) =>
      new ShufflePuller(open(pass), bufferSize, new HostRandom(seed, reshuffleEachIteration ? pass : []));
  };
  return reordered(source, 'shuffle', shuffle, source.cardinality, [bufferSize, seed, reshuffleEachIteration]);
}
