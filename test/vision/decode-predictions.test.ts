import { describe, expect, test } from 'vitest';
import { data, tensor, vision } from '../../lib/index.js';
import { unit } from '../support/fill.js';
import { readGolden } from '../support/golden.js';

interface Fixture {
  readonly decodePredictions: {
    readonly predictions: { shape: number[]; seed: number };
    readonly cases: readonly { top: number; expected: [wnid: string, name: string, ...rest: number[]][][] }[];
    readonly tiesTop5Values: number[][];
  };
}
const { predictions, cases } = readGolden<Fixture>('preprocess.json').decodePredictions;
const classes = readGolden<{ classes: [string, string][] }>('imagenet_classes.json').classes;

/** Row 1 is rounded to thousandths: many are equal. */
const probabilities = Float32Array.from({ length: 2000 }, (_, i) => {
  const p = Math.fround(unit(predictions.seed, i));
  return i < 1000 ? p : Math.fround(Math.floor(Math.fround(1000 * p)) / 1000);
});

describe('decodePredictions', () => {
  test('the classes are those of the fixture', () => {
    expect(vision.IMAGENET_CLASSES.map(({ wnid, name }) => [wnid, name])).toEqual(
      classes.map(([wnid, name]) => [wnid, name]),
    );
  });

  test.each(cases)('the best $top', async ({ top, expected }) => {
    const decoded = await vision.decodePredictions(tensor(probabilities, [2, 1000]), { top });
    for (const [row, list] of decoded.entries()) {
      expect(list).toHaveLength(top);
      const values = list.map(({ probability }) => probability);
      expect(values).toEqual(values.toSorted((a, b) => b - a));
      for (const [i, { wnid, name, index, probability }] of list.entries()) {
        expect(probability).toBe(probabilities[row * 1000 + index]);
        expect(vision.IMAGENET_CLASSES[index]).toEqual({ wnid, name });
        const rowValues = probabilities.subarray(row * 1000, row * 1000 + 1000);
        if (rowValues.filter((p) => p === probability).length > 1) continue;
        expect([wnid, name]).toEqual(expected[row]![i]!.slice(0, 2));
      }
    }
  });

  test('equal probabilities come in the order of the outputs, NaN last', async () => {
    const few = data.hostTensor(Float32Array.from([NaN, 0.5, 0.25, 0.5]));
    const list = (await vision.decodePredictions(few, { top: 9, classes: ['a', 'b', 'c', 'd'] }))[0]!;
    expect(list.map(({ name }) => name)).toEqual(['b', 'd', 'c', 'a']);
    expect(list[0]).toEqual({ index: 1, name: 'b', wnid: undefined, probability: 0.5 });
  });

  test('refuses other numbers of outputs', async () => {
    const wrong = vision.decodePredictions(data.hostTensor(new Float32Array(10), [1, 10]));
    await expect(wrong).rejects.toThrow(/shape \[n,1000\], received \[1,10\]/);
    const none = vision.decodePredictions(data.hostTensor(new Float32Array(1000)), { top: 0 });
    await expect(none).rejects.toThrow(/top/);
  });
});
