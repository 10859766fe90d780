import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { FoveaError } from '../../errors.js';
import { crypto } from '../../util/builtins.js';
import { END, type Opener, type Pulled, type Puller } from '../pull.js';
import { type Source, stagePath } from '../source.js';
import { openFrom } from '../stages/resume.js';
import { CacheFolder, claimCache, type Lease } from './claim.js';
import { FrameReader, FrameWriter } from './frames.js';
import { encodeElement } from './record.js';

/** Options of `cache(folder)`. */
export interface DiskCacheOptions {
  /** Says which version of the data this is: another key makes the cache anew. */
  readonly key?: string;
}

/** What the elements are made of. */
async function fingerprintOf(recipe: Source<unknown>['recipe'], key: string | undefined): Promise<string> {
  const hash = crypto()
    .createHash('sha256')
    .update(JSON.stringify(key ?? null));
  for (const step of recipe) hash.update(`\0${typeof step === 'string' ? step : await step()}`);
  return hash.digest('hex');
}

function fileError(folder: string, cause: unknown): FoveaError {
  if (cause instanceof FoveaError) return cause;
  const message = `cache: cannot use ${folder}: ${(cause as Error).message}`;
  return new FoveaError(message, { code: 'ERR_FILE', op: 'cache', cause });
}

/** One pass over a cache: over its elements, or over the source while they are written, or both in turn. */
class DiskCachePuller<T> implements Puller<T> {
  #ready = false;
  #done = false;
  #file: FileHandle | undefined;
  #reader: FrameReader | undefined;
  /** How many elements the complete cache has. */
  #expected: number | undefined;
  #lease: Lease | undefined;
  #writer: FrameWriter | undefined;
  #count = 0;
  #source: Puller<T> | undefined;
  #busy: Promise<unknown> | undefined;

  constructor(
    private readonly source: Source<T>,
    private readonly cache: CacheFolder,
    private readonly fingerprint: () => Promise<string>,
    private readonly where: string,
  ) {}

  next(): Promise<Pulled<T>> {
    const answer = this.#next();
    this.#busy = answer.catch(() => undefined);
    return answer;
  }

  async #next(): Promise<Pulled<T>> {
    if (this.#done) return END;
    if (!this.#ready) await this.#prepare();
    if (this.#reader) {
      const read = await this.#disk(this.#reader.next());
      if (typeof read === 'object') return read.element as T;
      if (this.#expected !== undefined) return this.#checkEnd(this.#reader, read);
      // What follows the last whole element was being written when somebody died.
      this.#count = this.#reader.count;
      this.#writer = new FrameWriter(this.#file as FileHandle, this.#reader.end);
      await this.#disk(this.#file?.truncate(this.#reader.end));
      this.#reader = undefined;
    }
    // The pass of epoch 0, as for a cache in memory: whoever goes on later must see the same elements.
    this.#source ??= openFrom(this.source, this.#count)([0]);
    const element = await this.#source.next();
    if (element === END) await this.#complete();
    else if (this.#writer) await this.#disk(this.#writer.append(encodeElement(element, this.where)));
    this.#count++;
    return element;
  }

  async close(): Promise<void> {
    this.#done = true;
    // A file is not closed under a write.
    await this.#busy;
    try {
      await this.#source?.close();
    } finally {
      // A part that was written is gone on with in the next pass.
      await this.#disk(this.#writer?.flush()).catch(() => undefined);
      await this.#free();
    }
  }

  async #prepare(): Promise<void> {
    this.#ready = true;
    const claim = await claimCache(this.cache, await this.fingerprint());
    if (claim.mode === 'bypass') return;
    if (claim.mode === 'record') this.#lease = claim.lease;
    else this.#expected = claim.count;
    try {
      // Appending makes the file when there is none; writing at positions needs it opened otherwise.
      if (claim.mode === 'record') await (await open(this.cache.elements, 'a')).close();
      this.#file = await open(this.cache.elements, claim.mode === 'record' ? 'r+' : 'r');
      this.#reader = new FrameReader(this.#file, (await this.#file.stat()).size);
    } catch (cause) {
      await this.#free();
      throw fileError(this.cache.folder, cause);
    }
  }

  /** The end of a complete cache: all elements must have come. */
  async #checkEnd(reader: FrameReader, end: 'end' | 'torn'): Promise<typeof END> {
    if (end === 'end' && reader.count === this.#expected) {
      this.#done = true;
      await this.#free();
      return END;
    }
    await this.cache.remove('done.json');
    const what = `element ${reader.count} of ${this.#expected} in ${this.cache.elements}`;
    throw new FoveaError(
      `${this.where}: expected ${what} to be as it was written, received other bytes (the next pass repairs it)`,
      {
        code: 'ERR_DATA',
        op: 'cache',
        received: this.cache.elements,
      },
    );
  }

  async #complete(): Promise<void> {
    this.#done = true;
    const [file, writer] = [this.#file, this.#writer];
    if (file && writer) {
      await this.#disk(writer.flush());
      await this.#disk(file.sync());
      await this.#lease?.complete({ count: this.#count, bytes: writer.end });
    }
    await this.#free();
  }

  async #free(): Promise<void> {
    const [file, lease] = [this.#file, this.#lease];
    this.#file = this.#lease = this.#writer = undefined;
    await file?.close();
    await lease?.release();
  }

  /** Waits for the disk; what goes wrong there names the folder. */
  async #disk<R>(work: Promise<R> | undefined): Promise<R> {
    try {
      return (await work) as R;
    } catch (cause) {
      throw fileError(this.cache.folder, cause);
    }
  }
}

/**
 * Keeps the elements in files. Written as they come in the first pass; a pass that ends early, or a process that dies,
 * leaves the elements so far, and the next one goes on behind them.
 */
export function diskCacheSource<T>(source: Source<T>, folder: string, options: DiskCacheOptions): Source<T> {
  const where = stagePath(source, 'cache');
  if (typeof folder !== 'string' || folder === '') {
    throw new FoveaError(`${where}: expected the path of a folder, received ${JSON.stringify(folder)}`, {
      code: 'ERR_ARGUMENT',
      op: 'cache',
      received: folder,
    });
  }
  const cache = new CacheFolder(path.resolve(folder));
  let fingerprint: Promise<string> | undefined;
  const once = (): Promise<string> => (fingerprint ??= fingerprintOf(source.recipe, options.key));
  const opener: Opener<T> = () => new DiskCachePuller(source, cache, once, where);
  return {
    cardinality: source.cardinality,
    stages: [...source.stages, 'cache'],
    recipe: source.recipe,
    open: opener,
  };
}
