import { mismatch } from '../errors.js';
import * as ops from '../ops/index.js';
import { Tensor } from '../tensor/tensor.js';
import { checkKeys, wrongArgument } from './arguments.js';
import { Layer, type LayerOptions } from './layer.js';
import type { Nest } from './nest.js';
import type { LayerConfig } from './registry.js';
import { formatSymbolicShape, type SymbolicShape } from './symbolic.js';

/** Several tensors to one. */
abstract class Merge extends Layer {
  constructor(options: LayerOptions = {}, keys: readonly string[] = []) {
    super(options);
    checkKeys(this, options, keys);
  }

  abstract override call(inputs: readonly Tensor[]): Tensor;

  /** The fewest inputs it makes sense with. */
  protected get leastInputs(): number {
    return 2;
  }

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    if (shapes.length < this.leastInputs) {
      const expected = `a list of at least ${this.leastInputs} inputs`;
      throw mismatch('ERR_ARGUMENT', this.errorLabel(), expected, shapes.length === 1 ? 'one' : `${shapes.length}`);
    }
  }

  protected override prepareInputs(inputs: Nest<Tensor>): Nest<Tensor> {
    return inputs instanceof Tensor ? [inputs] : Object.values(inputs);
  }

  protected refuse(expected: string, shapes: readonly SymbolicShape[]): never {
    const received = shapes.map(formatSymbolicShape).join(' and ');
    throw mismatch('ERR_SHAPE', this.errorLabel(), expected, received);
  }
}

/** Elementwise, with broadcasting of axes of length 1. */
abstract class ElementwiseMerge extends Merge {
  protected abstract merge(a: Tensor, b: Tensor): Tensor;

  override call(inputs: readonly Tensor[]): Tensor {
    return inputs.reduce((a, b) => this.merge(a, b));
  }

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    super.checkInputs(shapes);
    this.computeOutputShape(...shapes);
  }

  override computeOutputShape(...shapes: SymbolicShape[]): SymbolicShape {
    return shapes.reduce((a, b) => {
      if (a.length !== b.length) this.refuse('inputs of one rank', shapes);
      return a.map((d, axis) => {
        const e = b[axis]!;
        if (d === 1) return e;
        if (e === 1) return d;
        if (d !== null && e !== null && d !== e) this.refuse('inputs of one shape, or with axes of length 1', shapes);
        return d ?? e;
      });
    });
  }
}

/** Sum of the inputs. */
export class Add extends ElementwiseMerge {
  static readonly className: string = 'Add';

  protected override merge(a: Tensor, b: Tensor): Tensor {
    return ops.add(a, b);
  }
}

/** The first input minus the second. */
export class Subtract extends ElementwiseMerge {
  static readonly className: string = 'Subtract';

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    if (shapes.length !== 2) {
      throw mismatch('ERR_ARGUMENT', this.errorLabel(), 'a list of two inputs', `${shapes.length}`);
    }
    super.checkInputs(shapes);
  }

  protected override merge(a: Tensor, b: Tensor): Tensor {
    return ops.sub(a, b);
  }
}

/** Product of the inputs, elementwise. */
export class Multiply extends ElementwiseMerge {
  static readonly className: string = 'Multiply';

  protected override merge(a: Tensor, b: Tensor): Tensor {
    return ops.mul(a, b);
  }
}

/** Mean of the inputs, elementwise. */
export class Average extends ElementwiseMerge {
  static readonly className: string = 'Average';

  override call(inputs: readonly Tensor[]): Tensor {
    return ops.div(super.call(inputs), inputs.length);
  }

  protected override merge(a: Tensor, b: Tensor): Tensor {
    return ops.add(a, b);
  }
}

/** The largest of the inputs, elementwise. */
export class Maximum extends ElementwiseMerge {
  static readonly className: string = 'Maximum';

  protected override merge(a: Tensor, b: Tensor): Tensor {
    return ops.maximum(a, b);
  }
}

/** The smallest of the inputs, elementwise. */
export class Minimum extends ElementwiseMerge {
  static readonly className: string = 'Minimum';

  protected override merge(a: Tensor, b: Tensor): Tensor {
    return ops.minimum(a, b);
  }
}

export interface ConcatenateOptions extends LayerOptions {
  /** The axis along which inputs are joined; the last by default. */
  axis?: number | undefined;
}

/** Joins the inputs along an axis. */
export class Concatenate extends Merge {
  static readonly className: string = 'Concatenate';
  readonly axis: number;

  constructor(options: ConcatenateOptions = {}) {
    super(options, ['axis']);
    const axis: unknown = options.axis ?? -1;
    if (typeof axis !== 'number' || !Number.isInteger(axis)) throw wrongArgument(this, 'axis', 'a whole number', axis);
    this.axis = axis;
  }

  protected override get leastInputs(): number {
    return 1;
  }

  override call(inputs: readonly Tensor[]): Tensor {
    return ops.concat(inputs, this.axis);
  }

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    super.checkInputs(shapes);
    this.computeOutputShape(...shapes);
  }

  override computeOutputShape(...shapes: SymbolicShape[]): SymbolicShape {
    const rank = shapes[0]!.length;
    const at = this.axis < 0 ? this.axis + rank : this.axis;
    if (at < 0 || at >= rank) this.refuse(`inputs with an axis ${this.axis}`, shapes);
    return shapes.reduce((a, b) => {
      const fits = b.length === rank && a.every((d, i) => i === at || d === null || b[i] === null || d === b[i]);
      if (!fits) this.refuse(`inputs of one shape but for axis ${at}`, shapes);
      return a.map((d, i) => {
        const e = b[i]!;
        if (i !== at) return d ?? e;
        return d === null || e === null ? null : d + e;
      });
    });
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), axis: this.axis };
  }
}
