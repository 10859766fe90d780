import { FoveaError, mismatch } from '../errors.js';
import { GraphNode } from '../graph/node.js';
import { layerPath } from '../graph/trace.js';
import { asTensor, type TensorLike } from '../tensor/create.js';
import { formatShape } from '../tensor/shape.js';
import { Tensor, tensorOf } from '../tensor/tensor.js';
import type { OpDefinition } from '../ops/define.js';

/** A value and how a gradient that arrives at it goes back to the function's arguments. */
export interface CustomResult {
  readonly value: Tensor;
  /** One gradient an argument, each like it. */
  readonly gradient: (dy: Tensor) => Tensor | readonly Tensor[];
}

/**
 * A function whose gradient is written by hand: what its ops would give is not asked.
 *
 * @param fn - returns the value and the rule
 *
 * @example
 * const clipped = customGradient((x) => ({ value: x, gradient: (dy) => dy.clip(-1, 1) }));
 */
export function customGradient(fn: (...args: Tensor[]) => CustomResult): (...args: TensorLike[]) => Tensor {
  return (...args) => {
    const inputs = args.map((a) => asTensor('customGradient', a));
    const { value, gradient } = fn(...inputs);
    if (!(value instanceof Tensor) || typeof gradient !== 'function') {
      throw new FoveaError('customGradient: expected the function to return { value, gradient }', {
        op: 'customGradient',
      });
    }
    const gradients = (dy: Tensor): readonly Tensor[] => {
      const result = gradient(dy);
      const made = result instanceof Tensor ? [result] : result;
      if (made.length !== inputs.length) {
        throw mismatch('ERR_ARGUMENT', { op: 'customGradient' }, `${inputs.length} gradients`, String(made.length));
      }
      made.forEach((g, i) => {
        if (g.shape.join() !== inputs[i]!.shape.join()) {
          throw mismatch(
            'ERR_SHAPE',
            { op: 'customGradient' },
            `gradient ${i} of shape ${formatShape(inputs[i]!.shape)}`,
            formatShape(g.shape),
          );
        }
      });
      return made;
    };
    const op: OpDefinition = {
      name: 'customGradient',
      lowering: { kind: 'alias' },
      infer: () => [{ shape: value.shape, dtype: value.dtype }],
      gradient: ({ dy: [dy] }) => {
        let made: readonly Tensor[] | undefined;
        return [null, ...inputs.map((_, i) => () => (made ??= gradients(dy!))[i]!)];
      },
    };
    const source = value.value('customGradient');
    const values = [source, ...inputs.map((t) => t.value('customGradient'))];
    const trace = values.find((v) => v.node.trace)?.node.trace;
    const outputs = [{ shape: value.shape, dtype: value.dtype }];
    return tensorOf(new GraphNode(op, values, {}, outputs, source.node.device, layerPath(), undefined, trace));
  };
}
