import { FoveaError } from '../errors.js';
import { evaluateValues } from '../graph/evaluate.js';
import { specOf, type Value } from '../graph/node.js';
import { refuseInTrace } from '../graph/trace.js';
import type { DType, TypedArray } from './dtype.js';
import { formatTensor, nest, type NestedArray } from './print.js';
import { formatShape, sizeOf, type Shape } from './shape.js';

/**
 * A value: shape, type and either its elements on a device or the recipe to compute them. Ops never change a tensor;
 * reading it twice gives the same numbers. Arithmetic methods are added by `lib/ops/methods.ts`.
 */
export class Tensor {
  #value: Value | undefined;
  readonly shape: Shape;
  readonly dtype: DType;

  /** @internal Tensors are made by `tensor()`, ops and layers. */
  constructor(value: Value) {
    this.#value = value;
    const spec = specOf(value);
    this.shape = spec.shape;
    this.dtype = spec.dtype;
    value.node.retain(value.index);
  }

  /** @internal The graph value behind this handle; throws once disposed. */
  value(op = 'tensor'): Value {
    if (!this.#value) {
      throw new FoveaError(
        `${op}: expected a live tensor, received one of shape ${formatShape(this.shape)} that was disposed`,
        {
          code: 'ERR_DISPOSED',
          op,
        },
      );
    }
    return this.#value;
  }

  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Name of the device this tensor lives on. */
  get device(): string {
    return this.value().node.device;
  }

  get isDisposed(): boolean {
    return this.#value === undefined;
  }

  /**
   * The elements, row-major, as a typed array of this dtype; computes them when they are not there yet. The event loop
   * stays free meanwhile.
   */
  async data(): Promise<TypedArray> {
    const value = this.value('data');
    if (value.node.trace) refuseInTrace('data', value.node.trace);
    evaluateValues([value]);
    return value.node.storages[value.index]!.buffer.read();
  }

  /** As {@link data}, blocking; for scripts. */
  dataSync(): TypedArray {
    const value = this.value('dataSync');
    if (value.node.trace) refuseInTrace('dataSync', value.node.trace);
    evaluateValues([value]);
    return value.node.storages[value.index]!.buffer.readSync();
  }

  /** The elements as nested arrays of numbers; a number for a scalar. */
  async array(): Promise<NestedArray> {
    return nest(await this.data(), this.shape);
  }

  /** The one element of a tensor of size 1. */
  async item(): Promise<number> {
    this.#checkSingle('item');
    return (await this.data())[0]!;
  }

  /** As {@link item}, blocking. */
  itemSync(): number {
    this.#checkSingle('itemSync');
    return this.dataSync()[0]!;
  }

  /** Frees the elements as soon as no pending computation needs them. Disposing twice does nothing. */
  dispose(): void {
    const value = this.#value;
    this.#value = undefined;
    value?.node.release(value.index);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Shape and elements, the middle of long axes left out; `Tensor float32 [2,2] (not computed)` when they are not there. */
  toString(): string {
    const value = this.#value;
    const head = `Tensor ${this.dtype} ${formatShape(this.shape)}`;
    if (!value) return `${head} (disposed)`;
    if (!value.node.storages[value.index] && value.node.leaf?.kind !== 'scalar') return `${head} (not computed)`;
    return `${head}\n${formatTensor(this.dataSync(), this.shape, this.dtype)}`;
  }

  /** Prints {@link toString} after computing the elements. */
  print(): void {
    this.dataSync();
    console.log(this.toString());
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  #checkSingle(op: string): void {
    if (this.size !== 1) {
      throw new FoveaError(`${op}: expected a tensor of one element, received shape ${formatShape(this.shape)}`, {
        code: 'ERR_SHAPE',
        op,
        expected: 'one element',
        received: this.shape,
      });
    }
  }
}

/** Another handle for the value of a tensor, disposed apart: what ops return when there is nothing to do. */
export function sameValue(op: string, tensor: Tensor): Tensor {
  return new Tensor(tensor.value(op));
}

/** Makes a handle for a value. */
export function tensorOf(node: Value['node'], index = 0): Tensor {
  return new Tensor({ node, index });
}
