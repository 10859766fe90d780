import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Dataset } from '../../../lib/data/dataset.js';
import { hostTensor, scalar } from '../../../lib/data/host-tensor.js';
import { numbers, range } from '../support.js';
import { recorded } from './slow-data.js';
import { program } from '../../support/program.js';

let root = '';
let folder = '';
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'fovea-cache-'));
  folder = path.join(root, 'c');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const file = (name: string) => path.join(folder, name);

/** The numbers 0 .. 9 times ten; `calls` has those that were made rather than read. */
function counted(calls: number[], options = {}): Dataset<ReturnType<typeof scalar>> {
  return range(10)
    .map((x) => {
      calls.push(x.data[0]!);
      return scalar(10 * x.data[0]!, 'int32');
    })
    .cache(folder, options);
}
const TENS = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90];

describe('a cache in a folder', () => {
  it('is written in the first pass and read from then on, also by others', async () => {
    const calls: number[] = [];
    const set = counted(calls);
    expect(await numbers(set)).toEqual(TENS);
    expect(await numbers(set)).toEqual(TENS);
    expect(await numbers(counted(calls))).toEqual(TENS);
    expect(calls).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect((await readdir(folder)).sort()).toEqual(['cache.json', 'done.json', 'elements.bin']);
    expect(set.cardinality).toBe(10);
  });

  it('goes on behind what a pass left early has written', async () => {
    const calls: number[] = [];
    for await (const x of counted(calls)) if (x.data[0] === 30) break;
    expect(calls).toEqual([0, 1, 2, 3]);
    expect(await readdir(folder)).not.toContain('recording.json');
    expect(await numbers(counted(calls))).toEqual(TENS);
    expect(calls).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    // And through stages that have to drop what they cannot skip.
    await rm(folder, { recursive: true });
    const odd = () =>
      range(10)
        .filter((x) => x.data[0]! % 2 === 1)
        .cache(folder);
    expect(await numbers(odd().take(2))).toEqual([1, 3]);
    expect(await numbers(odd())).toEqual([1, 3, 5, 7, 9]);
  });

  it('keeps the order of the first epoch, as a shuffle before it gives it', async () => {
    const shuffled = () =>
      range(10)
        .shuffle(10, { seed: 4 })
        .map((x) => x)
        .cache(folder);
    for await (const x of shuffled().iterate({ epoch: 3 })) if (x.data[0] !== undefined) break;
    const first = await numbers(range(10).shuffle(10, { seed: 4 }).iterate({ epoch: 0 }));
    expect(await numbers(shuffled())).toEqual(first);
    expect(await numbers(shuffled())).toEqual(first);
  });

  it('holds what elements may be', async () => {
    const element = {
      image: hostTensor(Uint8Array.of(1, 2, 3, 4, 5, 6), [1, 2, 3]),
      nested: [scalar(-1.5), 7, [NaN, -0, Infinity]],
      text: 'a "b" ü',
      nothing: null,
      yes: true,
      empty: hostTensor(new Float32Array(0), [0, 3]),
    };
    const set = Dataset.fromGenerator(() => [element]).cache(folder);
    const written = await set.toArray();
    expect(written[0]).toBe(element);
    const [read] = await set.toArray();
    expect(read).toEqual(element);
    expect(Object.is((read!.nested[2] as number[])[1], -0)).toBe(true);
    const bad = Dataset.fromGenerator(() => [new Map()]).cache(path.join(root, 'bad'));
    await expect(bad.toArray()).rejects.toThrow(
      /fromGenerator > cache: expected tensors, .* received a value of type Map/,
    );
  });

  it('works for large elements and batches', async () => {
    const make = () =>
      Dataset.fromGenerator(() => [1, 2, 3].map((k) => hostTensor(new Float32Array(600_000).fill(k)))).cache(folder);
    await make().toArray();
    const back = await make().toArray();
    expect(back.map(({ data }) => [data.length, data[0], data.at(-1)])).toEqual([1, 2, 3].map((k) => [600_000, k, k]));
    expect((await make().batch(2).toArray()).map(({ shape }) => shape)).toEqual([
      [2, 600_000],
      [1, 600_000],
    ]);
  });
});

