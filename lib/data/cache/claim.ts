import { mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { endianness, hostname } from 'node:os';
import path from 'node:path';
import { FoveaError, mismatch } from '../../errors.js';
import { isAlive, writeJsonAtomic } from '../../util/atomic-file.js';
import { crypto } from '../../util/builtins.js';
import { withLock } from '../download/lock.js';

// A cache is a folder of files:
//   cache.json      what it is a cache of
//   elements.bin    the elements, one after the other
//   done.json       present when they are complete
//   recording.json  who is writing them at present
// Who decides what to do with the folder holds a lock for that moment; who writes elements holds recording.json.

const FORMAT = 'fovea-cache-1';
/** These, what a process that died has left of them, and what the system hides there. */
const OWN = /^(\..*|cache\.json|elements\.bin|done\.json|recording\.json|lock.*)$/;

/** A recorder that has not shown a sign of life for this long is taken for dead. */
const STALE_MS = 10 * 60_000;
const BEAT_MS = 60_000;

interface Header {
  readonly format: string;
  readonly fingerprint: string;
  readonly endianness: string;
}

interface Done {
  readonly count: number;
  readonly bytes: number;
}

interface Recorder {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
}

/** What may be done with a cache: read it, write it, or (while somebody else writes it) neither. */
export type Claim =
  | { readonly mode: 'replay'; readonly count: number; readonly bytes: number }
  | { readonly mode: 'record'; readonly lease: Lease }
  | { readonly mode: 'bypass' };

/** The files of a cache. */
export class CacheFolder {
  constructor(readonly folder: string) {}

  get elements(): string {
    return path.join(this.folder, 'elements.bin');
  }

  get recording(): string {
    return path.join(this.folder, 'recording.json');
  }

  async read<T>(name: string): Promise<T | undefined> {
    try {
      return JSON.parse(await readFile(path.join(this.folder, name), 'utf8')) as T;
    } catch (error) {
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  write(name: string, value: unknown): Promise<void> {
    return writeJsonAtomic(path.join(this.folder, name), value);
  }

  async remove(...names: string[]): Promise<void> {
    for (const name of names) await rm(path.join(this.folder, name), { force: true });
  }

  /** Whether somebody else writes the elements. */
  async isRecording(): Promise<boolean> {
    const recorder = await this.read<Recorder>('recording.json');
    if (!recorder) return false;
    const age = await stat(this.recording).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => Infinity,
    );
    if (age > STALE_MS) return false;
    return recorder.host !== hostname() || isAlive(recorder.pid);
  }
}

/** The right to write the elements of a cache, until it is released. */
export class Lease {
  readonly #token = crypto().randomUUID();
  #beat: NodeJS.Timeout | undefined;

  constructor(private readonly cache: CacheFolder) {}

  async take(): Promise<void> {
    await this.cache.write('recording.json', { token: this.#token, pid: process.pid, host: hostname() });
    this.#beat = setInterval(() => {
      const now = new Date();
      utimes(this.cache.recording, now, now).catch(() => undefined);
    }, BEAT_MS);
    this.#beat.unref();
  }

  /** Declares the elements complete, unless somebody has taken us for dead in the meantime. */
  async complete(done: Done): Promise<void> {
    if (await this.#ours()) await this.cache.write('done.json', done);
  }

  async release(): Promise<void> {
    clearInterval(this.#beat);
    if (await this.#ours()) await this.cache.remove('recording.json');
  }

  async #ours(): Promise<boolean> {
    return (await this.cache.read<Recorder>('recording.json'))?.token === this.#token;
  }
}

/** Refuses a folder with other things in it. */
async function checkOurs({ folder }: CacheFolder): Promise<void> {
  const foreign = (await readdir(folder)).filter((name) => !OWN.test(name));
  if (foreign.length === 0) return;
  throw mismatch(
    'ERR_FILE',
    { op: 'cache' },
    `an empty folder, or one that is a cache`,
    `${folder} with ${foreign[0]}`,
  );
}

async function decide(cache: CacheFolder, fingerprint: string): Promise<Claim> {
  const wanted: Header = { format: FORMAT, fingerprint, endianness: endianness() };
  const found = await cache.read<Header>('cache.json');
  const busy = await cache.isRecording();
  if (!found) await checkOurs(cache);
  const same = (Object.keys(wanted) as (keyof Header)[]).every((key) => found?.[key] === wanted[key]);
  if (!same) {
    if (busy) {
      throw new FoveaError(`cache: ${cache.folder} is being written by another process, for other data`, {
        code: 'ERR_FILE',
        op: 'cache',
      });
    }
    await cache.remove('done.json', 'elements.bin');
    await cache.write('cache.json', wanted);
  }
  const done = await cache.read<Done>('done.json');
  if (done) {
    const size = await stat(cache.elements).then(
      (about) => about.size,
      () => -1,
    );
    if (size === done.bytes) return { mode: 'replay', ...done };
    await cache.remove('done.json');
  }
  if (busy) return { mode: 'bypass' };
  const lease = new Lease(cache);
  await lease.take();
  return { mode: 'record', lease };
}

/**
 * Decides what may be done with a cache. One that was made of other data is emptied.
 *
 * @param fingerprint - of the data that it should be made of
 * @throws FoveaError ERR_FILE for a folder that is none of ours, or that cannot be read or written
 */
export async function claimCache(cache: CacheFolder, fingerprint: string): Promise<Claim> {
  try {
    await mkdir(cache.folder, { recursive: true });
    return await withLock(path.join(cache.folder, 'lock'), {}, () => decide(cache, fingerprint));
  } catch (cause) {
    if (cause instanceof FoveaError) throw cause;
    const message = `cache: cannot use ${cache.folder}: ${(cause as Error).message}`;
    throw new FoveaError(message, { code: 'ERR_FILE', op: 'cache', cause });
  }
}
