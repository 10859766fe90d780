import { add, mul, sub } from '../ops/binary.js';
import { square } from '../ops/unary.js';
import type { Tensor } from '../tensor/tensor.js';

/** m + (x - m) * (1 - beta): the exponential moving average as Keras writes it. */
export function movingAverage(m: Tensor, x: Tensor, beta: number): Tensor {
  return add(m, mul(sub(x, m), 1 - beta));
}

/** Moving averages of a gradient and of its square. */
export function moments(m: Tensor, v: Tensor, g: Tensor, beta1: number, beta2: number): { m: Tensor; v: Tensor } {
  return { m: movingAverage(m, g, beta1), v: movingAverage(v, square(g), beta2) };
}

/** Limits of a decay rate of moments. */
export const BETA = { min: 0, below: 1 } as const;
