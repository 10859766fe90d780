import { mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { FoveaError } from '../errors.js';
import { syncFolder } from '../util/atomic-file.js';
import { attempt, type DownloadProgress } from './download/attempt.js';
import { differenceOf, type Expectation } from './download/digest.js';
import { withLock } from './download/lock.js';
import { dropNotes, dropPart } from './download/part.js';
import { DownloadProblem } from './download/problem.js';

/** Options of {@link download}. */
export interface DownloadOptions extends Expectation {
  /** How many failures in a row, without a byte gained, are borne per address. 5 unless told. */
  readonly retries?: number;
  /** The first pause between attempts; it doubles up to 20 times itself. 500 ms unless told. */
  readonly retryDelayMs?: number;
  /** How long the server may take to answer. 30 s unless told. */
  readonly responseTimeoutMs?: number;
  /** How long it may send nothing. 30 s unless told. */
  readonly stallTimeoutMs?: number;
  /** Headers to send along, for instance an authorization. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** What {@link download} answers. */
export interface DownloadResult {
  readonly path: string;
  readonly bytes: number;
  /** Whether the file was there already. */
  readonly cached: boolean;
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new FoveaError(`download: expected an http or https address, received ${JSON.stringify(text)}`, {
    code: 'ERR_ARGUMENT',
    op: 'download',
    expected: 'http: or https:',
    received: text,
  });
}

function checkExpectation({ sha256, sha256Prefix, md5, size }: Expectation): void {
  const bad =
    (sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(sha256) && 'sha256') ||
    (sha256Prefix !== undefined && !/^[0-9a-f]{8,64}$/i.test(sha256Prefix) && 'sha256Prefix') ||
    (md5 !== undefined && !/^[0-9a-f]{32}$/i.test(md5) && 'md5') ||
    (size !== undefined && !(Number.isSafeInteger(size) && size >= 0) && 'size');
  if (!bad) return;
  throw new FoveaError(`download: expected ${bad} to be hex digits of its length, or a count of bytes`, {
    code: 'ERR_ARGUMENT',
    op: 'download',
    received: { sha256, sha256Prefix, md5, size },
  });
}

async function sizeOfFile(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => -1,
  );
}

/** The file that is there already, if it is the right one; a wrong one is removed. */
async function existing(file: string, options: DownloadOptions): Promise<DownloadResult | undefined> {
  const bytes = await sizeOfFile(file);
  if (bytes < 0) return undefined;
  if (await differenceOf(file, options)) {
    await rm(file);
    return undefined;
  }
  return { path: file, bytes, cached: true };
}

/** Throws, and forgets the part, when the complete part is not what it must be. */
async function verify(part: string, options: DownloadOptions, mismatches: number): Promise<void> {
  const difference = await differenceOf(part, options);
  if (!difference) return;
  await dropPart(part);
  const { what, expected, received } = difference;
  // Once is bad luck (or an old part that was continued); twice the same file is what the server has.
  throw new DownloadProblem(`expected ${what} ${expected}, received ${received}`, 'ERR_DATA', mismatches === 0);
}

async function fromOne(url: URL, part: string, options: DownloadOptions): Promise<void> {
  const { retries = 5, retryDelayMs = 500, responseTimeoutMs = 30_000, stallTimeoutMs = 30_000 } = options;
  const task = {
    ...{ url, part, responseTimeoutMs, stallTimeoutMs },
    size: options.size,
    checked: [options.sha256, options.sha256Prefix, options.md5].some((digest) => digest !== undefined),
    headers: options.headers ?? {},
    signal: options.signal,
    onProgress: options.onProgress,
  };
  let failures = 0;
  let mismatches = 0;
  let most = await sizeOfFile(part);
  for (;;) {
    try {
      await attempt(task);
      await verify(part, options, mismatches);
      return;
    } catch (error) {
      if (!(error instanceof DownloadProblem)) throw error;
      if (error.code === 'ERR_DATA') mismatches++;
      const bytes = await sizeOfFile(part);
      // A line that breaks now and then is fine as long as each attempt gets further than any before.
      failures = bytes > most ? 1 : failures + 1;
      most = Math.max(most, bytes);
      if (!error.retry || failures > retries) throw error;
      const pause = retryDelayMs * Math.min(20, 2 ** (failures - 1)) * (0.75 + Math.random() / 2);
      await wait(error.afterMs ?? pause, undefined, { signal: options.signal }).catch(() => undefined);
      options.signal?.throwIfAborted();
    }
  }
}

async function fromAny(urls: readonly URL[], file: string, options: DownloadOptions): Promise<void> {
  const part = `${file}.part`;
  const problems: DownloadProblem[] = [];
  for (const url of urls) {
    try {
      await fromOne(url, part, options);
      await rename(part, file);
      await syncFolder(path.dirname(file));
      await dropNotes(part);
      return;
    } catch (error) {
      if (!(error instanceof DownloadProblem)) throw error;
      problems.push(error);
    }
  }
  const reasons = problems.map((problem, index) => `${urls[index]?.href}: ${problem.message}`).join('; ');
  throw new FoveaError(`download failed: ${reasons}. The file may also be put by hand at ${file}`, {
    code: problems[0]?.code ?? 'ERR_NETWORK',
    op: 'download',
    cause: problems[0],
  });
}

/**
 * Brings a file from the network, once: a file that is there and right is left alone; an interrupted download is
 * continued; what arrives is checked, flushed, and only then given its name. A second process that wants the same file
 * waits for the first.
 *
 * @param url - an http or https address, or several that have the same file, tried in turn
 * @param file - where it goes; missing folders are made
 * @param options - what the file must be (`sha256`, `md5`, `size`), patience, progress, signal
 * @throws FoveaError ERR_NOT_FOUND (404), ERR_NETWORK (offline, refused, stalled), ERR_DATA (not the expected bytes),
 *   ERR_FILE (the disk), each with address and reason; the signal's reason when aborted
 */
export async function download(
  url: string | readonly string[],
  file: string,
  options: DownloadOptions = {},
): Promise<DownloadResult> {
  const urls = (typeof url === 'string' ? [url] : url).map(parseUrl);
  checkExpectation(options);
  options.signal?.throwIfAborted();
  const target = path.resolve(file);
  try {
    const found = await existing(target, options);
    if (found) return found;
    await mkdir(path.dirname(target), { recursive: true });
    return await withLock(`${target}.lock`, { signal: options.signal }, async () => {
      const made = await existing(target, options);
      if (made) return made;
      await fromAny(urls, target, options);
      return { path: target, bytes: await sizeOfFile(target), cached: false };
    });
  } catch (cause) {
    if (cause instanceof FoveaError || options.signal?.aborted) throw cause;
    throw new FoveaError(`cannot save ${target}: ${(cause as Error).message}`, {
      code: 'ERR_FILE',
      op: 'download',
      cause,
    });
  }
}
