import type { Tensor } from './tensor.js';

type Cast = (value: Tensor) => Tensor;

const state = { cast: undefined as Cast | undefined };

/**
 * Runs `fn` with the values of float32 variables read through `cast`: a layer of mixed precision computes with narrow
 * copies of weights that stay float32. Gradients go back through the cast.
 *
 * @param cast - undefined reads variables as they are
 */
export function withAutocast<T>(cast: Cast | undefined, fn: () => T): T {
  const before = state.cast;
  state.cast = cast;
  try {
    return fn();
  } finally {
    state.cast = before;
  }
}

/** The value as the code that is running reads it. */
export function autocast(value: Tensor): Tensor {
  return state.cast ? state.cast(value) : value;
}
