import { describe, expect, test } from 'vitest';
import { RESIZE_METHODS, resizeWeights, spanAttributes, transposeSpans } from '../../../lib/ops/resize-weights.js';
import { forCases } from '../../support/random-values.js';
import { dot, expectClose } from './gradients.js';
import { f64, runFloat } from './run-kernel.js';

const still = { starts: [0], taps: 1, weights: [1] };

describe('resize', () => {
  test('a result is the weighted sum of the sources from its start on', () => {
    const columns = { starts: [1, 0], taps: 3, weights: [1, 10, 100, 2, 0, -1] };
    const x = f64([1, 1, 4, 1], [1, 2, 3, 4]);
    expect(runFloat('resize', spanAttributes(still, columns), [x], [1, 1, 2, 1])).toEqual([432, -1]);
    const y = f64([1, 4, 1, 1], [1, 2, 3, 4]);
    expect(runFloat('resize', spanAttributes(columns, still), [y], [1, 2, 1, 1])).toEqual([432, -1]);
  });

  test('rows and columns at once, channels and images apart', () => {
    const half = { starts: [0], taps: 2, weights: [0.5, 0.5] };
    const x = f64([2, 2, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17]);
    expect(runFloat('resize', spanAttributes(half, half), [x], [2, 1, 1, 2])).toEqual([3, 4, 13, 14]);
  });

  test('what has no weight takes no part, be it NaN', () => {
    const columns = { starts: [0, 1], taps: 2, weights: [1, 0, 0, 1] };
    const x = f64([1, 1, 3, 1], [5, NaN, Infinity]);
    expect(runFloat('resize', spanAttributes(still, columns), [x], [1, 1, 2, 1])).toEqual([5, Infinity]);
  });

  test('the transposed weights are the transposed map, for every method', async () => {
    await forCases('resize', 150, (random) => {
      const [n, h, w, c, oh, ow] = random.shape(6, 1, 7) as [number, number, number, number, number, number];
      const [method, antialias] = [random.pick(RESIZE_METHODS), random.chance(0.5)];
      const rows = resizeWeights(h, oh, method, antialias);
      const columns = resizeWeights(w, ow, method, antialias);
      const [from, to] = [
        [n, h, w, c],
        [n, oh, ow, c],
      ];
      const [x, dy] = [f64(from, random.doubles(from)), f64(to, random.doubles(to))];
      const y = runFloat('resize', spanAttributes(rows, columns), [x], to);
      const back = spanAttributes(transposeSpans(rows, h), transposeSpans(columns, w));
      const dx = runFloat('resize', back, [dy], from);
      expectClose([dot(dx, x.data)], [dot(dy.data, y)]);
    });
  });

  test('refuses other batches and channels, and weights that do not fit', () => {
    const x = f64([1, 2, 2, 1], [1, 2, 3, 4]);
    const two = { starts: [0, 1], taps: 1, weights: [1, 1] };
    const run = (columns: typeof two, to: number[]) => runFloat('resize', spanAttributes(two, columns), [x], to);
    expect(() => run(two, [2, 2, 2, 1])).toThrow(/result of shape/);
    expect(() => run(two, [1, 2, 3, 1])).toThrow(/columnStarts/);
    expect(() => run({ ...two, starts: [0, 2] }, [1, 2, 2, 1])).toThrow(/columnStarts within the 2 pixels/);
    expect(() => run({ ...two, starts: [0, -1] }, [1, 2, 2, 1])).toThrow(/columnStarts/);
    expect(() => run({ ...two, weights: [1, 1, 1] }, [1, 2, 2, 1])).toThrow(/columnWeights/);
    expect(() => run({ ...two, weights: [] }, [1, 2, 2, 1])).toThrow(/columnWeights/);
  });
});
