import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { once } from 'node:events';
import path from 'node:path';
import { FoveaError, mismatch } from '../../errors.js';
import { crypto, zlib } from '../../util/builtins.js';
import { withLock } from '../download/lock.js';

/** What an archive may hold at most. */
export interface UnpackLimits {
  /** Files and folders. */
  readonly maxEntries: number;
  /** Bytes of all files together. */
  readonly maxBytes: number;
  /** Bytes of one file. */
  readonly maxFileBytes: number;
}

/** Headers and padding of a tar file, per entry, and the zeros at its end. */
const TAR_OVERHEAD = 4096;

/** An entry as the parser shows it before anything is written. */
interface Entry {
  readonly type: string;
  readonly size: number;
  mode?: number | undefined;
}

/** Refuses an entry that leaves the folder, is no plain file or folder, or breaks a limit. */
class EntryCheck {
  #entries = 0;
  #bytes = 0;

  constructor(
    private readonly archive: string,
    private readonly limits: UnpackLimits,
  ) {}

  check(name: string, entry: Entry): void {
    const { maxEntries, maxBytes, maxFileBytes } = this.limits;
    const parts = name.replaceAll('\\', '/').split('/');
    if (name.startsWith('/') || /^[a-z]:/i.test(name) || parts.includes('..') || name.includes('\0')) {
      throw this.#refuse('paths inside the archive only', JSON.stringify(name));
    }
    if (!['File', 'OldFile', 'ContiguousFile', 'Directory'].includes(entry.type)) {
      throw this.#refuse('files and folders only', `${JSON.stringify(name)}, which is a ${entry.type}`);
    }
    this.#entries++;
    this.#bytes += entry.size;
    if (this.#entries > maxEntries) throw this.#refuse(`at most ${maxEntries} files and folders`, 'more');
    if (entry.size > maxFileBytes) {
      throw this.#refuse(`files of at most ${maxFileBytes} bytes`, `${JSON.stringify(name)} of ${entry.size}`);
    }
    if (this.#bytes > maxBytes) throw this.#refuse(`at most ${maxBytes} bytes in all`, 'more');
    // Not executable by itself, no set-user-id.
    entry.mode = entry.type === 'Directory' ? 0o755 : 0o644;
  }

  #refuse(expected: string, received: string): FoveaError {
    return mismatch('ERR_DATA', { op: `unpack ${this.archive}` }, expected, received);
  }
}

/** The bytes of the tar file, decompressed when it is gzipped, and never more of them than the limits allow. */
async function* tarBytes(archive: string, limits: UnpackLimits): AsyncGenerator<Buffer> {
  const handle = await open(archive, 'r');
  const magic = Buffer.alloc(2);
  try {
    await handle.read(magic, 0, 2, 0);
  } finally {
    await handle.close();
  }
  const file = createReadStream(archive, { highWaterMark: 2 ** 18 });
  const most = limits.maxBytes + (limits.maxEntries + 1) * TAR_OVERHEAD;
  let seen = 0;
  const zipped = magic[0] === 0x1f && magic[1] === 0x8b;
  const stream = zipped ? file.pipe(zlib().createGunzip()) : file;
  if (zipped) file.on('error', (error) => stream.destroy(error));
  try {
    for await (const piece of stream) {
      seen += (piece as Buffer).length;
      if (seen > most) {
        throw mismatch('ERR_DATA', { op: `unpack ${archive}` }, `at most ${most} bytes decompressed`, 'more');
      }
      yield piece as Buffer;
    }
  } finally {
    file.destroy();
  }
}

async function extract(archive: string, folder: string, limits: UnpackLimits): Promise<void> {
  const { Unpack } = await import('tar');
  const entries = new EntryCheck(archive, limits);
  let problem: Error | undefined;
  const note = (error: unknown): void => void (problem ??= error instanceof Error ? error : new Error(String(error)));
  const unpack = new Unpack({
    cwd: folder,
    strict: true,
    preserveOwner: false,
    filter: (name, entry) => {
      if (problem !== undefined) return false;
      try {
        entries.check(name, entry as Entry);
        return true;
      } catch (error) {
        note(error);
        return false;
      }
    },
  });
  unpack.on('error', note);
  const closed = once(unpack, 'close');
  closed.catch(() => undefined);
  for await (const piece of tarBytes(archive, limits)) {
    const more = unpack.write(piece);
    if (problem !== undefined) throw problem;
    if (!more) await Promise.race([once(unpack, 'drain'), closed]);
  }
  unpack.end();
  await closed;
  if (problem !== undefined) throw problem;
}

/**
 * Unpacks a tar archive, gzipped or not, into a new folder: whole, or not at all. Nothing is written outside of it: paths
 * that are absolute or go up, links and special files end the unpacking with an error, as do more files or bytes than
 * allowed. A folder that is there is left alone; a second process that wants the same waits for the first.
 *
 * @param archive - the file
 * @param folder - to be made; its parent as well
 * @param limits - of what may be unpacked
 * @throws FoveaError ERR_DATA for an archive that is corrupt or refused, ERR_FILE for the disk's reasons
 */
export async function unpackTar(
  archive: string,
  folder: string,
  limits: UnpackLimits,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const target = path.resolve(folder);
  const there = (): Promise<boolean> =>
    stat(target).then(
      () => true,
      () => false,
    );
  if (await there()) return;
  const parent = path.dirname(target);
  const leftover = `.${path.basename(target)}.unpacking-`;
  await mkdir(parent, { recursive: true });
  await withLock(`${target}.lock`, { signal: options.signal }, async () => {
    if (await there()) return;
    // Whoever made these has died: we hold the lock.
    for (const name of await readdir(parent)) {
      if (name.startsWith(leftover)) await rm(path.join(parent, name), { recursive: true, force: true });
    }
    const temporary = path.join(parent, `${leftover}${crypto().randomBytes(6).toString('hex')}`);
    await mkdir(temporary);
    try {
      await extract(archive, temporary, limits);
      await rename(temporary, target);
    } catch (cause) {
      // Writes that had begun may still be under way.
      await rm(temporary, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
      throw explain(archive, cause);
    }
  });
}

function explain(archive: string, cause: unknown): FoveaError {
  if (cause instanceof FoveaError) return cause;
  const { message, code } = cause as NodeJS.ErrnoException;
  const disk = ['ENOSPC', 'EACCES', 'EROFS', 'EIO', 'EDQUOT', 'EMFILE'].includes(code ?? '');
  return new FoveaError(
    `unpack ${archive}: ${disk ? message : `expected a whole tar archive, received a corrupt one (${message})`}`,
    {
      code: disk ? 'ERR_FILE' : 'ERR_DATA',
      op: 'unpack',
      cause,
    },
  );
}
