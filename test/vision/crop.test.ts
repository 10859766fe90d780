import { describe, expect, test } from 'vitest';
import { data, vision } from '../../lib/index.js';
import { expectTensorClose, readGolden, type ExpectedTensor } from '../support/golden.js';
import { EXACT, goldenImage } from './fixtures.js';

interface Crops {
  readonly crops: {
    readonly image: { shape: number[]; seed: number };
    readonly cases: readonly { op: string; fraction?: number; size?: [number, number]; expected: ExpectedTensor }[];
  };
}
const { image, cases } = readGolden<Crops>('preprocess.json').crops;

describe('crops', () => {
  const x = goldenImage(image.shape, image.seed);

  test.each(cases)('$op is TensorFlow’s', ({ op, fraction, size, expected }) => {
    const y =
      op === 'central_crop'
        ? vision.centralCrop(x, fraction!)
        : op === 'resize_with_crop_or_pad'
          ? vision.cropOrPad(x, size!)
          : vision.flipLeftRight(x);
    const values = { ...expected, shape: y.shape };
    expectTensorClose(y.data, y.shape, values, { ...EXACT, label: op });
    expect(y.shape.slice(-3)).toEqual(expected.shape.slice(-3));
  });

  test('a box may reach beyond the image, where there is black', () => {
    const nine = data.hostTensor(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]), [3, 3, 1]);
    expect(vision.cropImage(nine, { top: 1, left: -1, height: 3, width: 3 })).toEqual(
      data.hostTensor(Uint8Array.from([0, 4, 5, 0, 7, 8, 0, 0, 0]), [3, 3, 1]),
    );
    expect([...vision.cropImage(nine, { top: 5, left: 5, height: 1, width: 2 }).data]).toEqual([0, 0]);
    expect(vision.centerCrop(nine, [1, 3]).data).toEqual(Uint8Array.from([4, 5, 6]));
  });

  test('refuses boxes without pixels and fractions outside of 0 to 1', () => {
    expect(() => vision.cropImage(x, { top: 0, left: 0, height: 0, width: 2 })).toThrow(/box/);
    expect(() => vision.cropImage(x, { top: 0.5, left: 0, height: 1, width: 2 })).toThrow(/whole numbers/);
    expect(() => vision.centralCrop(x, 0)).toThrow(/fraction/);
  });
});
