import { describe, expect, test } from 'vitest';
import { layers, ops, setRandomSeed, tensor } from '../../../lib/index.js';
import { describeEachDevice } from '../../support/each-device.js';
import { runLayerTest } from '../../support/layer-test.js';
import { countingImages } from './images.js';

runLayerTest('RandomCrop', {
  make: () => layers.randomCrop({ height: 3, width: 2, seed: 1 }),
  inputs: [[4, 6, 5, 2]],
  output: [4, 3, 2, 2],
  trainingDiffers: true,
});

describeEachDevice('RandomCrop', () => {
  test('each image gives a part of its own, and all places come up', async () => {
    const layer = layers.randomCrop({ height: 3, width: 3, seed: 7 });
    const x = countingImages(64, 4, 5, 1);
    const y = layer.apply(x, { training: true });
    const all = await y.data();
    const places = new Set<number>();
    for (let i = 0; i < 64; i++) {
      const part = all.subarray(i * 9, (i + 1) * 9);
      const first = part[0]! - i * 20;
      const [top, left] = [Math.floor(first / 5), first % 5];
      expect(Array.from(part)).toEqual(
        [0, 1, 2].flatMap((r) => [0, 1, 2].map((c) => i * 20 + (top + r) * 5 + left + c)),
      );
      places.add(first);
    }
    expect([...places].sort((a, b) => a - b)).toEqual([0, 1, 2, 5, 6, 7]);
  });

  test('the same seed draws the same, and goes on', async () => {
    const draw = async (seed: number) => {
      const layer = layers.randomCrop({ height: 2, width: 2, seed });
      const x = countingImages(8, 5, 5, 1);
      const first = Array.from(await layer.apply(x, { training: true }).data());
      return [first, Array.from(await layer.apply(x, { training: true }).data())];
    };
    const [a, b, c] = [await draw(3), await draw(3), await draw(4)];
    expect(a).toEqual(b);
    expect(a[0]).not.toEqual(a[1]);
    expect(a[0]).not.toEqual(c[0]);
  });

  test('inference and images that are too small: resized from the middle', async () => {
    const layer = layers.randomCrop({ height: 4, width: 4, seed: 1 });
    const x = countingImages(1, 8, 10, 1);
    const expected = await ops.smartResize(x, 4).data();
    expect(await layer.apply(x).data()).toEqual(expected);
    const small = countingImages(1, 3, 6, 1);
    expect(await layer.apply(small, { training: true }).data()).toEqual(await ops.smartResize(small, 4).data());
  });

  test('one image without a batch', async () => {
    const y = layers.randomCrop({ height: 2, width: 3 }).apply(countingImages(1, 4, 4, 2).reshape([4, 4, 2]), {
      training: true,
    });
    expect(y.shape).toEqual([2, 3, 2]);
    expect((await y.data())[1]! - (await y.data())[0]!).toBe(1);
  });
});

describe('RandomCrop', () => {
  test('refuses other ranks and sizes', () => {
    setRandomSeed(1);
    const crop = layers.randomCrop({ height: 2, width: 2 });
    expect(() => crop.apply(tensor([1, 2]))).toThrow(/images \[batch,height,width,channels\]/);
    expect(() => layers.randomCrop({ height: 0, width: 2 })).toThrow(/height/);
    expect(() => layers.randomCrop({ height: 1, width: 2, seed: 0.5 })).toThrow(/seed/);
  });
});
