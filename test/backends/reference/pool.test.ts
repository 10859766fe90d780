import { describe, expect, test } from 'vitest';
import { forCases } from '../../support/random-values.js';
import { dot, expectClose, numericGradient } from './gradients.js';
import { f64, runFloat } from './run-kernel.js';
import type { Value } from './run-kernel.js';

const PAIRS = { poolSize: [2, 2], strides: [2, 2], padding: [0, 0, 0, 0] };

/** Gradient of the maximum, through the value of y. */
function maxGradient(attributes: typeof PAIRS, x: Value, shape: readonly number[], dy: readonly number[]): number[] {
  const y = f64(shape, runFloat('maxPool2d', attributes, [x], shape));
  return runFloat('maxPool2dBackward', attributes, [x, y, f64(shape, dy)], x.shape);
}

describe('maxPool2d', () => {
  test('takes the largest of each window', () => {
    const x = f64([1, 2, 4, 1], [1, 5, -1, -2, 3, 2, -3, -4]);
    expect(runFloat('maxPool2d', PAIRS, [x], [1, 1, 2, 1])).toEqual([5, -1]);
  });

  test('keeps channels apart', () => {
    const x = f64([1, 2, 2, 2], [1, 8, 2, 7, 3, 6, 4, 5]);
    expect(runFloat('maxPool2d', PAIRS, [x], [1, 1, 1, 2])).toEqual([4, 8]);
  });

  test('padding never wins, not even against negative numbers', () => {
    const attributes = { poolSize: [2, 2], strides: [1, 1], padding: [1, 0, 1, 0] };
    const x = f64([1, 2, 2, 1], [-1, -2, -3, -4]);
    expect(runFloat('maxPool2d', attributes, [x], [1, 2, 2, 1])).toEqual([-1, -1, -1, -1]);
  });

  test('NaN propagates, from any place of the window', () => {
    const x = f64([1, 2, 4, 1], [1, NaN, 9, 2, 3, 4, 3, NaN]);
    expect(runFloat('maxPool2d', PAIRS, [x], [1, 1, 2, 1])).toEqual([NaN, NaN]);
    expect(maxGradient(PAIRS, x, [1, 1, 2, 1], [1, 2])).toEqual([0, 1, 0, 0, 0, 0, 0, 2]);
  });

  test('a window of -Infinity is -Infinity', () => {
    expect(
      runFloat('maxPool2d', PAIRS, [f64([1, 2, 2, 1], new Array<number>(4).fill(-Infinity))], [1, 1, 1, 1]),
    ).toEqual([-Infinity]);
  });

  test('of equal maxima the first in row-major order gets the gradient', () => {
    const x = f64([1, 2, 4, 1], [1, 7, 0, 0, 7, 7, 0, 0]);
    expect(maxGradient(PAIRS, x, [1, 1, 2, 1], [10, 20])).toEqual([0, 10, 20, 0, 0, 0, 0, 0]);
  });

  test('a pixel that wins several windows gets the sum', () => {
    const attributes = { poolSize: [1, 2], strides: [1, 1], padding: [0, 0, 0, 0] };
    expect(maxGradient(attributes, f64([1, 1, 3, 1], [1, 5, 2]), [1, 1, 2, 1], [3, 4])).toEqual([0, 7, 0]);
  });

  test('gradients agree with differences where nothing ties', async () => {
    await forCases('maxPool2d', 60, (random) => {
      const poolSize = random.integers(2, 1, 3);
      const strides = random.integers(2, 1, 3);
      const padding = [0, 0, 1, 1].map((axis) => random.integer(0, poolSize[axis]! - 1));
      const [n, h, w, c] = [random.integer(1, 2), random.integer(3, 6), random.integer(3, 6), random.integer(1, 3)];
      const attributes = { poolSize, strides, padding };
      const shape = [
        n,
        Math.floor((h + padding[0]! + padding[1]! - poolSize[0]!) / strides[0]!) + 1,
        Math.floor((w + padding[2]! + padding[3]! - poolSize[1]!) / strides[1]!) + 1,
        c,
      ];
      const x = f64([n, h, w, c], random.distinct([n, h, w, c]));
      const dy = [...random.doubles(shape)];
      const loss = (v: Float64Array): number => dot(dy, runFloat('maxPool2d', attributes, [f64(x.shape, v)], shape));
      expectClose(maxGradient(attributes, x, shape, dy), numericGradient(loss, x.data), 1e-8);
      const mean = (v: Float64Array): number => dot(dy, runFloat('avgPool2d', attributes, [f64(x.shape, v)], shape));
      const dx = runFloat('avgPool2dBackward', attributes, [f64(shape, dy)], x.shape);
      expectClose(dx, numericGradient(mean, x.data), 1e-8);
    });
  });
});

describe('avgPool2d', () => {
  test('leaves padding out of the count', () => {
    const attributes = { poolSize: [2, 2], strides: [1, 1], padding: [1, 0, 1, 0] };
    const x = f64([1, 2, 2, 1], [1, 2, 3, 4]);
    expect(runFloat('avgPool2d', attributes, [x], [1, 2, 2, 1])).toEqual([1, 1.5, 2, 2.5]);
    expect(runFloat('avgPool2dBackward', attributes, [f64([1, 2, 2, 1], [8, 8, 8, 8])], [1, 2, 2, 1])).toEqual([
      8 + 4 + 4 + 2,
      4 + 2,
      4 + 2,
      2,
    ]);
  });

  test('over the whole image it is the mean of each channel', () => {
    const attributes = { poolSize: [2, 3], strides: [1, 1], padding: [0, 0, 0, 0] };
    const x = f64([1, 2, 3, 2], [1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60]);
    expect(runFloat('avgPool2d', attributes, [x], [1, 1, 1, 2])).toEqual([3.5, 35]);
  });
});

describe('pooling refuses', () => {
  test.each(['maxPool2d', 'avgPool2d'])('a window of nothing but padding (%s)', (kernel) => {
    const attributes = { poolSize: [2, 2], strides: [2, 2], padding: [2, 0, 0, 0] };
    expect(() => runFloat(kernel, attributes, [f64([1, 2, 2, 1], [1, 2, 3, 4])], [1, 2, 1, 1])).toThrow(/padding/);
  });

  test('results of the wrong size or channels', () => {
    const x = f64([1, 2, 2, 1], [1, 2, 3, 4]);
    expect(() => runFloat('maxPool2d', PAIRS, [x], [1, 2, 1, 1])).toThrow(/\[1,1,1/);
    expect(() => runFloat('maxPool2d', PAIRS, [x], [1, 1, 1, 2])).toThrow(/1 channels/);
    expect(() => runFloat('maxPool2d', { ...PAIRS, poolSize: [0, 2] }, [x], [1, 1, 1, 1])).toThrow(/poolSize/);
  });

  test('a dy that does not look like y', () => {
    const [x, y] = [f64([1, 2, 2, 1], [1, 2, 3, 4]), f64([1, 1, 1, 1], [4])];
    expect(() => runFloat('maxPool2dBackward', PAIRS, [x, y, f64([1], [1])], [1, 2, 2, 1])).toThrow(/dy/);
  });
});
