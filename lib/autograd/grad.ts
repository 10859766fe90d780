import { FoveaError, mismatch } from '../errors.js';
import { collectReads, withRecording } from '../graph/trace.js';
import { asTensor, scalar, type TensorLike } from '../tensor/create.js';
import { isFloat } from '../tensor/dtype.js';
import { formatShape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { gradientsOf, pinPath } from './gradients.js';
import { markSource } from './sources.js';

/** Gradients by variable, in the order the variables were first read. */
export type Gradients = Map<Variable, Tensor>;

/** A loss, or a loss with other results to hand through. */
export type LossResult = Tensor | (Record<string, unknown> & { loss: Tensor });

export interface ValueAndGrad<R extends LossResult> {
  /** What the function returned. */
  readonly value: R;
  readonly grads: Gradients;
}

/**
 * Runs a function that computes a scalar loss and differentiates it by variables.
 *
 * @param fn - returns a scalar tensor, or a record with the scalar `loss` and whatever else
 * @param variables - what to differentiate by; all trainable variables the function reads when left out
 * @returns what the function returned, and a gradient like each variable
 * @throws FoveaError ERR_SHAPE unless the loss is one floating-point number
 *
 * @example
 * const { value, grads } = valueAndGrad(() => loss(model.apply(x), y));
 * optimizer.apply(grads);
 */
export function valueAndGrad<R extends LossResult>(fn: () => R, variables?: readonly Variable[]): ValueAndGrad<R> {
  return withRecording(() => {
    const { value, reads } = collectReads(fn);
    const loss = value instanceof Tensor ? value : value.loss;
    checkLoss(loss);
    const chosen = variables ?? [...reads.keys()].filter((v) => v.trainable && isFloat(v.dtype));
    const sources = chosen.map((v) => reads.get(v) ?? v.valueNow());
    const made = gradientsOf(loss, scalar(1, loss.dtype), sources);
    return { value, grads: new Map(chosen.map((v, i) => [v, made[i]!])) };
  });
}

/**
 * The gradient of a function of tensors.
 *
 * @param fn - returns a scalar
 * @returns a function of the same arguments that gives the gradient by the first, or by those numbered in `argnums`
 *
 * @example
 * const slope = grad((x) => sum(mul(x, x)));
 * await slope(tensor([1, 2, 3])).data(); // 2, 4, 6
 */
export function grad(fn: (...args: Tensor[]) => Tensor): (...args: TensorLike[]) => Tensor;
export function grad(
  fn: (...args: Tensor[]) => Tensor,
  argnums: readonly number[],
): (...args: TensorLike[]) => Tensor[];
export function grad(
  fn: (...args: Tensor[]) => Tensor,
  argnums?: readonly number[],
): (...args: TensorLike[]) => Tensor | Tensor[] {
  const both = gradsOf(fn, argnums ?? [0]);
  return (...args) => (argnums ? both(...args).grads : both(...args).grads[0]!);
}

/** As {@link grad} by several arguments, with the value. */
export function gradsOf(
  fn: (...args: Tensor[]) => Tensor,
  argnums: readonly number[],
): (...args: TensorLike[]) => { value: Tensor; grads: Tensor[] } {
  return (...args) =>
    withRecording(() => {
      const inputs = args.map((a) => asTensor('grad', a));
      for (const n of argnums) {
        if (!inputs[n])
          throw mismatch('ERR_ARGUMENT', { op: 'grad' }, `an argument number ${n}`, `${inputs.length} arguments`);
        if (!isFloat(inputs[n].dtype))
          throw mismatch('ERR_DTYPE', { op: 'grad' }, `argument ${n} of dtype float32`, inputs[n].dtype);
      }
      for (const n of argnums) markSource(inputs[n]!.value('grad').node);
      const value = fn(...inputs);
      checkLoss(value);
      const sources = argnums.map((n) => inputs[n]!.value('grad'));
      return { value, grads: gradientsOf(value, scalar(1, value.dtype), sources) };
    });
}

/** Gradients of any tensor by others, given the gradient that arrives at it: a vector-Jacobian product. */
export function vjp(
  fn: (...args: Tensor[]) => Tensor,
  ...args: Tensor[]
): { value: Tensor; pullback: (dy: Tensor) => Tensor[] } {
  for (const a of args) markSource(a.value('vjp').node);
  const sources = args.map((a) => a.value('vjp'));
  const value = withRecording(() => fn(...args));
  pinPath(value, sources);
  return { value, pullback: (dy) => withRecording(() => gradientsOf(value, dy, sources)) };
}

function checkLoss(loss: unknown): asserts loss is Tensor {
  if (!(loss instanceof Tensor)) {
    throw new FoveaError(`grad: expected the function to return a scalar tensor, received ${typeof loss}`, {
      op: 'grad',
    });
  }
  if (loss.size !== 1) throw mismatch('ERR_SHAPE', { op: 'grad' }, 'a scalar loss', formatShape(loss.shape));
  if (!isFloat(loss.dtype)) throw mismatch('ERR_DTYPE', { op: 'grad' }, 'a loss of dtype float32', loss.dtype);
}
