import { expect, test } from 'vitest';
import { deserializeLayer, layers, serializeLayer, tensor, type Tensor } from '../../../lib/index.js';
import { describeEachDevice } from '../../support/each-device.js';

const [n, h, w] = [200, 6, 8];

/** Image i is i everywhere, its label is i-hot. */
function batch(): [Tensor, Tensor] {
  const images = Float32Array.from({ length: n * h * w }, (_, p) => Math.floor(p / (h * w)));
  const labels = Float32Array.from({ length: n * n }, (_, p) => (p % (n + 1) === 0 ? 1 : 0));
  return [tensor(images, [n, h, w, 1]), tensor(labels, [n, n])];
}

/** Partner and own part of each image, as its label tells. */
async function read(labels: Tensor): Promise<{ partner: number; own: number }[]> {
  const y = await labels.data();
  return Array.from({ length: n }, (_, i) => {
    const row = Array.from(y.subarray(i * n, i * n + n));
    expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    const partner = row.findIndex((v, k) => k !== i && v > 0);
    return { partner: partner < 0 ? i : partner, own: row[i]! };
  });
}

describeEachDevice('MixUp and CutMix', () => {
  test('MixUp: images and labels in the same proportion; parts from Beta(alpha, alpha)', async () => {
    for (const [alpha, variance] of [
      [0.2, 1 / (4 * 1.4)],
      [1, 1 / 12],
      [4, 1 / 36],
    ] as const) {
      const layer = layers.mixUp({ alpha, seed: 3 });
      const [images, labels] = layer.apply<Tensor[]>(batch(), { training: true }) as [Tensor, Tensor];
      const pixels = await images.data();
      const mixed = await read(labels);
      const steps = new Set<number>();
      mixed.forEach(({ partner, own }, i) => {
        expect(pixels[i * h * w]).toBeCloseTo(i * own + partner * (1 - own), 2);
        expect(pixels[i * h * w + 7]).toBe(pixels[i * h * w]);
        if (partner !== i) steps.add((partner - i + n) % n);
      });
      expect(steps.size).toBe(1);
      const mean = mixed.reduce((sum, { own }) => sum + own, 0) / n;
      const spread = mixed.reduce((sum, { own }) => sum + (own - mean) ** 2, 0) / n;
      expect(Math.abs(mean - 0.5)).toBeLessThan(0.12);
      expect(Math.abs(spread / variance - 1)).toBeLessThan(0.3);
    }
  });

  test('CutMix: a box of the partner, labels by its area', async () => {
    const layer = layers.cutMix({ seed: 5 });
    const [images, labels] = layer.apply<Tensor[]>(batch(), { training: true }) as [Tensor, Tensor];
    const pixels = await images.data();
    (await read(labels)).forEach(({ partner, own }, i) => {
      const image = Array.from(pixels.subarray(i * h * w, (i + 1) * h * w));
      const foreign = image.flatMap((v, p) => (v === i ? [] : [p]));
      expect(foreign.every((p) => image[p] === partner)).toBe(true);
      expect(1 - foreign.length / (h * w)).toBeCloseTo(own, 5);
      const rows = new Set(foreign.map((p) => Math.floor(p / w)));
      const columns = new Set(foreign.map((p) => p % w));
      expect(foreign).toHaveLength(rows.size * columns.size);
    });
  });

  test.each([layers.mixUp, layers.cutMix])('inference changes nothing; the seed fixes what is drawn', async (make) => {
    const [images, labels] = batch();
    const still = make().apply<Tensor[]>([images, labels]);
    expect(await still[0]!.data()).toEqual(await images.data());
    expect(await still[1]!.data()).toEqual(await labels.data());
    const draw = async (seed: number) => await make({ seed }).apply<Tensor[]>(batch(), { training: true })[1]!.data();
    expect(await draw(1)).toEqual(await draw(1));
    expect(await draw(1)).not.toEqual(await draw(2));
    const layer = make({ alpha: 0.7, seed: 9 });
    expect(deserializeLayer(serializeLayer(layer)).getConfig()).toEqual(layer.getConfig());
  });

  test('refuses what are no images with labels', () => {
    const [images] = batch();
    expect(() => layers.mixUp().apply([images, images])).toThrow(/labels \[batch,classes\]/);
    expect(() => layers.cutMix({ alpha: 0 })).toThrow(/alpha/);
  });
});
