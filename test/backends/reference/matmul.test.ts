import { describe, expect, test } from 'vitest';
import { forCases } from '../../support/random-values.js';
import { expectClose } from './gradients.js';
import { f64, runFloat } from './run-kernel.js';
import type { Value } from './run-kernel.js';

const PLAIN = { transposeA: false, transposeB: false, activation: 'linear' };

/** The matrix stored the other way round, by its elements. */
function transposed({ shape, data }: Value): Value {
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  const elements = Array.from(data, (_, e) => {
    const within = e % (rows * columns);
    return data[e - within + (within % rows) * columns + Math.floor(within / rows)]!;
  });
  return f64([...shape.slice(0, -2), columns, rows], elements);
}

describe('matmul', () => {
  const [a, b] = [f64([2, 3], [1, 2, 3, 4, 5, 6]), f64([3, 2], [7, 8, 9, 10, 11, 12])];

  test('multiplies', () => {
    expect(runFloat('matmul', PLAIN, [a, b], [2, 2])).toEqual([58, 64, 139, 154]);
  });

  test('adds a bias to each row, then relu', () => {
    const bias = f64([2], [-60, 1]);
    expect(runFloat('matmul', PLAIN, [a, b, bias], [2, 2])).toEqual([-2, 65, 79, 155]);
    expect(runFloat('matmul', { ...PLAIN, activation: 'relu' }, [a, b, bias], [2, 2])).toEqual([0, 65, 79, 155]);
  });

  test('transposed operands give the same product', async () => {
    await forCases('matmul', 100, (random) => {
      const leading = random.shape(random.integer(0, 2), 1, 3);
      const [m, k, n] = random.shape(3, 1, 6) as [number, number, number];
      const p = f64([...leading, m, k], random.doubles([...leading, m, k]));
      const q = f64([...leading, k, n], random.doubles([...leading, k, n]));
      const shape = [...leading, m, n];
      const expected: number[] = [];
      for (let s = 0; s < p.data.length / (m * k); s++)
        for (let i = 0; i < m; i++)
          for (let j = 0; j < n; j++) {
            const terms = Array.from(
              { length: k },
              (_, l) => p.data[(s * m + i) * k + l]! * q.data[(s * k + l) * n + j]!,
            );
            expected.push(terms.reduce((sum, term) => sum + term, 0));
          }
      for (const transposeA of [false, true])
        for (const transposeB of [false, true]) {
          const operands = [transposeA ? transposed(p) : p, transposeB ? transposed(q) : q];
          expectClose(runFloat('matmul', { ...PLAIN, transposeA, transposeB }, operands, shape), expected);
        }
    });
  });

  test('a sum of nothing is zero, and the bias is still added', () => {
    const [empty, other] = [f64([2, 0], []), f64([0, 2], [])];
    expect(runFloat('matmul', PLAIN, [empty, other], [2, 2])).toEqual([0, 0, 0, 0]);
    expect(runFloat('matmul', PLAIN, [empty, other, f64([2], [1, 2])], [2, 2])).toEqual([1, 2, 1, 2]);
  });

  test('no columns, no rows', () => {
    expect(runFloat('matmul', PLAIN, [a, f64([3, 0], [])], [2, 0])).toEqual([]);
    expect(runFloat('matmul', PLAIN, [a, f64([3, 0], []), f64([0], [])], [2, 0])).toEqual([]);
  });

  test.each([
    ['inner sizes that differ', [2, 3], [2, 2], [2, 2], /b of shape \[3,2\]/],
    ['leading sizes that differ', [2, 2, 3], [1, 3, 2], [2, 2, 2], /b of shape \[2,3,2\]/],
    ['a matrix against a batch', [2, 2, 3], [3, 2], [2, 2, 2], /rank 3/],
    ['a vector', [3], [3, 2], [2], /rank 2 or more/],
    ['another result', [2, 3], [3, 2], [2, 3], /y of shape \[2,2\]/],
  ])('refuses %s', (_, aShape, bShape, yShape, message) => {
    const zeros = (shape: readonly number[]): Value => f64(shape, new Float64Array(shape.reduce((p, d) => p * d, 1)));
    expect(() => runFloat('matmul', PLAIN, [zeros(aShape), zeros(bShape)], yShape)).toThrow(message);
  });
});
