import { mkdir, readFile, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { FoveaError } from '../../errors.js';
import { isAlive } from '../../util/atomic-file.js';
import { crypto } from '../../util/builtins.js';

interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly token: string;
}

/** Options of {@link withLock}. */
export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** A holder that has not shown a sign of life for this long is taken for dead. 60 s unless told. */
  readonly staleAfterMs?: number;
  /** How often to look while somebody else holds the lock. 200 ms unless told. */
  readonly pollMs?: number;
}

/** A process of this machine that still runs may be blocked; it is given this many times longer. */
const ALIVE_PATIENCE = 10;
/** Breaking a lock takes milliseconds. */
const BREAKER_AGE_MS = 10_000;

async function ageOf(folder: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(folder)).mtimeMs;
  } catch {
    return undefined;
  }
}

async function readOwner(lock: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path.join(lock, 'owner.json'), 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

/** Whether the holder is dead, as far as one can know. */
async function isStale(lock: string, staleAfterMs: number): Promise<boolean> {
  const age = await ageOf(lock);
  if (age === undefined) return false;
  const owner = await readOwner(lock);
  if (owner?.host !== hostname()) return age > staleAfterMs;
  return !isAlive(owner.pid) || age > staleAfterMs * ALIVE_PATIENCE;
}

/** Makes a folder; false when it exists. */
async function make(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a stale lock. Only one process at a time may, or a slow one would remove the next holder's lock. */
async function breakLock(lock: string, staleAfterMs: number): Promise<void> {
  const breaker = `${lock}.break`;
  if (!(await make(breaker))) {
    if (((await ageOf(breaker)) ?? 0) > BREAKER_AGE_MS) await rmdir(breaker).catch(() => undefined);
    return;
  }
  try {
    if (await isStale(lock, staleAfterMs)) await rm(lock, { recursive: true, force: true });
  } finally {
    await rmdir(breaker).catch(() => undefined);
  }
}

async function acquire(lock: string, token: string, options: LockOptions): Promise<void> {
  const { staleAfterMs = 60_000, pollMs = 200, signal } = options;
  for (;;) {
    signal?.throwIfAborted();
    if (await make(lock)) break;
    if (await isStale(lock, staleAfterMs)) await breakLock(lock, staleAfterMs);
    else await wait(pollMs * (0.5 + Math.random()), undefined, { signal });
  }
  const owner: Owner = { pid: process.pid, host: hostname(), token };
  await writeFile(path.join(lock, 'owner.json'), JSON.stringify(owner));
}

/**
 * Runs a function while holding a lock that other processes respect: a folder, which only one can make. Waits for a
 * living holder; takes the lock of a dead one.
 *
 * @param lock - path of the folder; its parent must exist
 * @param options - abort signal, staleness
 * @throws FoveaError ERR_FILE when the folder cannot be made; the signal's reason when aborted
 */
export async function withLock<T>(lock: string, options: LockOptions, run: () => Promise<T>): Promise<T> {
  const token = crypto().randomUUID();
  try {
    await acquire(lock, token, options);
  } catch (cause) {
    if (options.signal?.aborted) throw options.signal.reason;
    throw new FoveaError(`cannot lock ${lock}: ${(cause as Error).message}`, { code: 'ERR_FILE', op: 'lock', cause });
  }
  const beat = setInterval(
    () => {
      const now = new Date();
      utimes(lock, now, now).catch(() => undefined);
    },
    (options.staleAfterMs ?? 60_000) / 4,
  );
  beat.unref();
  try {
    return await run();
  } finally {
    clearInterval(beat);
    if ((await readOwner(lock))?.token === token) await rm(lock, { recursive: true, force: true });
  }
}
