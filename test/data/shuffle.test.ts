import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../lib/data/dataset.js';
import type { HostTensor } from '../../lib/data/host-tensor.js';
import { numbers, range } from './support.js';

/** The same elements without the knowledge that they are rows of an array. */
const opaque = (data: Dataset<HostTensor>) => data.map((item) => item);
const sorted = (values: number[]) => [...values].sort((a, b) => a - b);
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('shuffle', () => {
  it('is a permutation in which no element comes before its buffer allows, the same with and without arrays', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(60), fc.integer({ min: 1, max: 80 }), fc.integer(), async (n, buffer, seed) => {
        const order = await numbers(range(n).shuffle(buffer, { seed }));
        expect(sorted(order)).toEqual(upTo(n));
        order.forEach((element, position) => expect(element).toBeLessThan(position + buffer));
        expect(await numbers(opaque(range(n)).shuffle(buffer, { seed }))).toEqual(order);
      }),
      { seed: 20, numRuns: 100 },
    );
  });

  it('has another order each epoch, given by seed and epoch alone', async () => {
    const data = range(40).shuffle(40, { seed: 5 });
    const epochs = [await numbers(data), await numbers(data), await numbers(data)];
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect(epochs[1]).not.toEqual(epochs[2]);
    const fresh = range(40).shuffle(40, { seed: 5 });
    expect(await numbers(fresh.iterate({ epoch: 2 }))).toEqual(epochs[2]);
    expect(await numbers(fresh)).toEqual(epochs[0]);
    expect(await numbers(range(40).shuffle(40, { seed: 6 }))).not.toEqual(epochs[0]);
  });

  it('keeps one order when told to, and draws a seed when given none', async () => {
    const still = range(30).shuffle(30, { seed: 5, reshuffleEachIteration: false });
    expect(await numbers(still)).toEqual(await numbers(still));
    const [a, b] = [range(30).shuffle(30), range(30).shuffle(30)];
    expect(await numbers(a)).not.toEqual(await numbers(b));
    expect(await numbers(a.iterate({ epoch: 3 }))).toEqual(await numbers(a.iterate({ epoch: 3 })));
  });

  it('gives each round of a repeat another order', async () => {
    const data = range(20).shuffle(20, { seed: 1 }).repeat(2);
    const all = await numbers(data);
    expect(sorted(all.slice(0, 20))).toEqual(upTo(20));
    expect(sorted(all.slice(20))).toEqual(upTo(20));
    expect(all.slice(0, 20)).not.toEqual(all.slice(20));
    expect(await numbers(opaque(range(20)).shuffle(20, { seed: 1 }).repeat(2))).toEqual(all);
  });

  it('puts every element in every place equally often (buffer as large as the data)', async () => {
    const counts = new Map<string, number>();
    const data = range(4).shuffle(4, { seed: 77 });
    for (let epoch = 0; epoch < 4800; epoch++) {
      const key = (await numbers(data)).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
    expect(chiSquared).toBeLessThan(49.73); // 23 degrees of freedom, p = 0.001
  });
});
