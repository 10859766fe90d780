import { describe, expect, test } from 'vitest';
import { forCases } from '../../support/random-values.js';
import { dot, expectClose } from './gradients.js';
import { f64, runFloat } from './run-kernel.js';

/** A row of pixels resized to another width. */
function resizeRow(method: string, row: readonly number[], width: number): number[] {
  return runFloat('resize', { method }, [f64([1, 1, row.length, 1], row)], [1, 1, width, 1]);
}

describe('resize', () => {
  test('bilinear: half-pixel centres, edges held', () => {
    expect(resizeRow('bilinear', [0, 4], 4)).toEqual([0, 1, 3, 4]);
    expect(resizeRow('bilinear', [0, 1, 2, 3], 2)).toEqual([0.5, 2.5]);
    expect(resizeRow('bilinear', [0, 3, 6], 2)).toEqual([0.75, 5.25]);
    expect(resizeRow('bilinear', [7], 3)).toEqual([7, 7, 7]);
  });

  test('bilinear without antialias: far down it looks at two pixels only', () => {
    expect(resizeRow('bilinear', [0, 0, 0, 8, 2, 0, 0, 0], 1)).toEqual([5]);
  });

  test('nearest: floor((i + 0.5) * h / oh)', () => {
    expect(resizeRow('nearest', [10, 20], 4)).toEqual([10, 10, 20, 20]);
    expect(resizeRow('nearest', [10, 20, 30], 2)).toEqual([10, 30]);
    expect(resizeRow('nearest', [10, 20, 30, 40, 50], 3)).toEqual([10, 30, 50]);
    expect(resizeRow('nearest', [10, 20, 30, 40], 1)).toEqual([30]);
  });

  test('rows and columns at once', () => {
    const x = f64([1, 2, 2, 1], [0, 4, 8, 12]);
    expect(runFloat('resize', { method: 'bilinear' }, [x], [1, 4, 4, 1])).toEqual([
      0, 1, 3, 4, 2, 3, 5, 6, 6, 7, 9, 10, 8, 9, 11, 12,
    ]);
  });

  test('the same size is the same image', () => {
    const x = f64(
      [1, 3, 2, 2],
      Array.from({ length: 12 }, (_, i) => i),
    );
    for (const method of ['bilinear', 'nearest'])
      expect(runFloat('resize', { method }, [x], x.shape)).toEqual([...x.data]);
  });

  test('weights add up to one, and the backward kernel is the transpose', async () => {
    await forCases('resize', 100, (random) => {
      const [n, h, w, c, oh, ow] = random.shape(6, 1, 7) as [number, number, number, number, number, number];
      const method = random.pick(['bilinear', 'nearest']);
      const [from, to] = [
        [n, h, w, c],
        [n, oh, ow, c],
      ];
      const ones = f64(from, new Float64Array(n * h * w * c).fill(1));
      expectClose(runFloat('resize', { method }, [ones], to), new Float64Array(n * oh * ow * c).fill(1));
      const [x, dy] = [f64(from, random.doubles(from)), f64(to, random.doubles(to))];
      const y = runFloat('resize', { method }, [x], to);
      const dx = runFloat('resizeBackward', { method }, [dy], from);
      expectClose([dot(dx, x.data)], [dot(dy.data, y)]);
    });
  });

  test('refuses other batches, channels and methods', () => {
    const x = f64([1, 2, 2, 1], [1, 2, 3, 4]);
    expect(() => runFloat('resize', { method: 'nearest' }, [x], [2, 2, 2, 1])).toThrow(/result of shape/);
    expect(() => runFloat('resize', { method: 'bicubic' }, [x], [1, 4, 4, 1])).toThrow(/bicubic/);
    expect(() => runFloat('resize', { method: 'nearest' }, [f64([1, 0, 2, 1], [])], [1, 2, 2, 1])).toThrow(/pixels/);
  });
});
