import { describe, expect, test } from 'vitest';
import { f64, i32, runFloat, runKernel, valueOf } from './run-kernel.js';

const x = f64([2, 3, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);

function reduceInts(mode: string, values: readonly number[]): number {
  const attributes = { mode, axes: [0] };
  return runKernel('reduce', attributes, [i32([values.length], values)], [{ dtype: 'int32', shape: [] }])[0]![0]!;
}

describe('reduce', () => {
  test.each<[string, number[], number[], number[]]>([
    ['sum', [0], [3, 2], [8, 10, 12, 14, 16, 18]],
    ['sum', [1], [2, 2], [9, 12, 27, 30]],
    ['sum', [2], [2, 3], [3, 7, 11, 15, 19, 23]],
    ['sum', [0, 2], [3], [18, 26, 34]],
    ['sum', [0, 1, 2], [], [78]],
    ['sum', [], [2, 3, 2], [...x.data]],
    ['mean', [1], [2, 2], [3, 4, 9, 10]],
    ['max', [0, 1], [2], [11, 12]],
    ['min', [1, 2], [2], [1, 7]],
    ['prod', [2], [2, 3], [2, 12, 30, 56, 90, 132]],
  ])('%s over %j', (mode, axes, shape, expected) => {
    expect(runFloat('reduce', { mode, axes }, [x], shape)).toEqual(expected);
  });

  test('reduced axes may be kept as 1', () => {
    expect(runFloat('reduce', { mode: 'sum', axes: [1] }, [x], [2, 1, 2])).toEqual([9, 12, 27, 30]);
  });

  test('max and min propagate NaN', () => {
    expect(runFloat('reduce', { mode: 'max', axes: [1] }, [f64([2, 2], [NaN, 1, 1, NaN])], [2])).toEqual([NaN, NaN]);
    expect(runFloat('reduce', { mode: 'min', axes: [1] }, [f64([2, 2], [NaN, 1, 1, NaN])], [2])).toEqual([NaN, NaN]);
  });

  test.each([
    ['sum', 0],
    ['prod', 1],
    ['max', -Infinity],
    ['min', Infinity],
    ['mean', NaN],
  ])('the %s of nothing is %d', (mode, expected) => {
    expect(runFloat('reduce', { mode, axes: [0] }, [f64([0, 2], [])], [2])).toEqual([expected, expected]);
  });

  test('int32 wraps', () => {
    expect(reduceInts('sum', [2147483647, 1, 5])).toBe(-2147483643);
    expect(reduceInts('prod', [65536, 65536, 3])).toBe(0);
    expect(reduceInts('max', [-3, -1, -2])).toBe(-1);
    expect(reduceInts('max', [])).toBe(-2147483648);
    expect(reduceInts('min', [])).toBe(2147483647);
  });

  test('refuses axes that are unsorted, repeated or not there, a mean of int32, and bytes', () => {
    for (const axes of [[1, 0], [1, 1], [3], [-1], [0.5]]) {
      expect(() => runFloat('reduce', { mode: 'sum', axes }, [x], [])).toThrow(/sorted axes/);
    }
    expect(() => reduceInts('mean', [1])).toThrow(/float/);
    const bytes = valueOf('uint8', [2], [1, 2]);
    expect(() => runKernel('reduce', { mode: 'sum', axes: [0] }, [bytes], [{ dtype: 'uint8', shape: [] }])).toThrow(
      /dtype/,
    );
    expect(() => runFloat('reduce', { mode: 'sum', axes: [0] }, [x], [2, 2])).toThrow(/y with the elements/);
  });
});

describe('argMax', () => {
  function argMax(values: readonly number[], shape: readonly number[], axis: number, out: readonly number[]): number[] {
    return [...runKernel('argMax', { axis }, [f64(shape, values)], [{ dtype: 'int32', shape: out }])[0]!];
  }

  test('along any axis', () => {
    const values = [3, 9, 2, 8, 1, 7];
    expect(argMax(values, [2, 3], 0, [3])).toEqual([1, 0, 1]);
    expect(argMax(values, [2, 3], 1, [2])).toEqual([1, 0]);
    expect(argMax([1, 5, 9, 3, 7, 2, 8, 0], [2, 2, 2], 1, [2, 2])).toEqual([1, 0, 1, 0]);
  });

  test('the first of equal maxima; a NaN before any number', () => {
    expect(argMax([2, 5, 5, 1], [4], 0, [])).toEqual([1]);
    expect(argMax([2, NaN, 9, NaN], [4], 0, [])).toEqual([1]);
    expect(argMax([-Infinity, -Infinity], [2], 0, [])).toEqual([0]);
  });

  test('int32, an empty batch, and no classes', () => {
    const [y] = runKernel('argMax', { axis: 0 }, [i32([3], [-5, -2, -9])], [{ dtype: 'int32', shape: [] }]);
    expect([...y!]).toEqual([1]);
    expect(argMax([], [0, 3], 1, [0])).toEqual([]);
    expect(() => argMax([], [2, 0], 1, [2])).toThrow(/length 0/);
    expect(() => argMax([1], [1], 1, [])).toThrow(/axis/);
  });
});
