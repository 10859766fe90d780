import { describe, expect, test } from 'vitest';
import { RESIZE_METHODS, resizeWeights, transposeSpans, type Spans } from '../../lib/ops/resize-weights.js';
import { forCases } from '../support/random-values.js';

/** The map as a matrix. */
const matrix = ({ starts, taps, weights }: Spans, size: number): number[][] =>
  starts.map((start, i) => {
    const row = new Array<number>(size).fill(0);
    for (let k = 0; k < taps; k++) row[start + k] = weights[i * taps + k]!;
    return row;
  });

const rows = (size: number, target: number, method: (typeof RESIZE_METHODS)[number], antialias = false): number[][] =>
  matrix(resizeWeights(size, target, method, antialias), size);

describe('resizeWeights', () => {
  test('bilinear: half-pixel centres, edges held', () => {
    expect(rows(2, 4, 'bilinear')).toEqual([
      [1, 0],
      [0.75, 0.25],
      [0.25, 0.75],
      [0, 1],
    ]);
    expect(rows(8, 1, 'bilinear')).toEqual([[0, 0, 0, 0.5, 0.5, 0, 0, 0]]);
    rows(4, 1, 'bilinear', true)[0]!.forEach((w, k) => expect(w).toBeCloseTo([5, 7, 7, 5][k]! / 24, 12));
  });

  test('nearest: floor((i + 0.5) * size / target)', () => {
    const places = (size: number, target: number): number[] => [
      ...resizeWeights(size, target, 'nearest', false).starts,
    ];
    expect(places(2, 4)).toEqual([0, 0, 1, 1]);
    expect(places(5, 3)).toEqual([0, 2, 4]);
    expect(places(4, 1)).toEqual([2]);
  });

  test('area: how much of each pixel lies under the result', () => {
    const thirds = rows(3, 2, 'area');
    [
      [2 / 3, 1 / 3, 0],
      [0, 1 / 3, 2 / 3],
    ].forEach((row, i) => row.forEach((w, k) => expect(thirds[i]![k]).toBeCloseTo(w, 12)));
  });

  test('bicubic is Keys’ with a = -1/2', () => {
    const middle = rows(8, 16, 'bicubic', true)[8]!;
    // 3/4 of a pixel behind pixel 3, 1/4 before pixel 4.
    [-0.0234375, 0.2265625, 0.8671875, -0.0703125].forEach((w, k) => expect(middle[2 + k]).toBeCloseTo(w, 12));
  });

  test('every row adds up to 1, the same size is the same image', async () => {
    await forCases('resize-weights', 300, (random) => {
      const [size, target] = [random.integer(1, 40), random.integer(1, 40)];
      const [method, antialias] = [random.pick(RESIZE_METHODS), random.chance(0.5)];
      const spans = resizeWeights(size, target, method, antialias);
      expect(spans.weights).toHaveLength(target * spans.taps);
      spans.starts.forEach((start) => expect(start >= 0 && start + spans.taps <= size).toBe(true));
      for (const row of matrix(spans, size)) expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 10);
    });
    for (const method of RESIZE_METHODS) {
      if (method === 'gaussian' || method === 'mitchellcubic') continue;
      rows(5, 5, method).forEach((row, i) => row.forEach((w, k) => expect(w).toBeCloseTo(i === k ? 1 : 0, 10)));
    }
  });

  test('transposeSpans is the transpose', async () => {
    await forCases('transpose-spans', 200, (random) => {
      const [size, target] = [random.integer(1, 12), random.integer(1, 12)];
      const spans = resizeWeights(size, target, random.pick(RESIZE_METHODS), random.chance(0.5));
      const back = matrix(transposeSpans(spans, size), target);
      expect(back).toEqual(Array.from({ length: size }, (_, k) => matrix(spans, size).map((row) => row[k]! + 0)));
    });
  });
});
