import { expect, test } from 'vitest';
import { layers } from '../../../lib/index.js';
import { describeEachDevice } from '../../support/each-device.js';
import { runLayerTest } from '../../support/layer-test.js';
import { countingImages } from './images.js';

runLayerTest('RandomFlip', {
  make: () => layers.randomFlip({ mode: 'horizontal', seed: 3 }),
  inputs: [[8, 2, 3, 2]],
  output: [8, 2, 3, 2],
  trainingDiffers: true,
});

describeEachDevice('RandomFlip', () => {
  const [h, w] = [2, 3];
  const flips = {
    none: [0, 1, 2, 3, 4, 5],
    horizontal: [2, 1, 0, 5, 4, 3],
    vertical: [3, 4, 5, 0, 1, 2],
    both: [5, 4, 3, 2, 1, 0],
  };

  test.each([
    ['horizontal', ['none', 'horizontal']],
    ['vertical', ['none', 'vertical']],
    ['horizontalAndVertical', ['none', 'horizontal', 'vertical', 'both']],
  ] as const)('%s: each image is one of %j', async (mode, kinds) => {
    const layer = layers.randomFlip({ mode, seed: 5 });
    const n = 200;
    const y = await layer.apply(countingImages(n, h, w, 1), { training: true }).data();
    const counts = new Map<string, number>();
    for (let i = 0; i < n; i++) {
      const image = Array.from(y.subarray(i * 6, i * 6 + 6), (v) => v - i * 6);
      const kind = kinds.find((k) => String(flips[k]) === String(image));
      expect(kind, String(image)).toBeDefined();
      counts.set(kind!, (counts.get(kind!) ?? 0) + 1);
    }
    for (const kind of kinds) expect(Math.abs(counts.get(kind)! / n - 1 / kinds.length)).toBeLessThan(0.1);
  });

  test('whole numbers become float32 also in inference; other modes are refused', async () => {
    const layer = layers.randomFlip();
    expect(layer.getConfig()['mode']).toBe('horizontalAndVertical');
    expect((await layer.apply(countingImages(1, 2, 2, 1).cast('int32')).data()) instanceof Float32Array).toBe(true);
    expect(() => layers.randomFlip({ mode: 'sideways' as 'vertical' })).toThrow(/mode/);
    expect(layers.randomFlip({ mode: 'horizontal_and_vertical' as 'vertical' }).mode).toBe('horizontalAndVertical');
  });
});
