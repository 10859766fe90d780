import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dataset } from '../../lib/data/dataset.js';
import { type HostTensor, hostTensor, scalar } from '../../lib/data/host-tensor.js';
import { range } from './support.js';

const image = (...shape: number[]) => hostTensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
const collect = async (elements: unknown[], size = 8) =>
  Dataset.fromGenerator(() => elements)
    .batch(size)
    .toArray();

describe('batch', () => {
  it('stacks rows of arrays into contiguous memory of its own', async () => {
    const x = hostTensor(
      Float32Array.from({ length: 10 }, (_, i) => i),
      [5, 2],
    );
    const batches = await Dataset.fromArrays(x, Int32Array.of(5, 6, 7, 8, 9))
      .batch(2)
      .toArray();
    expect(batches).toEqual([
      [hostTensor(Float32Array.of(0, 1, 2, 3), [2, 2]), hostTensor(Int32Array.of(5, 6))],
      [hostTensor(Float32Array.of(4, 5, 6, 7), [2, 2]), hostTensor(Int32Array.of(7, 8))],
      [hostTensor(Float32Array.of(8, 9), [1, 2]), hostTensor(Int32Array.of(9))],
    ]);
    expect(batches[0]?.[0].data.buffer).not.toBe(x.data.buffer);
    expect(await Dataset.fromArrays(x).batch(2, { dropRemainder: true }).toArray()).toHaveLength(2);
  });

  it('gathers the same batches from rows as it stacks from elements', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(5),
        async (n, size, width) => {
          const x = hostTensor(
            Float32Array.from({ length: n * width }, (_, i) => i),
            [n, width],
          );
          const data = Dataset.fromArrays({ x, y: new Uint8Array(n).map((_, i) => i) }).shuffle(10, { seed: n });
          const gathered = await data.batch(size).toArray();
          const stacked = await data
            .map((item) => item)
            .batch(size)
            .iterate({ epoch: 0 })
            .next();
          expect(gathered[0]).toEqual(stacked.value);
          expect(gathered.reduce((sum, batch) => sum + (batch.x.shape[0] as number), 0)).toBe(n);
        },
      ),
      { seed: 21, numRuns: 100 },
    );
  });

  it('turns numbers into float32 and goes through tuples and records', async () => {
    const [batch] = await collect([{ a: [1, scalar(2, 'int32')] }, { a: [3, scalar(4, 'int32')] }]);
    expect(batch).toEqual({ a: [hostTensor(Float32Array.of(1, 3)), hostTensor(Int32Array.of(2, 4))] });
  });

  it('batches batches', async () => {
    const [batch] = await range(6).batch(3).batch(2).toArray();
    expect(batch).toEqual(hostTensor(Int32Array.of(0, 1, 2, 3, 4, 5), [2, 3]));
  });

  it.each([
    [
      'ERR_SHAPE',
      [image(28, 28, 1), image(28, 28, 1), image(28, 27, 1)],
      'fromGenerator > batch: expected shape [28,28,1] as in element 0, received float32 [28,27,1] in element 2',
    ],
    ['ERR_SHAPE', [image(2, 2), image(4)], 'expected shape [2,2] as in element 0, received float32 [4] in element 1'],
    [
      'ERR_SHAPE',
      [[image(2), 1], [image(3), 1]], // prettier-ignore
      'expected shape [2] of component [0] as in element 0, received float32 [3] in element 1',
    ],
    ['ERR_DTYPE', [scalar(1), scalar(1, 'int32')], 'expected float32 as in element 0, received int32 [] in element 1'],
    ['ERR_DATA', [{ a: 1 }, { b: 1 }], 'expected a record of a as in element 0'],
    ['ERR_DATA', [[1, 2], [1]], 'expected a tuple of 2 as in element 0, received an array of 1 in element 1'],
    ['ERR_DATA', [1, 'x'], 'expected a number as in element 0, received the string "x" in element 1'],
    ['ERR_DATA', [scalar(1), 1], 'expected a host tensor as in element 0, received 1 in element 1'],
    ['ERR_DATA', [new Date(0)], 'received a value of type Date of element 0'],
    ['ERR_SHAPE', [image(2), { ...image(2), data: new Float32Array(3) }], 'expected 2 numbers'],
  ])('%s names the element: %#', async (code, elements, message) => {
    const failure: unknown = await collect(elements as unknown[]).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'FoveaError', code });
    expect((failure as Error).message).toContain(message);
  });

  it('shuffles and batches 60,000 images quickly', async () => {
    const x = hostTensor(new Float32Array(60_000 * 784).fill(1), [60_000, 28, 28, 1]);
    const data = Dataset.fromArrays(x, new Int32Array(60_000)).shuffle(60_000).batch(32);
    let best = Infinity;
    for (let run = 0; run < 5; run++) {
      const start = performance.now();
      let count = 0;
      for await (const _ of data) count++;
      best = Math.min(best, performance.now() - start);
      expect(count).toBe(1875);
    }
    // About 50 ms on two quiet cores; the bound leaves room for busy ones.
    expect(best).toBeLessThan(500);
  });

  it('counts elements over the whole pass', async () => {
    await expect(collect([image(1), image(1), image(1), image(2)], 2)).rejects.toThrow(/element 2, .* in element 3/);
  });
});

describe('unbatch', () => {
  it('undoes batch, with views', async () => {
    const data = Dataset.fromArrays(hostTensor(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2]), [7, 8, 9]);
    expect(await data.batch(2).unbatch().toArray()).toEqual(await data.toArray());
    expect(data.batch(2).unbatch().cardinality).toBe('unknown');
  });

  it('names what cannot be split', async () => {
    await expect(range(2).unbatch().toArray()).rejects.toThrow(/fromArrays > unbatch: .*first axis, received \[\]/);
    await expect(
      Dataset.fromGenerator(() => [['a']])
        .unbatch()
        .toArray(),
    ).rejects.toThrow(/host tensor at \[0\]/);
    const uneven: [HostTensor, HostTensor][] = [[image(2, 1), image(3, 1)]];
    await expect(
      Dataset.fromGenerator(() => uneven)
        .unbatch()
        .toArray(),
    ).rejects.toThrow(/\[2,1\] and \[3,1\]/);
  });
});
