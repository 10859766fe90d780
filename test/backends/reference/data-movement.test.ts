import { describe, expect, test } from 'vitest';
import type { DType } from '../../../lib/tensor/dtype.js';
import { dot } from './gradients.js';
import { f64, i32, runFloat, runKernel, valueOf } from './run-kernel.js';

const x = f64([2, 3], [1, 2, 3, 4, 5, 6]);
const DTYPES: readonly DType[] = ['float32', 'float64', 'int32', 'uint8', 'bool'];

describe('concat', () => {
  test('along each axis', () => {
    expect(runFloat('concat', { axis: 0 }, [x, f64([1, 3], [7, 8, 9])], [3, 3])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(runFloat('concat', { axis: 1 }, [x, f64([2, 1], [7, 8]), f64([2, 0], [])], [2, 4])).toEqual([
      1, 2, 3, 7, 4, 5, 6, 8,
    ]);
  });

  test('refuses sizes and dtypes that do not fit', () => {
    expect(() => runFloat('concat', { axis: 1 }, [x, x], [2, 5])).toThrow(/5 in all/);
    expect(() => runFloat('concat', { axis: 1 }, [x, f64([3, 2], [1, 2, 3, 4, 5, 6])], [2, 5])).toThrow(/every input/);
    expect(() => runFloat('concat', { axis: 0 }, [i32([1], [1])], [1])).toThrow(/float64/);
    expect(() => runFloat('concat', { axis: 0 }, [], [0])).toThrow(/inputs/);
  });
});

describe('slice and pad', () => {
  test('take a block, and put it back among zeros', () => {
    const middle = runFloat('slice', { begin: [0, 1] }, [x], [2, 2]);
    expect(middle).toEqual([2, 3, 5, 6]);
    expect(runFloat('pad', { before: [0, 1], value: 0 }, [f64([2, 2], middle)], [2, 3])).toEqual([0, 2, 3, 0, 5, 6]);
  });

  test('pad with a value, before and after', () => {
    const expected = [9, 9, 9, 9, 9, 9, 1, 2, 3, 9, 9, 4, 5, 6, 9];
    expect(runFloat('pad', { before: [1, 1], value: 9 }, [x], [3, 5])).toEqual(expected);
    const bytes = runKernel(
      'pad',
      { before: [1], value: 7.9 },
      [valueOf('uint8', [1], [5])],
      [{ dtype: 'uint8', shape: [3] }],
    );
    expect([...bytes[0]!]).toEqual([7, 5, 7]);
  });

  test('scalars and empty slices', () => {
    expect(runFloat('slice', { begin: [] }, [f64([], [4])], [])).toEqual([4]);
    expect(runFloat('slice', { begin: [2, 0] }, [x], [0, 3])).toEqual([]);
    expect(runFloat('pad', { before: [0], value: 3 }, [f64([0], [])], [2])).toEqual([3, 3]);
  });

  test('refuse what reaches outside', () => {
    expect(() => runFloat('slice', { begin: [1, 0] }, [x], [2, 3])).toThrow(/slice of \[2,3\]/);
    expect(() => runFloat('slice', { begin: [0] }, [x], [2, 3])).toThrow(/begin/);
    expect(() => runFloat('pad', { before: [1, 0], value: 0 }, [x], [2, 3])).toThrow(/holds/);
  });
});

describe('transpose', () => {
  test('axis i of y is axis perm[i] of x', () => {
    expect(runFloat('transpose', { perm: [1, 0] }, [x], [3, 2])).toEqual([1, 4, 2, 5, 3, 6]);
    const cube = f64(
      [2, 3, 4],
      Array.from({ length: 24 }, (_, i) => i),
    );
    const y = runFloat('transpose', { perm: [2, 0, 1] }, [cube], [4, 2, 3]);
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 3; j++)
        for (let k = 0; k < 4; k++) expect(y[(k * 2 + i) * 3 + j]).toBe(cube.data[(i * 3 + j) * 4 + k]);
  });

  test('refuses what is not a permutation', () => {
    expect(() => runFloat('transpose', { perm: [0, 0] }, [x], [2, 2])).toThrow(/permutation/);
    expect(() => runFloat('transpose', { perm: [0, 2] }, [x], [2, 3])).toThrow(/permutation/);
    expect(() => runFloat('transpose', { perm: [1, 0] }, [x], [2, 3])).toThrow(/y of shape \[3,2\]/);
  });
});

