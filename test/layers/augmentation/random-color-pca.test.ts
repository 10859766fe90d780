import { expect, test } from 'vitest';
import { layers, ones, tensor } from '../../../lib/index.js';
import { describeEachDevice } from '../../support/each-device.js';
import { runLayerTest } from '../../support/layer-test.js';

runLayerTest('RandomColorPca', {
  make: () => layers.randomColorPca({ valueRange: [0, 1], seed: 3 }),
  inputs: [[2, 2, 2, 3]],
  output: [2, 2, 2, 3],
  trainingDiffers: true,
});

describeEachDevice('RandomColorPca', () => {
  test('one shift for an image, of the covariance that the directions and strengths give', async () => {
    const n = 4000;
    const layer = layers.randomColorPca({ stddev: 0.1, seed: 2 });
    const y = await layer.apply(ones([n, 1, 2, 3]), { training: true }).data();
    const sums = new Float64Array(9);
    for (let i = 0; i < n; i++) {
      const [first, second] = [y.subarray(6 * i, 6 * i + 3), y.subarray(6 * i + 3, 6 * i + 6)];
      expect(first).toEqual(second);
      for (let k = 0; k < 9; k++) sums[k]! += ((first[Math.floor(k / 3)]! - 1) * (first[k % 3]! - 1)) / n;
    }
    // The first direction carries nearly all: 255 * 0.1 * 0.2175 * (0.5675, 0.5808, 0.5836).
    const strongest = 255 * 0.1 * 0.2175;
    const red = strongest ** 2 * 0.5675 ** 2 + (25.5 * 0.0188 * 0.7192) ** 2 + (25.5 * 0.0045 * 0.4009) ** 2;
    expect(Math.abs(sums[0]! / red - 1)).toBeLessThan(0.1);
    const redGreen =
      strongest ** 2 * 0.5675 * 0.5808 - 25.5 ** 2 * (0.0188 ** 2 * 0.7192 * 0.0045 + 0.0045 ** 2 * 0.4009 * 0.814);
    expect(Math.abs(sums[1]! / redGreen - 1)).toBeLessThan(0.1);
    expect(sums[3]).toBeCloseTo(sums[1]!, 9);
  });

  test('no deviation, no shift; the range scales it', async () => {
    const x = tensor([[[[1, 2, 3]]]]);
    const still = layers.randomColorPca({ stddev: 0 }).apply(x, { training: true });
    expect(Array.from(await still.data())).toEqual([1, 2, 3]);
    const shift = async (valueRange: [number, number]) => {
      const y = await layers.randomColorPca({ valueRange, seed: 9 }).apply(x.mul(0), { training: true }).data();
      return Array.from(y);
    };
    const [large, small] = [await shift([0, 255]), await shift([0, 1])];
    large.forEach((v, i) => expect(v / 255).toBeCloseTo(small[i]!, 6));
    expect(Math.abs(small[0]!)).toBeGreaterThan(1e-4);
  });

  test('refuses other channels and ranges', () => {
    expect(() => layers.randomColorPca().apply(ones([1, 2, 2, 1]))).toThrow(/3 channels/);
    expect(() => layers.randomColorPca({ valueRange: [1, 0] })).toThrow(/valueRange/);
    expect(() => layers.randomColorPca({ stddev: -1 })).toThrow(/stddev/);
  });
});
