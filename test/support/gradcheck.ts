import { ops, vjp, withDevice, type Tensor } from '../../lib/index.js';
import { opsBehind, placeInputs, placeValue, type OpCall } from './ops-cases.js';
import type { RandomValues } from './random-values.js';

const EPSILON = 1e-5;
/** Central differences err by epsilon² of the third derivative, and by rounding: 1e-16 / epsilon. */
const TOLERANCE = 1e-7;
/** Elements moved of each input; a gradient wrong in one place is wrong in most. */
const MOST_MOVED = 10;

export interface GradcheckOptions {
  /** Checks the gradient of the gradient instead. */
  readonly second?: boolean;
}

/**
 * Compares the gradient of sum(weights * output 0) by every float input with central differences, in float64 on the
 * reference.
 *
 * @returns the names of the ops whose rules were asked
 */
export function gradcheck(call: OpCall, r: RandomValues, { second = false }: GradcheckOptions = {}): Set<string> {
  return withDevice('reference', () => {
    const inputs = placeInputs(call, 'reference', 'float64');
    const floats = inputs.flatMap((t, i) => (call.inputs[i]!.dtype === 'float' ? [{ t, i }] : []));
    const first = (given: Tensor[]): Tensor => call.apply(given)[0]!;
    const fn = second
      ? gradientOf(
          first,
          floats.map((f) => f.i),
          r,
        )
      : first;
    return differences(
      fn,
      call,
      inputs,
      floats.map((f) => f.i),
      r,
    );
  });
}

/**
 * The function whose value is all gradients of sum(weights * fn²) / 2, in one vector: what arrives at fn depends on the
 * inputs too, so that both arguments of a backward op are differentiated.
 */
function gradientOf(
  fn: (given: Tensor[]) => Tensor,
  by: readonly number[],
  r: RandomValues,
): (given: Tensor[]) => Tensor {
  let weights: Tensor | undefined;
  return (given) => {
    const { value, pullback } = vjp(
      (...moved) => fn(given.map((t, i) => moved[by.indexOf(i)] ?? t)),
      ...by.map((i) => given[i]!),
    );
    weights ??= placeValue(value.shape, 'float64', r.doubles(value.shape), 'reference');
    return ops.concat(pullback(ops.mul(weights, value)).map((g) => ops.reshape(g, [g.size])));
  };
}

function differences(
  fn: (given: Tensor[]) => Tensor,
  call: OpCall,
  inputs: readonly Tensor[],
  by: readonly number[],
  r: RandomValues,
): Set<string> {
  const wanted = by.map((i) => inputs[i]!);
  const { value, pullback } = vjp((...moved) => fn(inputs.map((t, i) => moved[by.indexOf(i)] ?? t)), ...wanted);
  const used = opsBehind(value);
  const weights = r.doubles(value.shape, 0.5, 1.5);
  const gradients = pullback(placeValue(value.shape, 'float64', weights, 'reference'));
  by.forEach((input, k) => {
    const { shape } = call.inputs[input]!;
    const data = Float64Array.from(call.inputs[input]!.data);
    const analytic = gradients[k]!.dataSync();
    const scale = Math.max(1, ...analytic.map(Math.abs));
    const at = (element: number, step: number): number => {
      const moved = data.slice();
      moved[element]! += step;
      const y = fn(
        inputs.map((t, i) => (i === input ? placeValue(shape, 'float64', moved, 'reference') : t)),
      ).dataSync();
      return Array.from(y).reduce((sum, v, i) => sum + v * weights[i]!, 0);
    };
    for (const element of r.permutation(data.length).slice(0, MOST_MOVED)) {
      const numeric = (at(element, EPSILON) - at(element, -EPSILON)) / (2 * EPSILON);
      if (Math.abs(numeric - analytic[element]!) <= TOLERANCE * scale) continue;
      throw new Error(
        `gradient by input ${input} at element ${element}: the rule gives ${analytic[element]}, differences ${numeric}`,
      );
    }
  });
  return used;
}
