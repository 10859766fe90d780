import type { DType } from '../tensor/dtype.js';
import type { Layer } from './layer.js';
import { flattenNest, type Nest } from './nest.js';

/** A shape in which `null` stands for a size that is not known before data comes: the batch, most often. */
export type SymbolicShape = readonly (number | null)[];

/** `[null,28,28,1]`, as it stands in messages. */
export function formatSymbolicShape(shape: SymbolicShape): string {
  return `[${shape.map((d) => d ?? 'null').join(',')}]`;
}

/** One use of a layer in a functional model. */
export class LayerNode {
  outputs: Nest<SymbolicTensor> = [];

  constructor(
    readonly layer: Layer,
    /** None for input layers. */
    readonly inputs: Nest<SymbolicTensor>,
    /** The `training` that this use was given; undefined follows the model. */
    readonly training: boolean | undefined,
  ) {}

  get inputTensors(): SymbolicTensor[] {
    return flattenNest(this.inputs, isSymbolic);
  }

  get outputTensors(): SymbolicTensor[] {
    return flattenNest(this.outputs, isSymbolic);
  }
}

/**
 * A value that a model will have: shape and type, and the use of a layer that makes it. `input()` makes the first ones,
 * layers applied to them the others; `new Model({ inputs, outputs })` takes the way between.
 */
export class SymbolicTensor {
  constructor(
    readonly shape: SymbolicShape,
    readonly dtype: DType,
    readonly producer: LayerNode,
    /** Which output of the producer this is. */
    readonly index: number,
  ) {}

  get rank(): number {
    return this.shape.length;
  }

  /** The layer that makes it. */
  get layer(): Layer {
    return this.producer.layer;
  }

  toString(): string {
    return `SymbolicTensor ${this.dtype} ${formatSymbolicShape(this.shape)} of layer "${this.layer.name}"`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

export function isSymbolic(value: unknown): value is SymbolicTensor {
  return value instanceof SymbolicTensor;
}

/** Whether a shape that came fits the one that is expected; `null` fits every size. */
export function fitsShape(expected: SymbolicShape, received: SymbolicShape): boolean {
  return (
    expected.length === received.length &&
    expected.every((d, i) => d === null || received[i] === null || d === received[i])
  );
}
