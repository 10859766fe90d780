import { expect, test } from 'vitest';
import { layers, type Layer } from '../../../lib/index.js';
import { describeEachDevice } from '../../support/each-device.js';
import { runLayerTest } from '../../support/layer-test.js';
import { countingImages } from './images.js';

const inputs = [[3, 4, 5, 2]];
const output = [3, 4, 5, 2];
const common = { inputs, output, trainingDiffers: true };
runLayerTest('RandomRotation', { make: () => layers.randomRotation({ factor: 0.2, seed: 1 }), ...common });
runLayerTest('RandomTranslation', {
  make: () => layers.randomTranslation({ heightFactor: 0.3, widthFactor: [-0.2, 0.1], fillMode: 'wrap', seed: 1 }),
  ...common,
});
runLayerTest('RandomZoom', {
  make: () => layers.randomZoom({ heightFactor: [-0.5, -0.2], widthFactor: 0.1, seed: 2, interpolation: 'nearest' }),
  ...common,
});
runLayerTest('RandomShear', { make: () => layers.randomShear({ xFactor: 0.4, yFactor: 0.2, seed: 1 }), ...common });

/** What Keras 3.15 makes of the image 0, 1, ..., 19 with 4 rows, where both ends of a range are the same. */
const KERAS: readonly [string, () => Layer, string][] = [
  [
    'rotation by a tenth of a turn',
    () => layers.randomRotation({ factor: [0.1, 0.1] }),
    '1.2636 2.0727 4.314 8.062 11.3102 0.6759 4.0234 7.7713 11.5193 15.2672 3.7328 7.4807 11.2286 14.9766 18.3241 ' +
      '7.6898 10.938 14.686 16.9273 17.7364',
  ],
  [
    'translation with a constant border',
    () =>
      layers.randomTranslation({
        ...{ heightFactor: [0.25, 0.25], widthFactor: [-0.1, -0.1], fillMode: 'constant', fillValue: -1 },
      }),
    '-1 -1 -1 -1 -1 0.5 1.5 2.5 3.5 1.5 5.5 6.5 7.5 8.5 4 10.5 11.5 12.5 13.5 6.5',
  ],
  [
    'zoom',
    () => layers.randomZoom({ heightFactor: [-0.5, -0.5], widthFactor: [0.2, 0.2], fillMode: 'nearest' }),
    '3.75 4.55 5.75 6.95 7.75 6.25 7.05 8.25 9.45 10.25 8.75 9.55 10.75 11.95 12.75 11.25 12.05 13.25 14.45 15.25',
  ],
  [
    'shear',
    () => layers.randomShear({ xFactor: [-0.5, -0.5] }),
    '0 1 2 3 4 5 5.5 6.5 7.5 8.5 10 10 11 12 13 15.5 15 15.5 16.5 17.5',
  ],
];

describeEachDevice('geometric layers', () => {
  test.each(KERAS)('%s: as Keras', async (_, make, expected) => {
    const y = await make()
      .apply(countingImages(1, 4, 5, 1), { training: true })
      .data();
    expected.split(' ').forEach((v, i) => expect(y[i], `element ${i}`).toBeCloseTo(Number(v), 3));
  });

  test('strength 0 leaves images alone; each image has its own draw', async () => {
    const x = countingImages(2, 4, 4, 1);
    for (const layer of [
      layers.randomRotation({ factor: 0 }),
      layers.randomTranslation({ heightFactor: 0, widthFactor: 0 }),
      layers.randomZoom({ heightFactor: 0 }),
      layers.randomShear(),
    ]) {
      const y = await layer.apply(x, { training: true }).data();
      y.forEach((v, i) => expect(v).toBeCloseTo(i, 4));
    }
    const y = await layers
      .randomTranslation({ heightFactor: 0.4, widthFactor: 0, seed: 1 })
      .apply(x, { training: true })
      .data();
    const apart = Array.from({ length: 16 }, (_, i) => Math.abs(y[16 + i]! - 16 - y[i]!));
    expect(Math.max(...apart)).toBeGreaterThan(1e-3);
  });

  test('a zoom without width factor keeps the proportions', async () => {
    const layer = layers.randomZoom({ heightFactor: [0.5, 0.9], seed: 3, fillMode: 'constant', fillValue: -9 });
    const y = await layer.apply(countingImages(1, 5, 5, 1), { training: true }).data();
    const filled = (i: number): boolean => y[i]! < 0;
    expect([filled(0), filled(4), filled(20), filled(24)]).toEqual([true, true, true, true]);
    for (let i = 0; i < 5; i++) expect(filled(2 * 5 + i)).toBe(filled(i * 5 + 2));
  });

  test('refuses factors and modes that do not fit', () => {
    expect(() => layers.randomRotation({ factor: 2 })).toThrow(/factor/);
    expect(() => layers.randomTranslation({ heightFactor: [0, 3], widthFactor: 0 })).toThrow(/heightFactor/);
    expect(() => layers.randomZoom({ heightFactor: [-1, 0] })).toThrow(/heightFactor/);
    expect(() => layers.randomShear({ fillMode: 'mirror' as 'wrap' })).toThrow(/fillMode/);
  });
});
