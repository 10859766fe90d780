import { expect } from 'vitest';

/** The sum of products of two tensors. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The gradient of `loss` at `x` by central differences. */
export function numericGradient(loss: (x: Float64Array) => number, x: ArrayLike<number>, step = 1e-5): number[] {
  const at = Float64Array.from(x);
  return Array.from(at, (value, i) => {
    at[i] = value + step;
    const above = loss(at);
    at[i] = value - step;
    const below = loss(at);
    at[i] = value;
    return (above - below) / (2 * step);
  });
}

/** Expects numbers to agree within `tolerance`, as a part of the largest of them or absolutely. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-12): void {
  expect(actual.length).toBe(expected.length);
  const allowed = tolerance * Math.max(1, ...Array.from(expected, Math.abs).filter(Number.isFinite));
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (Object.is(a, e) || Math.abs(a - e) <= allowed) continue;
    expect.fail(`element ${i}: expected ${e}, received ${a} (allowed ${allowed})`);
  }
}
