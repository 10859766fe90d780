import { describe, expect, it } from 'vitest';
import { orderOf } from '../../../lib/data/images/order.js';
import { parseSplit, selectSplit } from '../../../lib/data/images/split.js';

const counts = (splits: string[], n: number) =>
  splits.map((split) => parseSplit('x', split, n).reduce((sum, { from, to }) => sum + to - from, 0));

describe('split syntax', () => {
  it("cuts tf_flowers as the chapter does, with Python's rounding", () => {
    expect(counts(['train[:10%]', 'train[10%:25%]', 'train[25%:]'], 3670)).toEqual([367, 551, 2752]);
    expect(parseSplit('x', 'train[10%:25%]', 3670)).toEqual([{ from: 367, to: 918 }]);
    expect(parseSplit('x', 'train[:50%]', 5)).toEqual([{ from: 0, to: 2 }]); // 2.5: to the even number
    expect(parseSplit('x', 'train[:50%]', 7)).toEqual([{ from: 0, to: 4 }]); // 3.5
  });

  it.each([
    ['train', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ['all', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ['train[:3]', [0, 1, 2]],
    ['train[-2:]', [8, 9]],
    ['train[:-70%]', [0, 1, 2]],
    ['train[ 2 : 4 ]', [2, 3]],
    ['train[5:5]', []],
    ['train[7:3]', []],
    ['train[8:99]', [8, 9]],
    ['train[:2] + train[-1:]', [0, 1, 9]],
    ['train[12.5%:50%]', [1, 2, 3, 4]],
  ])('%s', (split, expected) => {
    expect(selectSplit('x', split, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])).toEqual(expected);
  });

  it('parts that meet have every example once, whatever the number', () => {
    const list = ['train[:10%]', 'train[10%:25%]', 'train[25%:33%]', 'train[33%:]'];
    for (let n = 0; n < 400; n++) expect(counts(list, n).reduce((a, b) => a + b)).toBe(n);
  });

  it.each(['', 'train[', 'train[1]', 'train[:10%:2]', 'train[:x]', 'train+', 'train[:1.5]', '10%'])(
    'refuses %j',
    (split) => expect(() => parseSplit('imageFolder', split, 10)).toThrow(/imageFolder: expected split to be 'train'/),
  );

  it('refuses other sets and percentages above 100', () => {
    expect(() => parseSplit('x', 'test[:10%]', 10)).toThrow(/the only set of examples.*received 'test\[:10%\]'/);
    expect(() => parseSplit('x', 'train[:101%]', 10)).toThrow(/percentages of at most 100/);
  });
});

describe('order', () => {
  const labels = [...Array<number>(60).fill(0), ...Array<number>(30).fill(1), ...Array<number>(10).fill(2)];
  const options = { seed: 3, shuffle: true, stratified: false };
  const shares = (rows: number[]) => [0, 1, 2].map((label) => rows.filter((row) => labels[row] === label).length);

  it('is a permutation that seed and list fix', () => {
    const order = orderOf(labels, options);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from(labels.keys()));
    expect(orderOf(labels, options)).toEqual(order);
    expect(orderOf(labels, { ...options, seed: 4 })).not.toEqual(order);
    expect(orderOf(labels, { ...options, shuffle: false })).toEqual(Array.from(labels.keys()));
    // Fixed for good: another version must find the same images in the same splits.
    expect(orderOf([0, 0, 0, 0, 0, 0, 0, 0], { ...options, seed: 0 })).toEqual([2, 1, 3, 7, 0, 4, 6, 5]);
  });

  it('stratified has each class in its proportion in every slice', () => {
    const order = orderOf(labels, { ...options, stratified: true });
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from(labels.keys()));
    for (let from = 0; from < 100; from += 10) expect(shares(order.slice(from, from + 10))).toEqual([6, 3, 1]);
    for (const [from, to] of [
      [0, 37],
      [13, 58],
      [58, 100],
    ] as const) {
      for (const [label, share] of shares(order.slice(from, to)).entries()) {
        expect(Math.abs(share - ((to - from) * [60, 30, 10][label]!) / 100)).toBeLessThanOrEqual(1);
      }
    }
    // Which image of a class comes where is chance, and fixed by the seed.
    expect(orderOf(labels, { ...options, stratified: true, seed: 9 })).not.toEqual(order);
  });
});
