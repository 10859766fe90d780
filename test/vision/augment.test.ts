import { describe, expect, test } from 'vitest';
import { data, layers, vision, type data as Data } from '../../lib/index.js';

const images = (n: number, h = 4, w = 5): Uint8Array =>
  Uint8Array.from({ length: n * h * w * 3 }, (_, i) => (i * 7) % 256);

/** Pairs of an image of bytes and its number. */
const pairs = (n: number): data.Dataset<[Data.HostTensor, Data.HostTensor]> =>
  data.fromArrays([
    { data: images(n), shape: [n, 4, 5, 3] },
    { data: Int32Array.from({ length: n }, (_, i) => i), shape: [n] },
  ]) as unknown as data.Dataset<[Data.HostTensor, Data.HostTensor]>;

async function collect(source: AsyncIterable<[Data.HostTensor, Data.HostTensor]>): Promise<[number[], number[]][]> {
  const all: [number[], number[]][] = [];
  for await (const [x, y] of source) all.push([Array.from(x.data), Array.from(y.data)]);
  return all;
}

const flipAndCrop = () => [layers.randomFlip(), layers.randomCrop({ height: 3, width: 3 })];

describe('augment', () => {
  test('maps images one by one or in batches, and passes labels on', async () => {
    const one = await collect(pairs(6).map(vision.augment(flipAndCrop(), { seed: 1 })));
    expect(one.map(([x, y]) => [x.length, y])).toEqual([0, 1, 2, 3, 4, 5].map((i) => [27, [i]]));
    const batches = pairs(6)
      .batch(4)
      .map(vision.augment(flipAndCrop(), { seed: 1 }));
    expect((await collect(batches)).map(([x, y]) => [x.length, y])).toEqual([
      [108, [0, 1, 2, 3]],
      [54, [4, 5]],
    ]);
    const alone = await vision.augment(layers.centerCrop({ height: 2, width: 2 }))(
      data.hostTensor(images(1), [4, 5, 3]),
      0,
      [0],
    );
    expect([alone.shape, alone.dtype]).toEqual([[2, 2, 3], 'float32']);
  });

  test('what an element gets depends on seed, epoch and number only', async () => {
    const epochs = async (seed: number, parallel: number) => {
      const mapped = pairs(8).map(vision.augment(flipAndCrop(), { seed }), { parallel });
      return [await collect(mapped), await collect(mapped)];
    };
    const [a, b, c] = [await epochs(5, 1), await epochs(5, 4), await epochs(6, 1)];
    expect(b).toEqual(a);
    expect(c[0]).not.toEqual(a[0]);
    const again = vision.augment(flipAndCrop(), { seed: 5 });
    const element = data.hostTensor(images(8).slice(5 * 60, 6 * 60), [4, 5, 3]);
    const first = Array.from((await again(element, 5, [0])).data);
    expect(Array.from((await again(element, 5, [1])).data)).not.toEqual(first);
    expect(Array.from((await again(element, 5, [0])).data)).toEqual(first);
  });

  test('mixing layers take batches with their labels', async () => {
    const mix = vision.augment([layers.randomFlip(), layers.mixUp({ alpha: 1 })], { seed: 2 });
    const labels = data.hostTensor(Float32Array.from([1, 0, 0, 1, 1, 0]), [3, 2]);
    const [x, y] = await mix([data.hostTensor(images(3), [3, 4, 5, 3]), labels] as const, 0, [0]);
    expect([x.shape, y.shape]).toEqual([
      [3, 4, 5, 3],
      [3, 2],
    ]);
    for (let i = 0; i < 3; i++) expect(y.data[2 * i]! + y.data[2 * i + 1]!).toBeCloseTo(1, 5);
    await expect(mix(x, 0, [0])).rejects.toThrow(/\[images, labels\]/);
    await expect(mix(3 as unknown as typeof x, 0, [0])).rejects.toThrow(/images first/);
  });
});
