import { mismatch } from '../errors.js';
import * as ops from '../ops/index.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkKeys, wrongArgument } from './arguments.js';
import type { LayerOptions } from './layer.js';
import type { LayerConfig } from './registry.js';
import { formatSymbolicShape, type SymbolicShape } from './symbolic.js';
import { UnaryLayer } from './unary.js';

/** Moves elements without changing them: any dtype stays what it is. */
abstract class MovingLayer extends UnaryLayer {
  override outputDType(inputs: readonly DType[]): DType {
    return inputs[0]!;
  }
}

/** Product of sizes; null when one of them is open. */
function product(shape: SymbolicShape): number | null {
  return shape.reduce((size, d) => (size === null || d === null ? null : size * d), 1 as number | null);
}

/** Passes its input on. */
export class Identity extends MovingLayer {
  static readonly className: string = 'Identity';

  constructor(options: LayerOptions = {}) {
    super(options);
    checkKeys(this, options, []);
  }

  override call(x: Tensor): Tensor {
    return x;
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    return inputShape;
  }
}

/** Everything behind the batch in one axis: [n, ...] to [n, m]. */
export class Flatten extends MovingLayer {
  static readonly className: string = 'Flatten';

  constructor(options: LayerOptions = {}) {
    super(options);
    checkKeys(this, options, []);
  }

  override call(x: Tensor): Tensor {
    return ops.flatten(x);
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    return [inputShape[0]!, product(inputShape.slice(1))];
  }
}

export interface ReshapeOptions extends LayerOptions {
  /** The shape behind the batch; one size may be -1 and is worked out. */
  targetShape: readonly number[];
}

/** The same elements under another shape: [n, ...] to [n, ...targetShape]. */
export class Reshape extends MovingLayer {
  static readonly className: string = 'Reshape';
  readonly targetShape: readonly number[];

  constructor(options: ReshapeOptions) {
    super(options);
    checkKeys(this, options, ['targetShape']);
    const shape: unknown = options.targetShape;
    const fits =
      Array.isArray(shape) &&
      shape.every((d) => Number.isInteger(d) && (d > 0 || d === -1)) &&
      shape.filter((d) => d === -1).length <= 1;
    if (!fits) throw wrongArgument(this, 'targetShape', 'a list of sizes, at most one of them -1', shape);
    this.targetShape = shape as number[];
  }

  override call(x: Tensor): Tensor {
    return ops.reshape(x, [x.shape[0]!, ...(this.computeOutputShape(x.shape).slice(1) as number[])]);
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    const size = product(inputShape.slice(1));
    const known = this.targetShape.reduce((n, d) => (d === -1 ? n : n * d), 1);
    const open = this.targetShape.includes(-1);
    if (size !== null && (open ? size % known !== 0 : size !== known)) {
      const expected = `inputs that fit targetShape [${this.targetShape.join(',')}]`;
      throw mismatch('ERR_SHAPE', this.errorLabel(), expected, formatSymbolicShape(inputShape));
    }
    return [inputShape[0]!, ...this.targetShape.map((d) => (d === -1 ? (size === null ? null : size / known) : d))];
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), targetShape: this.targetShape };
  }
}

export interface PermuteOptions extends LayerOptions {
  /** The axes behind the batch in their new order, counted from 1: `[2, 1]` swaps two. */
  dims: readonly number[];
}

/** Reorders the axes behind the batch. */
export class Permute extends MovingLayer {
  static readonly className: string = 'Permute';
  readonly dims: readonly number[];

  constructor(options: PermuteOptions) {
    super(options);
    checkKeys(this, options, ['dims']);
    const dims: unknown = options.dims;
    const sorted = Array.isArray(dims) ? [...(dims as number[])].sort((a, b) => a - b) : [];
    if (sorted.length === 0 || sorted.some((d, i) => d !== i + 1)) {
      throw wrongArgument(this, 'dims', 'the axes from 1 in some order', dims);
    }
    this.dims = dims as number[];
  }

  protected override get inputRank(): number {
    return this.dims.length + 1;
  }

  override call(x: Tensor): Tensor {
    return ops.transpose(x, [0, ...this.dims]);
  }

  override computeOutputShape(inputShape: SymbolicShape): SymbolicShape {
    return [inputShape[0]!, ...this.dims.map((d) => inputShape[d]!)];
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), dims: this.dims };
  }
}