describe('every dtype moves', () => {
  test.each(DTYPES)('%s', (dtype) => {
    const value = valueOf(dtype, [2, 2], [1, 0, 1, 1]);
    const run = (kernel: string, attributes: Record<string, number | number[]>, shape: number[]): number[] => [
      ...runKernel(kernel, attributes, kernel === 'gather' ? [value, i32([1], [1])] : [value], [{ dtype, shape }])[0]!,
    ];
    expect(run('copy', {}, [4])).toEqual([1, 0, 1, 1]);
    expect(run('transpose', { perm: [1, 0] }, [2, 2])).toEqual([1, 1, 0, 1]);
    expect(run('slice', { begin: [0, 1] }, [2, 1])).toEqual([0, 1]);
    expect(run('pad', { before: [0, 1], value: 1 }, [2, 3])).toEqual([1, 1, 0, 1, 1, 1]);
    expect(run('concat', { axis: 0 }, [2, 2])).toEqual([1, 0, 1, 1]);
    expect(run('gather', { axis: 0 }, [1, 2])).toEqual([1, 1]);
  });

  test('copy refuses another size or dtype', () => {
    expect(() => runFloat('copy', {}, [x], [5])).toThrow(/elements of \[2,3\]/);
    expect(() => runFloat('copy', {}, [i32([1], [1])], [1])).toThrow(/int32/);
  });
});

describe('oneHot', () => {
  test('outside the depth there are zeros', () => {
    const indices = i32([2, 2], [0, 2, -1, 3]);
    const expected = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    expect(runFloat('oneHot', {}, [indices], [2, 2, 3])).toEqual(expected);
    expect([...runKernel('oneHot', {}, [indices], [{ dtype: 'bool', shape: [2, 2, 3] }])[0]!]).toEqual(expected);
  });

  test('refuses other shapes and dtypes', () => {
    expect(() => runFloat('oneHot', {}, [i32([2], [0, 1])], [3, 2])).toThrow(/shape/);
    expect(() => runFloat('oneHot', {}, [f64([2], [0, 1])], [2, 2])).toThrow(/int32/);
  });
});

describe('gather and scatterAdd', () => {
  test('gather picks along an axis, in a shape of the indices', () => {
    expect(runFloat('gather', { axis: 0 }, [x, i32([3], [1, 0, 1])], [3, 3])).toEqual([4, 5, 6, 1, 2, 3, 4, 5, 6]);
    expect(runFloat('gather', { axis: 1 }, [x, i32([2, 2], [2, 0, 1, 1])], [2, 2, 2])).toEqual([
      3, 1, 2, 2, 6, 4, 5, 5,
    ]);
    expect(runFloat('gather', { axis: 1 }, [x, i32([], [2])], [2])).toEqual([3, 6]);
  });

  test('scatterAdd adds where indices repeat', () => {
    const dy = f64([3, 2], [1, 2, 10, 20, 100, 200]);
    expect(runFloat('scatterAdd', { axis: 0 }, [i32([3], [2, 0, 2]), dy], [3, 2])).toEqual([10, 20, 0, 0, 101, 202]);
  });

  test.each([0, 1, 2])('scatterAdd is the transpose of gather (axis %i)', (axis) => {
    const cube = f64(
      [2, 3, 2],
      Array.from({ length: 12 }, (_, i) => Math.sin(i)),
    );
    const indices = i32([2, 2], [1, 0, 1, 1]);
    const shape = [...cube.shape.slice(0, axis), 2, 2, ...cube.shape.slice(axis + 1)];
    const y = runFloat('gather', { axis }, [cube, indices], shape);
    const dy = f64(
      shape,
      y.map((_, i) => Math.cos(i)),
    );
    const dx = runFloat('scatterAdd', { axis }, [indices, dy], cube.shape);
    expect(dot(dx, cube.data)).toBeCloseTo(dot(dy.data, y), 12);
  });

  test('an index out of range is an execution error that names it', () => {
    expect(() => runFloat('gather', { axis: 0 }, [x, i32([2], [0, 2])], [2, 3])).toThrow(/index 2 at position 1/);
    expect(() => runFloat('gather', { axis: 0 }, [x, i32([1], [-1])], [1, 3])).toThrow(
      expect.objectContaining({ code: 'ERR_EXECUTION' }),
    );
    const dy = f64([1, 3], [1, 2, 3]);
    expect(() => runFloat('scatterAdd', { axis: 0 }, [i32([1], [5]), dy], [2, 3])).toThrow(/index 5 at position 0/);
  });
});
