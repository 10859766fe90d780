import { evaluateValues } from '../graph/evaluate.js';
import type { Value } from '../graph/node.js';
import { currentTrace, noteRead } from '../graph/trace.js';
import { FoveaError, mismatch } from '../errors.js';
import { autocast } from './autocast.js';
import type { DType, TypedArray } from './dtype.js';
import { formatShape, sameShape, sizeOf, type Shape } from './shape.js';
import type { Storage } from './storage.js';
import { sameValue, Tensor } from './tensor.js';

export interface VariableOptions {
  /** Unique in a model: `conv2d/kernel`. */
  name?: string;
  /** Whether `valueAndGrad` and optimizers change it by default. */
  trainable?: boolean;
  /** Whether layers of mixed precision read it in the type they compute in. True unless told. */
  autocast?: boolean;
}

/**
 * A named place that holds a tensor and can be given another one of the same shape and type. A tensor read from it
 * keeps the value it had then, whatever is assigned later.
 */
export class Variable {
  readonly shape: Shape;
  readonly dtype: DType;
  name: string;
  trainable: boolean;
  readonly autocast: boolean;
  #current: Value | undefined;
  #owned = false;

  /**
   * @param initial - the first value (any tensor; evaluated when needed)
   */
  constructor(initial: Tensor, { name = 'variable', trainable = true, autocast = true }: VariableOptions = {}) {
    this.shape = initial.shape;
    this.dtype = initial.dtype;
    this.name = name;
    this.trainable = trainable;
    this.autocast = autocast;
    this.#take(initial);
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  get device(): string {
    return this.#live().node.device;
  }

  get isDisposed(): boolean {
    return this.#current === undefined;
  }

  /** The value now, as a tensor that later assignments do not change; in a layer of mixed precision, in its type. */
  get value(): Tensor {
    const value = this.valueNow();
    noteRead(this, value);
    if (!value.node.trace) {
      const storage = value.node.storages[value.index];
      if (storage) storage.shared = true;
      this.#owned = false;
    }
    const tensor = new Tensor(value);
    return this.autocast && this.dtype === 'float32' ? autocast(tensor) : tensor;
  }

  /** @internal The graph value that reading gives now, in the open trace if there is one; reads nothing. */
  valueNow(): Value {
    const trace = currentTrace();
    if (!trace) return this.#live();
    return trace.assigned.get(this)?.value() ?? { node: trace.variable(this), index: 0 };
  }

  /**
   * Gives the variable another value.
   *
   * @param value - a tensor of this variable's shape and dtype
   */
  assign(value: Tensor): void {
    if (!sameShape(value.shape, this.shape)) {
      throw mismatch(
        'ERR_SHAPE',
        { op: 'assign', layer: this.name },
        formatShape(this.shape),
        formatShape(value.shape),
      );
    }
    if (value.dtype !== this.dtype) {
      throw mismatch('ERR_DTYPE', { op: 'assign', layer: this.name }, this.dtype, value.dtype);
    }
    const trace = currentTrace();
    if (trace) {
      trace.variable(this);
      // A handle of its own: the caller may dispose the tensor.
      trace.assigned.set(this, sameValue('assign', value));
    } else {
      this.#take(value);
    }
  }

  /** The elements now; see {@link Tensor.data}. */
  async data(): Promise<TypedArray> {
    return this.storage().storage.buffer.read();
  }

  dataSync(): TypedArray {
    return this.storage().storage.buffer.readSync();
  }

  /** Frees the value. The variable cannot be used afterwards. */
  dispose(): void {
    const value = this.#current;
    this.#current = undefined;
    value?.node.release(value.index);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    return `Variable "${this.name}" ${this.dtype} ${formatShape(this.shape)}${this.trainable ? '' : ' (not trainable)'}`;
  }

  /** @internal The computed storage, and whether a plan may write it in place. */
  storage(): { storage: Storage; exclusive: boolean } {
    const value = this.#live();
    evaluateValues([value]);
    const storage = value.node.storages[value.index]!;
    // Who alone refers to a value may write it, even one that others could read once.
    const alone = value.node.references(value.index) === 1 && storage.references === 1;
    return { storage, exclusive: alone || (!storage.shared && this.#owned) };
  }

  /** @internal Installs a value that only this variable holds. */
  adopt(value: Value): void {
    const old = this.#current;
    value.node.retain(value.index);
    old?.node.release(old.index);
    this.#current = value;
    this.#owned = true;
  }

  #take(tensor: Tensor): void {
    const value = tensor.value('assign');
    if (value.node.trace) {
      throw new FoveaError(
        `assign "${this.name}": expected a tensor with a value, received one that belongs to a traced function`,
        { code: 'ERR_EXECUTION', op: 'assign' },
      );
    }
    const old = this.#current;
    const storage = value.node.storages[value.index];
    if (storage) storage.shared = true;
    value.node.retain(value.index);
    old?.node.release(old.index);
    this.#current = value;
    this.#owned = false;
  }

  #live(): Value {
    if (!this.#current) {
      throw new FoveaError(`variable "${this.name}": expected a live variable, received one that was disposed`, {
        code: 'ERR_DISPOSED',
      });
    }
    return this.#current;
  }
}
