import { expect, test } from 'vitest';
import { grad, ops, tensor } from '../../lib/index.js';
import { describeEachDevice } from '../support/each-device.js';
import { RandomValues } from '../support/random-values.js';
import { TRANSFORMED, TRANSFORMS } from './affine-transform-answers.js';

const image = tensor(
  Array.from({ length: 20 }, (_, i) => i),
  [1, 4, 5, 1],
);

describeEachDevice('affineTransform', () => {
  test.each(TRANSFORMED)('$name, $fillMode, $interpolation: as TensorFlow', async ({ name, y, ...options }) => {
    const x = tensor(
      Float32Array.from({ length: 20 }, (_, i) => i),
      [1, 4, 5, 1],
    );
    const z = ops.affineTransform(x, tensor([[...TRANSFORMS[name]]]), { ...options, fillValue: -2 });
    const expected = y.split(' ').map(Number);
    const values = await z.data();
    expected.forEach((v, i) => expect(values[i], `element ${i}`).toBeCloseTo(v, 3));
  });

  test('the identity is the same image; each image has its own map, channels go together', async () => {
    const x = tensor(new RandomValues(3).floats([2, 3, 4, 2]), [2, 3, 4, 2]);
    const maps = tensor([
      [1, 0, 0, 0, 1, 0],
      [-1, 0, 3, 0, 1, 0],
    ]);
    const y = await ops.affineTransform(x, maps).data();
    const source = await x.data();
    expect(y.slice(0, 24)).toEqual(source.slice(0, 24));
    for (let p = 0; p < 12; p++) {
      const mirrored = Math.floor(p / 4) * 4 + 3 - (p % 4);
      expect(y.slice(24 + p * 2, 26 + p * 2)).toEqual(source.slice(24 + mirrored * 2, 26 + mirrored * 2));
    }
  });

  test('gradients go back to the pixels that were read', async () => {
    const x = tensor([[[[1], [2], [3]]]]);
    const shift = tensor([[1, 0, 0.25, 0, 1, 0]]);
    const dx = grad((t) => ops.sum(ops.affineTransform(t, shift)))(x);
    expect(Array.from(await dx.data())).toEqual([0.75, 1, 1]);
  });
});

test('refuses maps and options that do not fit', () => {
  expect(() => ops.affineTransform(image, tensor([[1, 0, 0]]))).toThrow(/transforms \[1,6\], received \[1,3\]/);
  const map = tensor([[1, 0, 0, 0, 1, 0]]);
  expect(() => ops.affineTransform(image, map, { fillMode: 'mirror' as 'wrap' })).toThrow(/fillMode among/);
  expect(() => ops.affineTransform(image, map, { interpolation: 'bicubic' as 'nearest' })).toThrow(
    /bilinear or nearest/,
  );
  expect(() => ops.affineTransform(image.cast('int32'), map)).toThrow(/float32/);
});
