import { describe, expect, test } from 'vitest';
import { expectTapClose, expectTensorClose, opTolerance, readGolden } from './golden.js';
import type { OpCases, SampledTensor, Tap } from './golden.js';

describe('readGolden', () => {
  test('reads JSON, plain and gzipped, once', () => {
    const ops = readGolden<OpCases>('ops.json.gz');
    expect(ops.cases).toHaveLength(135);
    expect(readGolden('ops.json.gz')).toBe(ops);
    expect(readGolden<object>('schedules.json')).toBeTypeOf('object');
    expect(() => readGolden('nothing.json')).toThrow(/nothing\.json/);
  });

  test('tolerances are those of the README', () => {
    expect(opTolerance('conv2d/k1')).toEqual({ relative: 1e-5, absolute: 1e-6 });
    expect(opTolerance('batch_norm/train_large_mean').relative).toBe(1e-4);
  });
});

describe('expectTensorClose, in full', () => {
  const expected = { shape: [2, 2], values: [1, -100, 0, 5] };

  test('takes what is near, by the largest magnitude', () => {
    expectTensorClose([1, -100, 0.0009, 5], [2, 2], expected);
    expectTensorClose([NaN, Infinity], [2], { shape: [2], values: [NaN, Infinity] });
  });

  test.each([
    ['a value that is off', [1, -100, 0.002, 5], [2, 2], /t: 1 of 4.*at 2: expected 0, received 0.002/],
    ['NaN', [1, NaN, 0, 5], [2, 2], /at 1/],
    ['another shape', [1, -100, 0, 5], [4], /t: shape/],
    ['too few values', [1, -100, 0], [2, 2], /t: elements/],
  ])('refuses %s', (_, actual, shape, message) => {
    expect(() => expectTensorClose(actual, shape, expected, { label: 't' })).toThrow(message);
  });

  test('small tensors have the absolute tolerance', () => {
    expectTensorClose([5e-7], [1], { shape: [1], values: [0] });
    expect(() => expectTensorClose([2e-6], [1], { shape: [1], values: [0] })).toThrow();
    expectTensorClose([2e-3], [1], { shape: [1], values: [0] }, { absolute: 1e-2 });
  });
});

describe('expectTensorClose, sampled', () => {
  const values = Array.from({ length: 5000 }, (_, i) => Math.sin(i));
  const indices = [100, 2500];
  const expected: SampledTensor = {
    shape: [5000],
    first: values.slice(0, 64),
    last: values.slice(-64),
    sum: values.reduce((a, b) => a + b, 0),
    l2: Math.sqrt(values.reduce((a, b) => a + b * b, 0)),
    indices,
    at: indices.map((i) => values[i]!),
  };

  test('takes what is near', () => {
    expectTensorClose(
      values.map((v, i) => v + 1e-6 * (i % 2 === 0 ? 1 : -1)),
      [5000],
      expected,
    );
  });

  test.each([
    [0, /first/],
    [4999, /last/],
    [2500, /samples/],
    [3000, /sum/],
  ])('sees a change at %i', (index, message) => {
    expect(() => expectTensorClose(values.with(index, 3), [5000], expected)).toThrow(message);
  });

  test('sees a change that leaves the sum', () => {
    expect(() =>
      expectTensorClose(values.with(3000, values[3001]! + 1).with(3001, values[3000]! - 1), [5000], expected),
    ).toThrow(/l2/);
  });
});

describe('expectTapClose', () => {
  const tap: Tap = { name: 'conv1', shape: [4], mean: 2.5, std: Math.sqrt(1.25), first: [1, 2], indices: [3], at: [4] };

  test('looks at moments and samples', () => {
    expectTapClose([1, 2, 3, 4], [4], tap);
    expect(() => expectTapClose([1, 2, 3.1, 4], [4], tap)).toThrow(/conv1: mean/);
    expect(() => expectTapClose([1, 2, 3, 4.1], [4], tap)).toThrow(/samples/);
    expect(() => expectTapClose([1, 2, 3, 4], [2, 2], tap)).toThrow(/shape/);
  });
});
