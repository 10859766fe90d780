import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Dataset } from '../../lib/data/dataset.js';
import { numbers, range } from './support.js';

/** A generator that tells when it was started and when it was left. */
function observed(count = Infinity, failAt = -1) {
  const log = { opened: 0, closed: 0, made: 0 };
  const data = Dataset.fromGenerator(async function* () {
    log.opened++;
    try {
      for (let i = 0; i < count; i++) {
        if (i === failAt) throw new Error('disk on fire');
        log.made++;
        yield i;
      }
    } finally {
      log.closed++;
    }
  });
  return { log, data };
}

const stages: [string, (data: Dataset<number>) => Dataset<unknown>][] = [
  ['nothing', (data) => data],
  ['map', (data) => data.map((x) => x)],
  ['parallel map', (data) => data.map(async (x) => x, { parallel: 3 })],
  ['filter', (data) => data.filter(() => true)],
  ['shuffle', (data) => data.shuffle(5)],
  ['batch', (data) => data.batch(3)],
  ['batch and unbatch', (data) => data.batch(3).unbatch()],
  ['repeat', (data) => data.take(2).repeat()],
  ['skip and take', (data) => data.skip(1).take(100)],
  ['cache', (data) => data.cache()],
  ['prefetch', (data) => data.prefetch(4)],
  [
    'prefetch under all',
    (data) =>
      data
        .prefetch(2)
        .map((x) => x)
        .batch(2)
        .prefetch(2),
  ],
  ['concatenate', (data) => data.concatenate(data)],
  ['enumerate', (data) => data.enumerate()],
];

describe('leaving early', () => {
  it.each(stages)('closes the generator behind %s', async (_, build) => {
    const { log, data } = observed();
    let count = 0;
    for await (const _element of build(data)) if (++count === 3) break;
    expect(count).toBe(3);
    expect(log.closed).toBe(log.opened);
    const { made } = log;
    await wait(5);
    expect(log.made).toBe(made);
  });

  it.each(stages)('closes the generator when the consumer behind %s throws', async (_, build) => {
    const { log, data } = observed();
    const consume = async () => {
      for await (const _element of build(data)) throw new Error('enough');
    };
    await expect(consume()).rejects.toThrow('enough');
    expect(log.closed).toBe(log.opened);
  });

  it.each(stages)('passes on an error from behind %s, named, and closes', async (_, build) => {
    const { log, data } = observed(Infinity, 1);
    const consume = async () => {
      for await (const _element of build(data)) void _element;
    };
    await expect(consume()).rejects.toThrow('fromGenerator: the generator failed after 1 elements: disk on fire');
    expect(log.closed).toBe(log.opened);
  });

  it('never starts a generator nobody pulls from', async () => {
    const { log, data } = observed();
    const iteration = data.batch(2).iterate();
    await iteration.return();
    expect(await iteration.next()).toEqual({ done: true, value: undefined });
    expect(log.opened).toBe(0);
  });

  it('works with await using semantics', async () => {
    const { log, data } = observed();
    const iteration = data.iterate();
    await iteration.next();
    await iteration[Symbol.asyncDispose]();
    expect(log.closed).toBe(1);
  });
});

describe('iterate', () => {
  it('answers overlapping calls of next in order', async () => {
    const iteration = range(3)
      .map(async (x) => x.data[0])
      .iterate();
    const results = await Promise.all([iteration.next(), iteration.next(), iteration.next(), iteration.next()]);
    expect(results.map((result) => result.value)).toEqual([0, 1, 2, undefined]);
  });

  it('ends with the reason of its signal and closes', async () => {
    const { log, data } = observed();
    const controller = new AbortController();
    const consume = async () => {
      for await (const element of data.iterate({ signal: controller.signal })) if (element === 2) controller.abort();
    };
    await expect(consume()).rejects.toMatchObject({ name: 'AbortError' });
    expect(log.closed).toBe(1);
  });

  it('gives the generator its epoch, and two iterations at once their own state', async () => {
    const data = Dataset.fromGenerator(({ epoch }) => [epoch]);
    expect([...(await data.toArray()), ...(await data.toArray())]).toEqual([0, 1]);
    const both = range(3);
    expect(await Promise.all([numbers(both), numbers(both)])).toEqual([[0, 1, 2], [0, 1, 2]]); // prettier-ignore
  });

  it('says what a generator must return', async () => {
    const data = Dataset.fromGenerator(() => 5 as unknown as number[]);
    await expect(data.toArray()).rejects.toThrow('expected the function to return an iterable, received 5');
    const failing = Dataset.fromGenerator((): number[] => {
      throw new Error('no file');
    });
    await expect(failing.toArray()).rejects.toThrow('fromGenerator: the generator failed after 0 elements: no file');
  });
});

describe('prefetch', () => {
  it('works ahead while the consumer is busy, by no more than its size', async () => {
    const { log, data } = observed(20);
    const iteration = data.prefetch(3).iterate();
    await iteration.next();
    await wait(20);
    expect(log.made).toBe(4);
    await iteration.next();
    await wait(20);
    expect(log.made).toBe(5);
    await iteration.return();
  });

  it('delivers what came before an error first', async () => {
    const { data } = observed(20, 3);
    const iteration = data.prefetch(10).iterate();
    await wait(5);
    expect((await iteration.next()).value).toBe(0);
    await wait(20);
    expect((await iteration.next()).value).toBe(1);
    expect((await iteration.next()).value).toBe(2);
    await expect(iteration.next()).rejects.toThrow('disk on fire');
    expect((await iteration.next()).done).toBe(true);
  });

  it('gives everything in order to stages that pull without waiting', async () => {
    for (const size of [1, 2, 7]) {
      const data = range(100).prefetch(size).batch(3).unbatch().prefetch(size);
      expect(await numbers(data)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    }
  });

  it('lets the event loop turn between elements of a synchronous source', async () => {
    let turns = 0;
    let made = 0;
    const timer = setInterval(() => turns++, 0);
    const data = Dataset.fromGenerator(function* () {
      for (let i = 0; i < 10; i++) {
        const until = performance.now() + 2;
        while (performance.now() < until);
        made++;
        yield i;
      }
    });
    const iteration = data.prefetch(10).iterate();
    await iteration.next();
    // However long it takes: every element leaves a turn, in which the timer is due.
    while (made < 10) await wait(5);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
    await iteration.return();
  });
});
