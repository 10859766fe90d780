import { Dataset, isHostTensor } from '../data/index.js';
import { describeValue, formatShape } from '../data/host-tensor.js';
import { mapStructure } from '../data/structure.js';
import { FoveaError } from '../errors.js';
import { tensor } from '../tensor/create.js';
import { Tensor } from '../tensor/tensor.js';
import { classWeights } from './class-weights.js';
import type { BatchDataset, TensorTree } from './trainer-types.js';

/** One batch on the device. */
export interface Batch {
  readonly x: TensorTree;
  readonly y: TensorTree | undefined;
  readonly sampleWeight: TensorTree | undefined;
  /** Samples in it. */
  readonly size: number;
  /** The batch after this one: which pass over the data, and how many batches into it. For checkpoints. */
  readonly after: DataPosition;
  /** Frees the tensors that were made for it. */
  dispose(): void;
}

/** A place in a stream of batches. */
export interface DataPosition {
  /** The pass: what the dataset's shuffles derive their order from. */
  readonly pass: number;
  /** Batches into the pass. */
  readonly offset: number;
}

/** What the batches of a run are for. */
export interface FeedOptions {
  /** Who asks, for messages: `fit`. */
  readonly op: string;
  /** Whether elements are `[x, y]`; else `x` will do. */
  readonly targets: boolean;
  readonly classWeight?: Readonly<Record<number, number>> | undefined;
}

/** Reads a dataset batch by batch, over as many passes as it takes, and puts the batches on the device. */
export class BatchFeed {
  #iterator: AsyncIterator<unknown> | undefined;
  #pass: number;
  #offset: number;

  constructor(
    private readonly dataset: BatchDataset,
    private readonly options: FeedOptions,
    at: DataPosition = { pass: 0, offset: 0 },
  ) {
    this.#pass = at.pass;
    this.#offset = at.offset;
  }

  /** The next batch of this pass; undefined at its end, after which the next call begins another pass. */
  async next(): Promise<Batch | undefined> {
    this.#iterator ??= this.#open();
    const result = await this.#iterator.next();
    if (result.done) {
      const { op } = this.options;
      if (this.#offset === 0) {
        throw new FoveaError(`${op}: expected data with at least one batch, received an empty dataset`, {
          code: 'ERR_DATA',
          op,
          expected: 'at least one batch',
          received: 'none',
        });
      }
      this.#iterator = undefined;
      this.#pass++;
      this.#offset = 0;
      return undefined;
    }
    this.#offset++;
    return toBatch(result.value, this.options, { pass: this.#pass, offset: this.#offset });
  }

  /** Where it stands: the batch that the next call brings. */
  get position(): DataPosition {
    return { pass: this.#pass, offset: this.#offset };
  }

  async close(): Promise<void> {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    await iterator?.return?.();
  }

  #open(): AsyncIterator<unknown> {
    const rest = this.#offset === 0 ? this.dataset : this.dataset.skip(this.#offset);
    return rest.iterate({ epoch: this.#pass });
  }
}

/** Puts one element of a dataset on the device. */
export async function toBatch(element: unknown, options: FeedOptions, after: DataPosition): Promise<Batch> {
  const [x, y, given] = unpack(element, options);
  const { op, classWeight } = options;
  const sizes = [sizeOfBatch(x, 'x', op), sizeOfBatch(y, 'y', op), sizeOfBatch(given, 'sampleWeight', op)];
  const size = sizes[0]!;
  sizes.forEach((other, i) => {
    if (other === undefined || other === size) return;
    const name = ['x', 'y', 'sampleWeight'][i];
    throw new FoveaError(`${op}: expected x and ${name} of the same length, received ${size} and ${other} samples`, {
      code: 'ERR_SHAPE',
      op,
      expected: size,
      received: other,
    });
  });
  const weight = classWeight && y !== undefined ? await classWeights(op, y, given, classWeight) : given;
  const made: Tensor[] = [];
  const upload = (part: unknown, name: string): TensorTree | undefined =>
    part === undefined
      ? undefined
      : (mapStructure(part, (leaf, path) => toTensor(leaf, `${name}${path}`, op, made)) as TensorTree);
  try {
    return {
      x: upload(x, 'x')!,
      y: upload(y, 'y'),
      sampleWeight: upload(weight, 'sampleWeight'),
      size,
      after,
      dispose: () => made.forEach((t) => t.dispose()),
    };
  } catch (error) {
    made.forEach((t) => t.dispose());
    throw error;
  }
}

function toTensor(leaf: unknown, name: string, op: string, made: Tensor[]): Tensor {
  if (leaf instanceof Tensor) return leaf;
  if (!isHostTensor(leaf)) {
    throw new FoveaError(`${op}: expected ${name} to be a tensor, received ${describeValue(leaf)}`, {
      code: 'ERR_DATA',
      op,
      expected: 'a tensor',
      received: leaf,
    });
  }
  const t = tensor(leaf.data, leaf.shape);
  made.push(t);
  return t;
}

function unpack(element: unknown, { op, targets }: FeedOptions): readonly [unknown, unknown, unknown] {
  if (Array.isArray(element) && element.length >= 1 && element.length <= 3) {
    const [x, y, weight] = element as unknown[];
    if (!targets) return [x, undefined, undefined];
    if (y !== undefined) return [x, y, weight];
  } else if (!targets) {
    return [element, undefined, undefined];
  }
  const received = Array.isArray(element) ? `an array of ${element.length}` : describeValue(element);
  throw new FoveaError(`${op}: expected batches [x, y] or [x, y, sampleWeight], received ${received}`, {
    code: 'ERR_DATA',
    op,
    expected: '[x, y] or [x, y, sampleWeight]',
    received: element,
  });
}

/** The common first dimension of a part's tensors. */
function sizeOfBatch(part: unknown, name: string, op: string): number | undefined {
  let size: number | undefined;
  if (part === undefined) return undefined;
  mapStructure(part, (leaf, path) => {
    const shape = leaf instanceof Tensor || isHostTensor(leaf) ? leaf.shape : undefined;
    if (!shape) return;
    const first = shape[0];
    if (first === undefined || (size !== undefined && size !== first)) {
      throw new FoveaError(
        `${op}: expected ${name}${path} to have a batch of ${size ?? 'samples'} as its first dimension, received shape ${formatShape(shape)}`,
        { code: 'ERR_SHAPE', op, expected: size, received: shape },
      );
    }
    size = first;
  });
  return size;
}

/** Whether data is a dataset. */
export function isDataset(data: unknown): data is BatchDataset {
  return data instanceof Dataset;
}