describe('a cache of other data', () => {
  it('is made anew when data, stages, functions or the key differ', async () => {
    const times = (set: Dataset<ReturnType<typeof scalar>>, options = {}) =>
      numbers(set.map((x) => scalar(x.data[0]! * 2, 'int32')).cache(folder, options));
    expect(await times(range(3))).toEqual([0, 2, 4]);
    expect(await times(range(4))).toEqual([0, 2, 4, 6]);
    expect(await times(range(4).take(2))).toEqual([0, 2]);
    expect(await times(range(4).take(3))).toEqual([0, 2, 4]);
    expect(await times(range(4).skip(3))).toEqual([6]);
    expect(
      await numbers(
        range(4)
          .map((x) => scalar(x.data[0]! * 3, 'int32'))
          .cache(folder),
      ),
    ).toEqual([0, 3, 6, 9]);
    const calls: number[] = [];
    await numbers(counted(calls, { key: 'a' }));
    await numbers(counted(calls, { key: 'a' }));
    expect(calls.length).toBe(10);
    await numbers(counted(calls, { key: 'b' }));
    expect(calls.length).toBe(20);
  });

  it('is not mixed up with another: a shuffle without a seed has a new one', async () => {
    const parts = () =>
      range(50)
        .shuffle(50)
        .split(0.5)
        .map((part, i) => part.map((x) => x).cache(`${folder}${i}`));
    for (let run = 0; run < 2; run++) {
      const [a, b] = parts();
      expect(new Set([...(await numbers(a!)), ...(await numbers(b!))]).size).toBe(50);
    }
  });

  it("never empties a folder that is somebody else's", async () => {
    await mkdir(folder);
    await writeFile(file('thesis.txt'), 'years of work');
    await expect(numbers(counted([]))).rejects.toThrow(
      /expected an empty folder, or one that is a cache, .*thesis\.txt/,
    );
    expect(await readdir(folder)).toEqual(['thesis.txt']);
    await writeFile(path.join(root, 'file'), '');
    const inFile = range(2).cache(path.join(root, 'file'));
    await expect(numbers(inFile)).rejects.toMatchObject({ code: 'ERR_FILE' });
    expect(() => range(2).cache('')).toThrow(/the path of a folder/);
  });
});

describe('a damaged cache', () => {
  it('is repaired when its end is torn', async () => {
    const calls: number[] = [];
    await numbers(counted(calls));
    const { size } = await stat(file('elements.bin'));
    await truncate(file('elements.bin'), size - 1);
    expect(await numbers(counted(calls))).toEqual(TENS);
    expect(calls.slice(10)).toEqual([9]);
    // Garbage behind the last whole element, as long as an element or longer.
    await rm(file('done.json'));
    await writeFile(file('elements.bin'), Buffer.alloc(1000, 0xff), { flag: 'a' });
    expect(await numbers(counted(calls))).toEqual(TENS);
    expect((await stat(file('elements.bin'))).size).toBe(size);
    expect(calls.length).toBe(11);
  });

  it('is told when a byte has changed, and repaired in the next pass', async () => {
    const calls: number[] = [];
    await numbers(counted(calls));
    const bytes = await readFile(file('elements.bin'));
    bytes[bytes.length - 20]! ^= 1;
    await writeFile(file('elements.bin'), bytes);
    await expect(numbers(counted(calls))).rejects.toThrow(
      /element 9 of 10 in .*elements\.bin .*the next pass repairs it/,
    );
    expect(await numbers(counted(calls))).toEqual(TENS);
    expect(calls.slice(10)).toEqual([9]);
  });

  it('with a length that lies allocates nothing', async () => {
    await numbers(counted([]));
    const bytes = await readFile(file('elements.bin'));
    bytes.writeUInt32LE(2 ** 31 - 1, 0);
    await writeFile(file('elements.bin'), bytes);
    await expect(numbers(counted([]))).rejects.toThrow(/element 0 of 10/);
  });
});

describe('several at once', () => {
  it('one writes, the others go without', async () => {
    const calls: number[] = [];
    const set = counted(calls);
    const first = set.iterate();
    const begun = [(await first.next()).value!.data[0]];
    expect(await numbers(set)).toEqual(TENS);
    for await (const x of first) begun.push(x.data[0]);
    expect(begun).toEqual(TENS);
    expect(calls.length).toBe(20);
    expect(await numbers(set)).toEqual(TENS);
    expect(calls.length).toBe(20);
  });

  it('a process that is killed leaves what it had, and the next goes on behind it', async () => {
    const child = spawn(process.execPath, [program(path.join(import.meta.dirname, 'child.ts')), folder]);
    let seen = 0;
    child.stdout.on('data', (text: Buffer) => {
      seen = Number(text.toString().trim().split('\n').at(-1));
      // 4 kB each, written by the megabyte: the kill comes in the middle.
      if (seen >= 60) child.kill('SIGKILL');
    });
    await once(child, 'close');
    expect(seen).toBeGreaterThanOrEqual(60);
    expect(seen).toBeLessThan(200);
    expect(await readdir(folder)).toContain('recording.json');
    let made = 0;
    const all = await recorded(folder, () => made++).toArray();
    expect(all.map(({ data }) => data[999])).toEqual(Array.from({ length: 200 }, (_, i) => Math.fround(i / 7)));
    expect((await readdir(folder)).sort()).toEqual(['cache.json', 'done.json', 'elements.bin']);
    expect(made).toBeLessThanOrEqual(200);
  });
});
