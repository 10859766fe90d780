import { describe, expect, it } from 'vitest';
import { Dataset } from '../../lib/data/dataset.js';
import { type HostTensor, hostTensor, scalar } from '../../lib/data/host-tensor.js';
import { numbers, range } from './support.js';

describe('fromArrays', () => {
  it('slices along the first axis, as views', async () => {
    const x = hostTensor(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2]);
    const elements = await Dataset.fromArrays(x, Int32Array.of(7, 8, 9)).toArray();
    expect(elements).toEqual([
      [hostTensor(Float32Array.of(1, 2)), scalar(7, 'int32')],
      [hostTensor(Float32Array.of(3, 4)), scalar(8, 'int32')],
      [hostTensor(Float32Array.of(5, 6)), scalar(9, 'int32')],
    ]);
    expect(elements[2]?.[0].data.buffer).toBe(x.data.buffer);
  });

  it('takes nested numbers, shaped data, sample weights, tuples and records', async () => {
    const nested = Dataset.fromArrays([[1, 2], [3, 4]], [0, 1], [0.5, 1], { yDtype: 'int32' }); // prettier-ignore
    expect(await nested.take(1).toArray()).toEqual([
      [hostTensor(Float32Array.of(1, 2)), scalar(0, 'int32'), scalar(0.5)],
    ]);
    const inputs = { image: { data: new Uint8Array(8), shape: [2, 2, 2] }, side: [1, 2] };
    const [first] = await Dataset.fromArrays(inputs, [[1], [2]]).toArray();
    expect(first?.[0].image.shape).toEqual([2, 2]);
    expect(first?.[0].side).toEqual(scalar(1));
    const [pair] = await Dataset.fromArrays([hostTensor(new Float32Array(2)), hostTensor(new Int32Array(2))]).toArray();
    expect(pair?.map((tensor) => tensor.dtype)).toEqual(['float32', 'int32']);
    expect(await Dataset.fromArrays(new Float32Array(0)).toArray()).toEqual([]);
  });

  it('refuses what does not fit together', () => {
    expect(() => Dataset.fromArrays(new Float32Array(3), new Int32Array(2))).toThrow(/one length.*\[3\] and \[2\]/);
    expect(() => Dataset.fromArrays(scalar(1))).toThrow(/one length along the first axis, received \[\]/);
    expect(() => Dataset.fromArrays({ data: new Float32Array(3), shape: [2] })).toThrow(/expected 2 numbers/);
    expect(() => Dataset.fromArrays('text' as unknown as number[])).toThrow(/received the string "text"/);
    expect(() => Dataset.fromArrays({} as unknown as number[])).toThrow(/at least one tensor/);
    expect(() => Dataset.fromArrays([1], undefined as unknown as number[], [1])).toThrow(/expected y/);
  });
});

