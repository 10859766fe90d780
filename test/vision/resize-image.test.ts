import { describe, expect, test } from 'vitest';
import { data, vision } from '../../lib/index.js';
import { expectTensorClose } from '../support/golden.js';
import { EXACT, imageFixtures, readFixture, withChannels } from './fixtures.js';

const cases = imageFixtures.flatMap(({ file, resize = [] }) => resize.map((expected) => ({ file, expected })));

describe('resizeImage', () => {
  test.each(cases)('$file to $expected.size: the bytes of Pillow', async ({ file, expected }) => {
    const image = await vision.decodeImage(readFixture(file));
    const [width, height] = expected.size;
    for (const interpolation of ['nearest', 'bilinear', 'bicubic'] as const) {
      const { data: pixels, shape } = vision.resizeImage(image, [height, width], { interpolation });
      const label = `${file} ${interpolation}`;
      expectTensorClose(pixels, shape, withChannels(expected[`pil_${interpolation}`]), { ...EXACT, label });
    }
  });

  test('a batch is its images, and one size is the same image', async () => {
    const image = await vision.decodeImage(readFixture('rgb.png'));
    const flipped = data.hostTensor(image.data.slice().reverse(), image.shape);
    const both = vision.resizeImage(vision.stackImages([image, flipped]), 20, { interpolation: 'lanczos' });
    expect(both).toEqual(
      vision.stackImages([image, flipped].map((i) => vision.resizeImage(i, 20, { interpolation: 'lanczos' }))),
    );
    expect(vision.resizeImage(image, [48, 64])).toEqual(image);
  });

  test('colours that cannot be seen do not shine through', () => {
    const image = data.hostTensor(Uint8Array.from([255, 0, 0, 255, 0, 255, 0, 0]), [1, 2, 4]);
    expect([...vision.resizeImage(image, [1, 1]).data]).toEqual([255, 0, 0, 128]);
  });

  test('refuses other types, sizes and filters', () => {
    const image = data.hostTensor(new Uint8Array(12), [2, 2, 3]);
    expect(() => vision.resizeImage(data.hostTensor(new Float32Array(12), [2, 2, 3]), 2)).toThrow(/dtype uint8/);
    expect(() => vision.resizeImage(image, 1.5)).toThrow(/size/);
    expect(() => vision.resizeImage(image, 2, { interpolation: 'area' as 'box' })).toThrow(/interpolation/);
    expect(() => vision.resizeImage(data.hostTensor(new Uint8Array(0), [0, 2, 3]), 2)).toThrow(/pixels/);
  });
});
