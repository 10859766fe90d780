import { expect, test } from 'vitest';
import { layers, ops, tensor, zeros } from '../../../lib/index.js';
import { describeEachDevice } from '../../support/each-device.js';
import { runLayerTest } from '../../support/layer-test.js';
import { RandomValues } from '../../support/random-values.js';
import { countingImages } from './images.js';

const common = { inputs: [[3, 4, 5, 3]], output: [3, 4, 5, 3], trainingDiffers: true };
const valueRange = [-1, 1] as const;
runLayerTest('RandomBrightness', {
  make: () => layers.randomBrightness({ factor: 0.1, valueRange, seed: 1 }),
  ...common,
});
runLayerTest('RandomContrast', { make: () => layers.randomContrast({ factor: 0.3, valueRange, seed: 1 }), ...common });
runLayerTest('RandomErasing', { make: () => layers.randomErasing({ valueRange, seed: 1 }), ...common });
runLayerTest('RandAugment', { make: () => layers.randAugment({ valueRange, seed: 1 }), ...common });
runLayerTest('CenterCrop', {
  make: () => layers.centerCrop({ height: 3, width: 2 }),
  inputs: [[3, 4, 5, 3]],
  output: [3, 3, 2, 3],
});

describeEachDevice('colour layers', () => {
  test('brightness as Keras: a part of the range is added, values stay in it', async () => {
    const layer = layers.randomBrightness({ factor: [0.25, 0.25], valueRange: [0, 20] });
    const y = await layer.apply(countingImages(1, 4, 5, 1), { training: true }).data();
    expect(Array.from(y)).toEqual(Array.from({ length: 20 }, (_, i) => Math.min(20, i + 5)));
  });

  test('contrast as Keras: deviations from the mean of the channel, each image its own factor', async () => {
    const layer = layers.randomContrast({ factor: [0.5, 0.5], valueRange: [-1000, 1000], seed: 2 });
    const y = await layer.apply(countingImages(40, 2, 2, 1), { training: true }).data();
    const factors = new Set<number>();
    for (let i = 0; i < 40; i++) {
      const image = y.subarray(4 * i, 4 * i + 4);
      const factor = (image[3]! - image[0]!) / 3;
      image.forEach((v, k) => expect(v).toBeCloseTo(4 * i + 1.5 + (k - 1.5) * factor, 3));
      expect(factor >= 0.499 && factor <= 1.501).toBe(true);
      factors.add(Math.round(factor * 10));
    }
    expect(factors.size).toBeGreaterThan(7);
  });

  test('erasing: one box an image, of a size from the scale; a factor of 0 erases none', async () => {
    const [h, w] = [10, 12];
    const layer = layers.randomErasing({ scale: [0.09, 0.25], fillValue: 7, seed: 4 });
    const y = await layer.apply(zeros([50, h, w, 1]), { training: true }).data();
    const places = new Set<number>();
    for (let i = 0; i < 50; i++) {
      const erased = Array.from({ length: h * w }, (_, p) => p).filter((p) => y[i * h * w + p] === 7);
      const rows = new Set(erased.map((p) => Math.floor(p / w)));
      const columns = new Set(erased.map((p) => p % w));
      expect(erased).toHaveLength(rows.size * columns.size);
      expect(rows.size >= 3 && rows.size <= 5 && columns.size >= 4 && columns.size <= 6).toBe(true);
      expect(Math.max(...rows) - Math.min(...rows)).toBe(rows.size - 1);
      places.add(erased[0]!);
    }
    expect(places.size).toBeGreaterThan(15);
    const none = layers.randomErasing({ factor: 0, fillValue: 7 }).apply(zeros([5, h, w, 1]), { training: true });
    expect(await ops.max(none).item()).toBe(0);
  });

  test('erasing with noise stays in the range', async () => {
    const layer = layers.randomErasing({ scale: [1, 1], valueRange: [-2, 3], seed: 1 });
    const y = await layer.apply(zeros([2, 8, 8, 3]), { training: true }).data();
    expect([Math.min(...y), Math.max(...y)]).toEqual([-2, 3]);
  });

  test('RandAugment: without strength no more than a level is lost; with it most images change', async () => {
    const values = new RandomValues(5).floats([16, 6, 6, 3]).map((v) => (v + 1) * 127.5);
    // Every image has a black and a white pixel: nothing for auto-contrast to do.
    for (let i = 0; i < 16; i++) values.fill(0, i * 108, i * 108 + 3).fill(255, i * 108 + 3, i * 108 + 6);
    const x = tensor(values, [16, 6, 6, 3]);
    const source = await x.data();
    const none = await layers.randAugment({ numOps: 0 }).apply(x, { training: true }).data();
    none.forEach((v, i) => expect(v).toBeCloseTo(source[i]!, 2));
    const still = await layers.randAugment({ factor: 0, seed: 1 }).apply(x, { training: true }).data();
    still.forEach((v, i) => expect(Math.abs(v - source[i]!)).toBeLessThan(2.01));
    const strong = await layers.randAugment({ factor: 1, numOps: 3, seed: 1 }).apply(x, { training: true }).data();
    let changed = 0;
    for (let i = 0; i < 16; i++) {
      const differs = strong.subarray(i * 108, i * 108 + 108).some((v, k) => Math.abs(v - source[i * 108 + k]!) > 5);
      if (differs) changed++;
    }
    expect(changed).toBeGreaterThan(12);
    expect(Math.min(...strong)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...strong)).toBeLessThanOrEqual(255.001);
  });

  test('CenterCrop as Keras, larger and smaller than the image; grey images have no colour to lose', async () => {
    const x = countingImages(1, 4, 5, 1);
    const crop = await layers.centerCrop({ height: 3, width: 2 }).apply(x).data();
    expect(Array.from(crop)).toEqual([1, 2, 6, 7, 11, 12]);
    const resized = await layers.centerCrop({ height: 5, width: 2 }).apply(x).data();
    [2, 2, 5.5, 5.5, 9.5, 9.5, 13.5, 13.5, 17, 17].forEach((v, i) => expect(resized[i]).toBeCloseTo(v, 4));
    const grey = layers.randAugment({ seed: 3 }).apply(countingImages(20, 3, 3, 1), { training: true });
    expect(grey.shape).toEqual([20, 3, 3, 1]);
    expect((await grey.data()).every(Number.isFinite)).toBe(true);
  });

  test('refuses factors that do not fit', () => {
    expect(() => layers.randomContrast({ factor: -0.1 })).toThrow(/factor/);
    expect(() => layers.randomErasing({ scale: [0, 2] })).toThrow(/scale/);
    expect(() => layers.randAugment({ factor: 1.5 })).toThrow(/factor/);
    expect(() => layers.randomBrightness({ factor: 0.1, valueRange: [2, 1] })).toThrow(/valueRange/);
  });
});