describe('stages', () => {
  it('take, skip, concatenate, enumerate, repeat, filter, map', async () => {
    const data = range(6);
    expect(await numbers(data.take(2))).toEqual([0, 1]);
    expect(await numbers(data.take(20))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await numbers(data.skip(4))).toEqual([4, 5]);
    expect(await numbers(data.skip(40))).toEqual([]);
    expect(await numbers(data.skip(4).concatenate(data.take(1)))).toEqual([4, 5, 0]);
    expect(await numbers(data.take(2).repeat(3))).toEqual([0, 1, 0, 1, 0, 1]);
    expect(await numbers(data.take(2).repeat().take(5))).toEqual([0, 1, 0, 1, 0]);
    expect(await numbers(data.repeat(0))).toEqual([]);
    expect(await numbers(data.take(0).repeat())).toEqual([]);
    expect(await numbers(data.filter((item) => (item.data[0] as number) % 2 === 1))).toEqual([1, 3, 5]);
    expect(await numbers(data.filter(async (_, index) => index > 3))).toEqual([4, 5]);
    expect(await data.skip(4).enumerate(10).toArray()).toEqual([
      [10, scalar(4, 'int32')],
      [11, scalar(5, 'int32')],
    ]);
    expect(await data.map((item, index) => (item.data[0] as number) + index).toArray()).toEqual([0, 2, 4, 6, 8, 10]);
  });

  it('can be iterated again and leave their source as it was', async () => {
    const data = range(3);
    const doubled = data.map((item) => (item.data[0] as number) * 2);
    expect(await doubled.toArray()).toEqual([0, 2, 4]);
    expect(await doubled.toArray()).toEqual([0, 2, 4]);
    expect(await numbers(data)).toEqual([0, 1, 2]);
  });

  it('know their cardinality', () => {
    const data = range(10);
    const generated = Dataset.fromGenerator(() => [1, 2, 3]);
    expect(data.cardinality).toBe(10);
    expect(data.batch(3).cardinality).toBe(4);
    expect(data.batch(3, { dropRemainder: true }).cardinality).toBe(3);
    expect(data.repeat(2).skip(3).take(100).map(String).prefetch(2).cardinality).toBe(17);
    expect(data.repeat().cardinality).toBe('infinite');
    expect(data.repeat().take(7).cardinality).toBe(7);
    expect(data.take(0).repeat().cardinality).toBe(0);
    expect(data.concatenate(data).cardinality).toBe(20);
    expect(data.concatenate(data.repeat()).cardinality).toBe('infinite');
    expect(data.filter(() => true).cardinality).toBe('unknown');
    expect(generated.cardinality).toBe('unknown');
    expect(generated.take(2).cardinality).toBe('unknown');
    expect(
      Dataset.fromGenerator(() => [1], { cardinality: 1 })
        .shuffle(2)
        .cache()
        .enumerate().cardinality,
    ).toBe(1);
  });

  it('split gives two parts that never share an element, also after a shuffle', async () => {
    const [train, validation] = range(10).shuffle(10).split(0.7);
    expect([train.cardinality, validation.cardinality]).toEqual([7, 3]);
    for (let epoch = 0; epoch < 3; epoch++) {
      const all = [...(await numbers(train.shuffle(7))), ...(await numbers(validation))];
      expect(all.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
    expect(() => range(3).split(1.5)).toThrow(/between 0 and 1, received 1.5/);
    expect(() => range(3).repeat().split(0.5)).toThrow(/known length, received one of infinite length/);
  });

  it('cache replays the first complete pass; one left early keeps nothing', async () => {
    let made = 0;
    const data = Dataset.fromGenerator(() => [made++, made++]).cache();
    for await (const _ of data) break;
    expect(await data.toArray()).toEqual([2, 3]);
    expect(await data.toArray()).toEqual([2, 3]);
    const order = range(50).shuffle(50, { seed: 1 }).cache();
    const first = await numbers(order.map((item) => item));
    expect(await numbers(order)).toEqual(first);
    const resumed: number[] = [];
    for await (const item of range(50).shuffle(50, { seed: 1 }).cache().iterate({ epoch: 7 })) {
      resumed.push(item.data[0] as number);
    }
    expect(resumed).toEqual(first);
  });

  it.each([
    ['batch', () => range(3).batch(0), /batch: expected the size to be an integer of at least 1, received 0/],
    ['shuffle', () => range(3).shuffle(-1), /bufferSize/],
    ['shuffle seed', () => range(3).shuffle(1, { seed: NaN }), /seed/],
    ['take', () => range(3).take(1.5), /received 1.5/],
    ['skip', () => range(3).skip(-1), /at least 0/],
    ['repeat', () => range(3).repeat(-1), /at least 0/],
    ['prefetch', () => range(3).prefetch(NaN), /received NaN/],
    ['map', () => range(3).map(undefined as unknown as () => 1), /expected a function/],
    ['parallel', () => range(3).map(() => 1, { parallel: 0 }), /parallel/],
    ['generator', () => Dataset.fromGenerator(7 as unknown as () => number[]), /expected a function, received number/],
    ['epoch', () => range(3).iterate({ epoch: -1 }), /epoch/],
  ])('%s refuses bad arguments at the call', (_, call, message) => {
    expect(call).toThrow(message);
  });

  it('toArray refuses an infinite dataset', async () => {
    await expect(range(2).repeat().toArray()).rejects.toThrow(/infinite/);
  });
});

describe('map', () => {
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it('keeps the order with calls running side by side, and no more than told', async () => {
    let running = 0;
    let most = 0;
    const data = range(20).map(
      async (item: HostTensor, index) => {
        most = Math.max(most, ++running);
        await wait((index * 7) % 5);
        running--;
        return item.data[0];
      },
      { parallel: 4 },
    );
    expect(await data.toArray()).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  it.each([1, 3])('tells the function which pass this is (parallel %i)', async (parallel) => {
    const passes = range(1)
      .repeat(2)
      .map(async (_, index, pass) => [index, ...pass], { parallel });
    expect(await passes.toArray()).toEqual([[0, 0], [1, 0]]); // prettier-ignore
    expect(await passes.toArray()).toEqual([[0, 1], [1, 1]]); // prettier-ignore
  });

  it.each([1, 3])('names stage, element and cause of a failure (parallel %i)', async (parallel) => {
    const seen: unknown[] = [];
    const data = range(8)
      .shuffle(1)
      .map(
        async (item, index) => {
          if (index === 3) throw new TypeError('no such colour');
          return item.data[0];
        },
        { parallel },
      );
    const failure: unknown = await (async () => {
      for await (const item of data) seen.push(item);
    })().catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: 'FoveaError',
      code: 'ERR_DATA',
      message: 'fromArrays > shuffle > map: the function failed on element 3: no such colour',
    });
    expect((failure as Error).cause).toBeInstanceOf(TypeError);
    expect(seen).toEqual([0, 1, 2]);
  });

  it('names the stage when a filter or a synchronous map fails', async () => {
    const boom = () => {
      throw new Error('boom');
    };
    await expect(range(1).map(boom).toArray()).rejects.toThrow(
      'fromArrays > map: the function failed on element 0: boom',
    );
    await expect(range(1).filter(boom).toArray()).rejects.toThrow('fromArrays > filter: the function failed');
  });

  it('leaves no function of the user at work when the loop ends', async () => {
    let running = 0;
    const data = range(50).map(
      async () => {
        running++;
        await wait(3);
        running--;
      },
      { parallel: 5 },
    );
    for await (const _ of data) break;
    expect(running).toBe(0);
  });
});
