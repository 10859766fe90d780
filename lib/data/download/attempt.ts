import { open } from 'node:fs/promises';
import { FoveaError } from '../../errors.js';
import { dropPart, notePart, readPart, validatorOf } from './part.js';
import { fetchByProxy } from './proxy.js';
import { DownloadProblem, networkProblem, statusProblem } from './problem.js';

/** Told while a download runs. */
export interface DownloadProgress {
  readonly url: string;
  /** Bytes there, with what an earlier attempt left. */
  readonly bytes: number;
  /** Bytes in all, when the server says so. */
  readonly total: number | undefined;
}

/** One attempt's task. */
export interface AttemptOptions {
  readonly url: URL;
  readonly part: string;
  readonly size: number | undefined;
  /** Whether a digest will be checked: then a part may be continued even if the server gives nothing to compare. */
  readonly checked: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly responseTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: DownloadProgress) => void) | undefined;
}

/** Aborts when nothing has happened for a while. */
class Watchdog {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** Why it barked. */
  reason: string | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  expect(what: string, withinMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.reason = `no ${what} for ${withinMs / 1000} s`;
      this.#controller.abort();
    }, withinMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** How much of the file an answer brings. */
interface Span {
  readonly from: number;
  readonly total: number | undefined;
}

async function spanOf(response: Response, offset: number, options: AttemptOptions): Promise<Span | 'complete'> {
  if (response.status === 206) {
    const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '') ?? [];
    if (Number(from) === offset) return { from: offset, total: total === '*' ? undefined : Number(total) };
    await dropPart(options.part);
    throw new DownloadProblem('the server sent another range than asked for', 'ERR_NETWORK', true);
  }
  if (response.status === 416) {
    const [, total] = /^bytes \*\/(\d+)$/.exec(response.headers.get('content-range') ?? '') ?? [];
    if (offset > 0 && Number(total) === offset) return 'complete';
    await dropPart(options.part);
    throw new DownloadProblem('the server refused to continue (416)', 'ERR_NETWORK', offset > 0);
  }
  if (response.status !== 200) throw statusProblem(response);
  const length = response.headers.get('content-length');
  // A length counts the bytes on the wire: not ours if the server compresses in spite of being told not to.
  const encoded = (response.headers.get('content-encoding') ?? 'identity') !== 'identity';
  return { from: 0, total: length === null || encoded ? undefined : Number(length) };
}

function wrongSize(response: Response, total: number | string, options: AttemptOptions): DownloadProblem {
  const page = response.headers.get('content-type')?.startsWith('text/html');
  const hint = page ? ' of text/html: a log-in page of this network?' : '';
  return new DownloadProblem(`expected ${options.size} bytes, received ${total}${hint}`, 'ERR_DATA', false);
}

async function save(response: Response, span: Span, options: AttemptOptions, watchdog: Watchdog): Promise<void> {
  const { part, size, url, onProgress } = options;
  const handle = await open(part, span.from > 0 ? 'r+' : 'w');
  try {
    let bytes = span.from;
    let told = 0;
    for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      watchdog.expect('data', options.stallTimeoutMs);
      if (size !== undefined && bytes + piece.length > size) {
        await dropPart(part);
        throw wrongSize(response, 'more', options);
      }
      await handle.write(piece, 0, piece.length, bytes);
      bytes += piece.length;
      if (onProgress && performance.now() - told > 100) {
        told = performance.now();
        onProgress({ url: url.href, bytes, total: span.total ?? size });
      }
    }
    if (span.total !== undefined && bytes < span.total) {
      throw new DownloadProblem(`the connection ended after ${bytes} of ${span.total} bytes`, 'ERR_NETWORK', true);
    }
    await handle.sync();
    onProgress?.({ url: url.href, bytes, total: bytes });
  } finally {
    await handle.close();
  }
}

/** The bytes of a part that can be continued, and the headers that ask for the rest. */
async function resumption(options: AttemptOptions): Promise<{ offset: number; headers: Record<string, string> }> {
  const state = await readPart(options.part);
  const same = state?.url === options.url.href ? state.validator : undefined;
  if (!state || (same === undefined && !options.checked)) return { offset: 0, headers: {} };
  const headers = { range: `bytes=${state.bytes}-`, ...(same === undefined ? {} : { 'if-range': same }) };
  return { offset: state.bytes, headers };
}

async function run(options: AttemptOptions, watchdog: Watchdog): Promise<void> {
  const { url, part, size } = options;
  const { offset, headers } = await resumption(options);
  if (size !== undefined && offset === size) return;
  if (size !== undefined && offset > size) await dropPart(part);
  const resume = size === undefined || offset <= size;
  watchdog.expect('answer', options.responseTimeoutMs);
  const response = await fetchByProxy(url, {
    // Compressed on the way, lengths and ranges would count other bytes than the file's.
    headers: { 'accept-encoding': 'identity', ...options.headers, ...(resume ? headers : {}) },
    signal: options.signal ? AbortSignal.any([options.signal, watchdog.signal]) : watchdog.signal,
  });
  try {
    const span = await spanOf(response, resume ? offset : 0, options);
    if (span === 'complete') return;
    if (size !== undefined && span.total !== undefined && span.total !== size) {
      throw wrongSize(response, span.total, options);
    }
    await notePart(part, url.href, validatorOf(response.headers));
    watchdog.expect('data', options.stallTimeoutMs);
    await save(response, span, options, watchdog);
  } finally {
    // Lets go of the connection when the body was not wanted.
    if (!response.bodyUsed) await response.body?.cancel().catch(() => undefined);
  }
}

/**
 * Tries once to bring the file, continuing the part that is there.
 *
 * @throws DownloadProblem for everything the network does; FoveaError ERR_FILE for the disk; the signal's reason
 */
export async function attempt(options: AttemptOptions): Promise<void> {
  const watchdog = new Watchdog();
  try {
    await run(options, watchdog);
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason;
    if (watchdog.reason) throw new DownloadProblem(watchdog.reason, 'ERR_NETWORK', true, { cause: error });
    if (error instanceof DownloadProblem || error instanceof FoveaError) throw error;
    const { syscall, path: file } = error as NodeJS.ErrnoException;
    if (syscall === 'write' || syscall === 'fsync' || (syscall === 'open' && file !== undefined)) {
      const message = `cannot write ${options.part}: ${(error as Error).message}`;
      throw new FoveaError(message, { code: 'ERR_FILE', op: 'download', cause: error });
    }
    throw networkProblem(options.url, error);
  } finally {
    watchdog.stop();
  }
}
