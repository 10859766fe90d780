import { AGAIN, chain, END, type MaybePromise, type Pulled, type Puller, until } from '../pull.js';
import { type Source, stagePath } from '../source.js';
import { type Table, sliceTable } from '../table.js';

class UnbatchPuller<T> implements Puller<T> {
  #batch: Table<T> | undefined;
  #row = 0;

  constructor(
    private readonly source: Puller<unknown>,
    private readonly where: string,
  ) {}

  next(): MaybePromise<Pulled<T>> {
    return until<Pulled<T>>(() => {
      if (this.#batch && this.#row < this.#batch.length) return this.#batch.get(this.#row++);
      return chain(this.source.next(), (element) => {
        if (element === END) return END;
        this.#batch = sliceTable<T>(element, this.where);
        this.#row = 0;
        return AGAIN;
      });
    });
  }

  close(): MaybePromise<void> {
    this.#batch = undefined;
    return this.source.close();
  }
}

/** Splits each element along the first axis of its tensors, into views. */
export function unbatchSource<T, U>(source: Source<T>): Source<U> {
  const where = stagePath(source, 'unbatch');
  return {
    cardinality: source.cardinality === 'infinite' ? 'infinite' : 'unknown',
    stages: [...source.stages, 'unbatch'],
    recipe: [...source.recipe, 'unbatch'],
    open: (pass) => new UnbatchPuller<U>(source.open(pass), where),
  };
}
