import { mismatch } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { Layer, type CallContext } from './layer.js';
import type { Nest } from './nest.js';
import { formatSymbolicShape, type SymbolicShape } from './symbolic.js';

/** A layer of one input and one output, of a rank that is checked. */
export abstract class UnaryLayer extends Layer {
  abstract override call(x: Tensor, context: CallContext): Tensor;

  abstract override computeOutputShape(inputShape: SymbolicShape): SymbolicShape;

  /** The rank inputs must have; undefined takes any. */
  protected get inputRank(): number | undefined {
    return undefined;
  }

  override checkInputs(shapes: readonly SymbolicShape[]): void {
    const rank = this.inputRank;
    if (shapes.length !== 1) {
      throw mismatch('ERR_ARGUMENT', this.errorLabel(), 'one input', `${shapes.length} of them`);
    }
    if (rank !== undefined && shapes[0]!.length !== rank) {
      const layout = rank === 4 ? ' ([batch,height,width,channels])' : '';
      const received = formatSymbolicShape(shapes[0]!);
      throw mismatch('ERR_SHAPE', this.errorLabel(), `inputs of rank ${rank}${layout}`, received);
    }
  }

  protected override prepareInputs(inputs: Nest<Tensor>): Nest<Tensor> {
    return inputs instanceof Tensor ? inputs : Object.values(inputs)[0]!;
  }

  /** The length of an axis that weights depend on. */
  protected knownSize(shape: SymbolicShape, axis: number, what: string): number {
    const size = shape.at(axis);
    if (typeof size === 'number') return size;
    throw mismatch('ERR_SHAPE', this.errorLabel(), `a known number of ${what}`, formatSymbolicShape(shape));
  }

  /** Throws unless the last axis has the size that the kernel was made for. */
  protected checkSize(
    shape: SymbolicShape,
    axis: number,
    expected: number,
    what: string,
    kernel: readonly number[],
  ): void {
    const size = shape.at(axis);
    if (size === null || size === expected) return;
    const fit = `inputs with ${expected} ${what} (kernel is [${kernel.join(',')}])`;
    throw mismatch('ERR_SHAPE', this.errorLabel(), fit, formatSymbolicShape(shape));
  }
}
