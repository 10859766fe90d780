import { expect, test } from 'vitest';
import { data, tensor, vision } from '../../lib/index.js';
import type { ResizeMethod } from '../../lib/ops/resize-weights.js';
import { describeEachDevice } from '../support/each-device.js';
import { expectTensorClose, readGolden, type ExpectedTensor } from '../support/golden.js';
import { goldenImage, imageFixtures, readFixture, withChannels } from './fixtures.js';

interface Cases<T> {
  readonly image: { readonly shape: number[]; readonly seed: number };
  readonly cases: readonly (T & { readonly size: [number, number]; readonly expected: ExpectedTensor })[];
}
const golden = readGolden<{
  resize: Cases<{ method: ResizeMethod; antialias: boolean; preserveAspectRatio?: boolean }>;
  smartResize: Cases<object>;
}>('preprocess.json');

/** The README's advice for pixels of tf.image. */
const TOLERANCE = { relative: 0, absolute: 1e-3 };

describeEachDevice('resize', () => {
  const x = goldenImage(golden.resize.image.shape, golden.resize.image.seed);

  test.each(golden.resize.cases)('$size, $method, antialias $antialias', async ({ size, expected, ...options }) => {
    const t = vision.resize(tensor(x.data, x.shape), size, options);
    expectTensorClose(await t.data(), t.shape, expected, { ...TOLERANCE, label: 'tensor' });
    const host = vision.resize(x, size, options);
    expectTensorClose(host.data, host.shape, expected, { ...TOLERANCE, label: 'host' });
  });

  test.each(golden.smartResize.cases)('smartResize to $size', async ({ size, expected }) => {
    const y = golden.smartResize.image;
    const image = goldenImage(y.shape, y.seed);
    const t = vision.smartResize(tensor(image.data, image.shape), size);
    expectTensorClose(await t.data(), t.shape, expected, TOLERANCE);
    const host = vision.smartResize(image, size);
    expectTensorClose(host.data, host.shape, expected, TOLERANCE);
  });

  test('photographs of bytes, alone or in a batch', async () => {
    const image = await vision.decodeImage(readFixture('rgb.png'));
    for (const expected of imageFixtures.find(({ file }) => file === 'rgb.png')!.resize!) {
      const size = [expected.size[1], expected.size[0]] as const;
      for (const antialias of [false, true]) {
        const t = vision.resize(tensor(image.data, image.shape), size, { antialias });
        const wanted = withChannels(antialias ? expected.tf_bilinear_antialias : expected.tf_bilinear);
        expectTensorClose(await t.data(), t.shape, wanted, TOLERANCE);
        const host = vision.resize(image, size, { antialias });
        expectTensorClose(host.data, host.shape, wanted, TOLERANCE);
      }
    }
  });

  test('refuses other ranks, sizes and methods', () => {
    expect(() => vision.resize(tensor([1, 2]), 2)).toThrow(/an image \[height,width,channels\]/);
    expect(() => vision.resize(x, [2, 0])).toThrow(/size/);
    expect(() => vision.resize(x, 2, { method: 'lanczos' as 'area' })).toThrow(/method among/);
    expect(() => vision.resize(data.hostTensor(new Float32Array(0), [2, 0, 1]), 2)).toThrow(/with pixels/);
  });
});
