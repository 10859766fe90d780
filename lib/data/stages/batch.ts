import { checkCount } from '../arguments.js';
import { AGAIN, chain, END, type MaybePromise, type Opener, type Pulled, type Puller, until } from '../pull.js';
import { type Cardinality, type Source, stagePath } from '../source.js';
import { stackElements } from '../stack.js';
import type { Batched } from '../structure.js';
import { openFrom } from './resume.js';

/** Options of `batch`. */
export interface BatchOptions {
  /** Leaves out a last batch that is not full. False unless told. */
  readonly dropRemainder?: boolean;
}

/** Makes a batch of elements; `first` is the index of the first of them in this pass. */
type Assemble<U, B> = (elements: readonly U[], first: number) => B;

class BatchPuller<U, B> implements Puller<B> {
  #elements: U[] = [];
  #ended = false;
  #first = 0;

  constructor(
    private readonly source: Puller<U>,
    private readonly size: number,
    private readonly dropRemainder: boolean,
    private readonly assemble: Assemble<U, B>,
  ) {}

  next(): MaybePromise<Pulled<B>> {
    return until<Pulled<B>>(() => {
      if (this.#ended) return this.#finish();
      return chain(this.source.next(), (element) => this.#accept(element));
    });
  }

  close(): MaybePromise<void> {
    this.#ended = true;
    this.#elements = [];
    return this.source.close();
  }

  #accept(element: Pulled<U>): Pulled<B> | typeof AGAIN {
    if (element === END) {
      this.#ended = true;
      return AGAIN;
    }
    this.#elements.push(element);
    return this.#elements.length < this.size ? AGAIN : this.#flush();
  }

  #finish(): Pulled<B> {
    return this.#elements.length === 0 || this.dropRemainder ? END : this.#flush();
  }

  #flush(): B {
    const elements = this.#elements;
    const first = this.#first;
    this.#elements = [];
    this.#first += elements.length;
    return this.assemble(elements, first);
  }
}

/** Stacks `size` elements at a time. */
export function batchSource<T>(source: Source<T>, size: number, options: BatchOptions): Source<Batched<T>> {
  checkCount('batch', 'the size', size, 1);
  const { dropRemainder = false } = options;
  const known = source.cardinality;
  let cardinality: Cardinality = known;
  if (typeof known === 'number') cardinality = dropRemainder ? Math.floor(known / size) : Math.ceil(known / size);
  const where = stagePath(source, 'batch');
  const open = <U>(from: Opener<U>, assemble: Assemble<U, Batched<T>>): Opener<Batched<T>> => {
    return (pass) => new BatchPuller(from(pass), size, dropRemainder, assemble);
  };
  const stack = (elements: readonly T[], first: number): Batched<T> =>
    stackElements(elements, first, where) as Batched<T>;
  const { indexed } = source;
  const table = indexed?.table;
  return {
    cardinality,
    stages: [...source.stages, 'batch'],
    recipe: [...source.recipe, `batch ${size} ${dropRemainder}`],
    open: table ? open(indexed.order, (rows) => table.gather(rows)) : open(source.open, stack),
    from: (count) => open(openFrom(source, count * size), stack),
  };
}
