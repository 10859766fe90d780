import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder } from '../../lib/util/cache-folder.js';
import { withLock } from '../../lib/data/download/lock.js';

let folder = '';
let lock = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-lock-'));
  lock = path.join(folder, 'x.lock');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function leave(owner: object | undefined, ageMs: number): Promise<void> {
  await mkdir(lock);
  if (owner) await writeFile(path.join(lock, 'owner.json'), JSON.stringify(owner));
  const date = new Date(Date.now() - ageMs);
  await utimes(lock, date, date);
}

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid as number;
}

describe('withLock', () => {
  it('lets one in at a time, and out again after an error', async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await wait(10);
      inside--;
    };
    await Promise.all([1, 2, 3, 4].map(() => withLock(lock, { pollMs: 2 }, work)));
    expect(most).toBe(1);
    const failing = withLock(lock, {}, () => Promise.reject(new Error('inside')));
    await expect(failing).rejects.toThrow('inside');
    expect(await withLock(lock, {}, async () => 5)).toBe(5);
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes the lock of a process that died, at once', async () => {
    await leave({ pid: await deadPid(), host: hostname(), token: 'a' }, 0);
    expect(await withLock(lock, { signal: AbortSignal.timeout(2000) }, async () => 'in')).toBe('in');
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ['another machine', { pid: 1, host: 'elsewhere', token: 'a' }],
    ['nobody knows whom', undefined],
  ])('takes the lock of %s only when it has shown no life for long', async (_, owner) => {
    await leave(owner, 70_000);
    expect(await withLock(lock, {}, async () => 'in')).toBe('in');
    await leave(owner, 20_000);
    const waiting = withLock(lock, { signal: AbortSignal.timeout(100), pollMs: 10 }, async () => 'in');
    await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('waits for a living process, which keeps its lock fresh', async () => {
    const holder = withLock(lock, { staleAfterMs: 40 }, () => wait(300, 'held'));
    await wait(20);
    // Ten times the staleness for a process of this machine that lives: 400 ms without a sign, which never happens.
    const waiter = withLock(lock, { staleAfterMs: 40, pollMs: 5 }, async () => 'later');
    expect(await Promise.race([holder, waiter])).toBe('held');
    expect(await waiter).toBe('later');
  });

  it('lets only one of many take a dead lock', async () => {
    await leave({ pid: await deadPid(), host: hostname(), token: 'a' }, 0);
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await wait(5);
      inside--;
    };
    await Promise.all(Array.from({ length: 8 }, () => withLock(lock, { pollMs: 3 }, work)));
    expect(most).toBe(1);
  });

  it('says when the folder cannot be made', async () => {
    const failing = withLock(path.join(folder, 'none', 'x.lock'), {}, async () => 1);
    await expect(failing).rejects.toMatchObject({ code: 'ERR_FILE' });
  });
});

describe('cacheFolder', () => {
  it('is FOVEA_CACHE, or the place of the system', () => {
    const before = process.env['FOVEA_CACHE'];
    process.env['FOVEA_CACHE'] = folder;
    expect(cacheFolder('a', 'b')).toBe(path.join(folder, 'a', 'b'));
    delete process.env['FOVEA_CACHE'];
    expect(path.basename(cacheFolder())).toBe('fovea');
    if (before !== undefined) process.env['FOVEA_CACHE'] = before;
  });
});
