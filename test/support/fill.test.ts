import { describe, expect, test } from 'vitest';
import { fillSpec, hash, label, unit } from './fill.js';

// The tables of test/golden/README.md.
describe('the fill formula', () => {
  test.each([
    [0, 0, 0],
    [0, 1, 1753845952],
    [1, 0, 33350994],
    [7, 0, 2440275426],
    [7, 1, 2932275085],
    [7, 2, 621123178],
    [1010006, 12345, 2992683141],
    [2020123, 102760447, 1387712733],
  ])('hash of seed %i, element %i', (seed, i, expected) => {
    expect(hash(seed, i)).toBe(expected);
  });

  test.each([
    [0, 0, 0],
    [0, 1, 0.40834908187389374],
    [1, 0, 0.007765133399516344],
    [7, 0, 0.5681708981283009],
    [7, 1, 0.6827234954107553],
    [1010006, 12345, 0.6967883419711143],
    [2020123, 102760447, 0.32310204883106053],
  ])('u of seed %i, element %i', (seed, i, expected) => {
    expect(unit(seed, i)).toBe(expected);
  });

  test('values', () => {
    expect([...fillSpec({ shape: [8], seed: 1, lo: -1, hi: 1 })]).toEqual([
      -0.9844697117805481, 0.24463918805122375, -0.9404507875442505, -0.8785539865493774, -0.1641293615102768,
      0.30534952878952026, 0.7326291799545288, -0.5011696815490723,
    ]);
  });

  test('labels', () => {
    const labels = Array.from({ length: 10 }, (_, i) => label(5, i, 10));
    expect(labels).toEqual([0, 9, 6, 1, 4, 4, 2, 2, 2, 8]);
  });

  test('rounding and listed values', () => {
    const spec = { shape: [2, 2], seed: 1, lo: -3, hi: 3 };
    const plain = fillSpec(spec);
    expect(fillSpec({ ...spec, round: 'floor' })).toEqual(plain.map(Math.floor));
    expect(fillSpec({ shape: [2], values: [1, 2], dtype: 'int32' })).toEqual(Int32Array.of(1, 2));
    expect(fillSpec({ shape: [], values: [0.1] })).toEqual(Float32Array.of(0.1));
    expect(() => fillSpec({ shape: [3], values: [1] })).toThrow(/1 values/);
  });
});
