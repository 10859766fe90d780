import type { Attributes } from '../backends/backend.js';
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Storage } from '../tensor/storage.js';
import type { OpDefinition } from '../ops/define.js';
import type { Trace } from './trace.js';

/** Shape and type of one value. */
export interface ValueSpec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** One output of one node. Identity is (node, index). */
export interface Value {
  readonly node: GraphNode;
  readonly index: number;
}

/** What a node without inputs stands for. */
export type Leaf =
  /** A value on a device. */
  | { readonly kind: 'storage' }
  /** A number known at trace time; becomes an immediate of the elementwise program, or a constant buffer. */
  | { readonly kind: 'scalar'; readonly value: number }
  /** An argument, a variable or a host value of a traced function. */
  | { readonly kind: 'placeholder' };

let nextId = 1;

/**
 * One op applied to values. Nodes are made with their shapes already checked, in an order (their ids) that is
 * topological. When an output has been computed its storage is kept here, and a node that is fully computed forgets
 * its inputs, so that chains do not hold memory.
 *
 * Whoever refers to an output (a tensor handle, a variable, a pending node) retains it; the storage, once there, is
 * freed when the last one has released it.
 */
export class GraphNode {
  readonly id = nextId++;
  /** Storages of computed outputs. */
  readonly storages: (Storage | undefined)[] = [];
  /** Longest chain of nodes not yet computed that ends here. */
  readonly depth: number;
  readonly #refs: number[];
  #pinned = false;
  #inputs: readonly Value[];

  constructor(
    readonly op: OpDefinition | undefined,
    inputs: readonly Value[],
    readonly attributes: Attributes,
    readonly outputs: readonly ValueSpec[],
    readonly device: string,
    readonly layer: string,
    readonly leaf: Leaf | undefined,
    readonly trace: Trace | undefined,
  ) {
    this.#inputs = inputs;
    this.#refs = outputs.map(() => 0);
    let depth = 0;
    for (const { node, index } of inputs) {
      node.retain(index);
      if (!node.leaf && !node.storages[index]) depth = Math.max(depth, node.depth);
    }
    this.depth = leaf ? 0 : depth + 1;
  }

  get inputs(): readonly Value[] {
    return this.#inputs;
  }

  /** How many handles, variables and pending nodes refer to an output. */
  references(index: number): number {
    return this.#refs[index]!;
  }

  retain(index: number): void {
    this.#refs[index]!++;
    this.storages[index]?.retain();
  }

  release(index: number): void {
    // A node that nobody refers to any more lets go of its inputs, which may do the same: along a list, as chains can
    // be longer than the stack is deep.
    const released: Value[] = [{ node: this, index }];
    for (let value = released.pop(); value; value = released.pop()) {
      const { node } = value;
      node.#refs[value.index]!--;
      node.storages[value.index]?.release();
      if (node.#inputs.length === 0 || node.#refs.some((count) => count > 0)) continue;
      released.push(...node.#inputs);
      node.#inputs = [];
    }
  }

  /** Keeps the inputs for good: a gradient may walk this node after its outputs have been read. */
  pin(): void {
    this.#pinned = true;
  }

  /** Keeps a computed output; forgets the inputs once all outputs are there, unless a gradient may still need them. */
  resolve(index: number, storage: Storage, keepInputs: boolean): void {
    this.storages[index] = storage;
    for (let i = 0; i < this.#refs[index]!; i++) storage.retain();
    if (keepInputs || this.#pinned || this.#inputs.length === 0) return;
    for (let i = 0; i < this.outputs.length; i++) if (!this.storages[i]) return;
    const inputs = this.#inputs;
    this.#inputs = [];
    for (const input of inputs) input.node.release(input.index);
  }
}

/** A name for a value, unique in the process. */
export function valueKey(value: Value): string {
  return `${value.node.id}:${value.index}`;
}

export function specOf(value: Value): ValueSpec {
  return value.node.outputs[value.index]!;
}
