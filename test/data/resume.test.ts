import { describe, expect, it } from 'vitest';
import { arraysSource } from '../../lib/data/from-arrays.js';
import type { HostTensor } from '../../lib/data/host-tensor.js';
import { END } from '../../lib/data/pull.js';
import type { Source } from '../../lib/data/source.js';
import { batchSource } from '../../lib/data/stages/batch.js';
import { concatenateSource } from '../../lib/data/stages/concatenate.js';
import { filterSource } from '../../lib/data/stages/filter.js';
import { generatorSource } from '../../lib/data/stages/generator.js';
import { mapSource } from '../../lib/data/stages/map.js';
import { prefetchSource } from '../../lib/data/stages/prefetch.js';
import { repeatSource } from '../../lib/data/stages/repeat.js';
import { openFrom } from '../../lib/data/stages/resume.js';
import { shuffleSource } from '../../lib/data/stages/shuffle.js';
import { skipSource, takeSource } from '../../lib/data/stages/take-skip.js';

type Scalars = Source<HostTensor>;

const rows = (): Scalars => arraysSource([Int32Array.from({ length: 23 }, (_, i) => i)]);
const made = (): Scalars => mapSource(rows(), (x) => x, {});

async function elements(source: Source<unknown>, from: number): Promise<unknown[]> {
  const puller = openFrom(source, from)([2]);
  const all: unknown[] = [];
  for (let x = await puller.next(); x !== END; x = await puller.next()) all.push(x);
  await puller.close();
  return all;
}

const sources: [string, (input: Scalars) => Source<unknown>][] = [
  ['nothing', (s) => s],
  ['shuffle', (s) => shuffleSource(s, 7, { seed: 1 })],
  ['map', (s) => mapSource(s, (x, index, pass) => [x, index, ...pass], {})],
  ['map side by side', (s) => mapSource(s, async (x, index) => [x, index], { parallel: 4 })],
  ['batch', (s) => batchSource(s, 4, {})],
  ['batch without the rest', (s) => batchSource(s, 4, { dropRemainder: true })],
  [
    'prefetch',
    (s) =>
      prefetchSource(
        mapSource(s, (x, index) => [x, index], {}),
        3,
      ),
  ],
  ['take and skip', (s) => takeSource(skipSource(s, 3), 11)],
  ['repeat', (s) => repeatSource(shuffleSource(s, 5, { seed: 2 }), 2)],
  ['filter', (s) => filterSource(s, (x) => x.data[0]! % 3 !== 0)],
  ['concatenate', (s) => concatenateSource(s, s)],
  [
    'all of them',
    (s) =>
      batchSource(
        mapSource(shuffleSource(s, 30, { seed: 3 }), (x) => x, { parallel: 3 }),
        5,
        {},
      ),
  ],
];

describe('opening behind a count of elements', () => {
  it.each(sources)('gives what dropping them would: %s', async (_, build) => {
    for (const input of [rows(), made()]) {
      const all = await elements(build(input), 0);
      expect(all.length).toBeGreaterThan(3);
      for (const from of [1, 2, 3, all.length - 1, all.length, all.length + 5]) {
        expect(await elements(build(input), from)).toEqual(all.slice(from));
      }
    }
  });

  it('makes nothing it need not', async () => {
    const calls: number[] = [];
    const noting = (x: HostTensor): HostTensor => (calls.push(x.data[0]!), x);
    await elements(batchSource(prefetchSource(mapSource(rows(), noting, {}), 2), 4, {}), 4);
    expect(calls).toEqual([16, 17, 18, 19, 20, 21, 22]);
    // A generator cannot be told where to begin.
    let yielded = 0;
    const generator = generatorSource(function* () {
      for (; yielded < 5; yielded++) yield yielded;
    }, 5);
    expect(await elements(generator, 3)).toEqual([3, 4]);
    expect(yielded).toBe(5);
  });
});
