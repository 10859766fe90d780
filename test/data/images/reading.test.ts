import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as data from '../../../lib/data/index.js';
import { rowsInOrder } from '../../../lib/data/from-arrays.js';
import { openCalls } from '../../../lib/data/stages/parallel.js';
import { END } from '../../../lib/data/pull.js';
import { writeClasses } from './files.js';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'fovea-reading-'));
  await writeClasses(root, { a: 50, b: 50 });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const FD = '/proc/self/fd';
/** Open files of this process below a folder. */
async function openFiles(): Promise<string[]> {
  const { readlink } = await import('node:fs/promises');
  const links = await Promise.all(readdirSync(FD).map((fd) => readlink(path.join(FD, fd)).catch(() => '')));
  return links.filter((target) => target.startsWith(root));
}

describe('calls side by side', () => {
  it.each([2, 3, 8])('are never more than %i, taken or not, and keep the order', async (parallel) => {
    let [running, most, started] = [0, 0, 0];
    const call = async (row: number): Promise<number> => {
      started++;
      most = Math.max(most, ++running);
      await wait(Math.random() * 4);
      running--;
      return row;
    };
    const calls = openCalls(rowsInOrder(40), call, parallel)([0]);
    const seen: number[] = [];
    for (let row = await calls.next(); row !== END; row = await calls.next()) {
      seen.push(row);
      if (seen.length === 10) {
        // A consumer that takes its time finds no more than `parallel` results waiting.
        await wait(40);
        expect(started).toBeLessThanOrEqual(seen.length + parallel);
      }
    }
    await calls.close();
    expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(most).toBeLessThanOrEqual(parallel);
    expect(most).toBeGreaterThan(1);
  });
});

describe('reading images', () => {
  const read = (options = {}) => data.imageFolder(root, { imageSize: [8, 8], parallel: 4, ...options });

  it.skipIf(!existsSync(FD))('leaves no file open when the consumer stops, fails or aborts', async () => {
    const set = (await read()).shuffle(100, { seed: 1 }).batch(5).prefetch(3);
    for await (const _ of set) break;
    const failing = async () => {
      for await (const _ of set) throw new Error('enough');
    };
    await expect(failing()).rejects.toThrow('enough');
    const controller = new AbortController();
    const aborted = async () => {
      for await (const _ of set.iterate({ signal: controller.signal })) controller.abort();
    };
    await expect(aborted()).rejects.toMatchObject({ name: 'AbortError' });
    expect(await openFiles()).toEqual([]);
  });

  it('ends with the error of the image, and nothing is left to reject unheard', async () => {
    const broken = await mkdtemp(path.join(tmpdir(), 'fovea-broken-'));
    const unheard: unknown[] = [];
    const listener = (reason: unknown): void => void unheard.push(reason);
    process.on('unhandledRejection', listener);
    try {
      await writeClasses(broken, { a: 10 });
      for (const i of [3, 4, 5, 6]) await writeFile(path.join(broken, 'a', `00${i}.png`), 'broken');
      const set = await data.imageFolder(broken, { imageSize: 8, parallel: 8, shuffle: false });
      const seen: number[] = [];
      const consume = async () => {
        for await (const [image] of set) seen.push(image.data[2]!);
      };
      await expect(consume()).rejects.toThrow(/a\/003\.png/);
      expect(seen).toEqual([0, 1, 2]);
      await wait(20);
      expect(unheard).toEqual([]);
    } finally {
      process.off('unhandledRejection', listener);
      await rm(broken, { recursive: true, force: true });
    }
  });

  it('lets the event loop turn', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const batches = await (await read({ imageSize: [64, 64] })).batch(10).toArray();
    clearInterval(timer);
    expect(batches.length).toBe(10);
    expect(turns).toBeGreaterThan(3);
  });
});
