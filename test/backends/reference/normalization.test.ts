import { describe, expect, test } from 'vitest';
import { RandomValues } from '../../support/random-values.js';
import { dot, expectClose, numericGradient } from './gradients.js';
import { f64, runFloat, runKernel } from './run-kernel.js';
import type { Value } from './run-kernel.js';

const EPSILON = 1e-3;

function batchNorm(x: Value, gamma: Value, beta: Value, activation = 'linear'): Float64Array[] {
  return runKernel(
    'batchNorm',
    { epsilon: EPSILON, activation },
    [x, gamma, beta],
    [x, gamma, gamma],
  ) as Float64Array[];
}

describe('batchNorm', () => {
  test('normalises each channel by its own mean and biased variance', () => {
    const x = f64([4, 2], [1, 10, 3, 10, 5, 30, 7, 30]);
    const [y, mean, variance] = batchNorm(x, f64([2], [1, 2]), f64([2], [0, 1]));
    expect([...mean!]).toEqual([4, 20]);
    expect([...variance!]).toEqual([5, 100]);
    const [a, b] = [Math.sqrt(5 + EPSILON), Math.sqrt(100 + EPSILON)];
    expectClose(y!, [-3 / a, 1 - 20 / b, -1 / a, 1 - 20 / b, 1 / a, 1 + 20 / b, 3 / a, 1 + 20 / b]);
  });

  test('keeps its accuracy far from zero', () => {
    const offset = 1e6;
    const [near] = batchNorm(f64([4, 1], [-0.3, 0.1, 0.5, 0.7]), f64([1], [1]), f64([1], [0]));
    const [far] = batchNorm(
      f64(
        [4, 1],
        [-0.3, 0.1, 0.5, 0.7].map((v) => v + offset),
      ),
      f64([1], [1]),
      f64([1], [0]),
    );
    expectClose(far!, near!, 1e-8);
  });

  test('relu comes last', () => {
    const x = f64([3, 1], [-1, 0, 1]);
    const [y] = batchNorm(x, f64([1], [1]), f64([1], [0]), 'relu');
    expect(y![0]).toBe(0);
    expect(y![2]).toBeCloseTo(1 / Math.sqrt(2 / 3 + EPSILON), 12);
  });

  test.each([false, true])('gradients agree with differences (relu: %s)', (relu) => {
    const random = new RandomValues(7);
    const shape = [2, 3, 2, 3];
    const x = f64(shape, random.doubles(shape, -1, 2));
    const [gamma, beta] = [f64([3], random.doubles([3], 0.5, 1.5)), f64([3], random.doubles([3]))];
    const dy = f64(shape, random.doubles(shape));
    const activation = relu ? 'relu' : 'linear';
    const [y, mean, variance] = batchNorm(x, gamma, beta, activation);
    const [means, variances] = [f64([3], mean!), f64([3], variance!)];
    const inputs = [x, gamma, means, variances, dy, ...(relu ? [f64(shape, y!)] : [])];
    const [dx, dgamma, dbeta] = runKernel('batchNormBackward', { epsilon: EPSILON }, inputs, [x, gamma, beta]);
    const loss = (a: Value, g: Value, b: Value): number => dot(dy.data, batchNorm(a, g, b, activation)[0]!);
    expectClose(
      dx!,
      numericGradient((v) => loss(f64(shape, v), gamma, beta), x.data),
      1e-7,
    );
    expectClose(
      dgamma!,
      numericGradient((v) => loss(x, f64([3], v), beta), gamma.data),
      1e-7,
    );
    expectClose(
      dbeta!,
      numericGradient((v) => loss(x, gamma, f64([3], v)), beta.data),
      1e-7,
    );
  });

  test('refuses parameters that are not one a channel, and a negative epsilon', () => {
    const [x, one, two] = [f64([2, 2], [1, 2, 3, 4]), f64([1], [1]), f64([2], [1, 1])];
    expect(() => batchNorm(x, one, one)).toThrow(/gamma of shape \[2\]/);
    expect(() => runKernel('batchNorm', { epsilon: -1, activation: 'linear' }, [x, two, two], [x, two, two])).toThrow(
      /epsilon/,
    );
  });
});

describe('lrn', () => {
  const ATTRIBUTES = { depthRadius: 1, bias: 2, alpha: 0.5, beta: 0.75 };

  test('sums squares over neighbouring channels; alpha is not divided by the window', () => {
    const x = f64([1, 1, 1, 4], [1, 2, 3, 4]);
    const scales = [2 + 0.5 * (1 + 4), 2 + 0.5 * (1 + 4 + 9), 2 + 0.5 * (4 + 9 + 16), 2 + 0.5 * (9 + 16)];
    const expected = scales.map((scale, i) => (i + 1) / scale ** 0.75);
    expectClose(runFloat('lrn', ATTRIBUTES, [x], x.shape), expected);
  });

  test('pixels do not mix', () => {
    const x = f64([2, 2], [1, 2, 30, 40]);
    const wide = { ...ATTRIBUTES, depthRadius: 5 };
    const [a, b] = [2 + 0.5 * 5, 2 + 0.5 * 2500];
    expectClose(runFloat('lrn', wide, [x], x.shape), [1 / a ** 0.75, 2 / a ** 0.75, 30 / b ** 0.75, 40 / b ** 0.75]);
  });

  test.each([0, 1, 2, 7])('the gradient agrees with differences (radius %i)', (depthRadius) => {
    const random = new RandomValues(depthRadius);
    const shape = [2, 2, 5];
    const x = f64(shape, random.doubles(shape, -2, 2));
    const dy = f64(shape, random.doubles(shape));
    const attributes = { ...ATTRIBUTES, depthRadius };
    const loss = (v: Float64Array): number => dot(dy.data, runFloat('lrn', attributes, [f64(shape, v)], shape));
    const dx = runFloat('lrnBackward', attributes, [x, dy], shape);
    expectClose(dx, numericGradient(loss, x.data), 1e-8);
  });

  test('refuses a radius that is not a whole number', () => {
    const x = f64([1], [1]);
    expect(() => runFloat('lrn', { ...ATTRIBUTES, depthRadius: 1.5 }, [x], [1])).toThrow(/depthRadius/);
    expect(() => runFloat('lrn', { ...ATTRIBUTES, beta: NaN }, [x], [1])).toThrow(/beta/);
  });
});
