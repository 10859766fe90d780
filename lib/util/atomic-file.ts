import { type FileHandle, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { FoveaError } from '../errors.js';
import { crypto } from './builtins.js';

/** What a file can be written from: text, bytes, or pieces of bytes as they come. */
export type FileContent = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** A leftover younger than this may still be in the making on another machine that shares the folder. */
const LEFTOVER_AGE_MS = 60_000;

const TEMPORARY = /^\.(.+)\.(\d+)-[0-9a-f]{12}\.tmp$/;

/**
 * Writes a file so that its name always holds either the old content or the new one, whole, whenever the process or the
 * machine dies: into a temporary file beside it, flushed to disk, then renamed over it. Missing folders are made. A name
 * that is a symbolic link stays one.
 *
 * @param file - the path
 * @param content - text, bytes, or pieces of bytes (for files that should not be in memory as a whole)
 * @throws FoveaError ERR_FILE; the old file is then untouched and the temporary one removed
 */
export async function writeFileAtomic(file: string, content: FileContent): Promise<void> {
  const target = await realpath(file).catch(() => path.resolve(file));
  const folder = path.dirname(target);
  const suffix = `${process.pid}-${crypto().randomBytes(6).toString('hex')}.tmp`;
  const temporary = path.join(folder, `.${path.basename(target)}.${suffix}`);
  try {
    await mkdir(folder, { recursive: true });
    const handle = await open(temporary, 'wx');
    try {
      await writeAll(handle, content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
    await syncFolder(folder);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    if (cause instanceof FoveaError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FoveaError(`cannot write ${file}: ${reason}`, { code: 'ERR_FILE', op: 'writeFileAtomic', cause });
  }
  await removeLeftovers(folder, path.basename(target));
}

/** Writes a value as indented JSON; see {@link writeFileAtomic}. */
export async function writeJsonAtomic(file: string, value: unknown): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`);
}

async function writeAll(handle: FileHandle, content: FileContent): Promise<void> {
  if (typeof content === 'string' || content instanceof Uint8Array) {
    await handle.writeFile(content);
    return;
  }
  for await (const piece of content) await handle.writeFile(piece);
}

/** Makes a rename last: the folder is what remembers names. Some systems cannot flush folders; they need it not. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EINVAL' && code !== 'ENOTSUP') throw error;
  } finally {
    await handle.close();
  }
}

/** Whether a process of this machine still runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes what processes that were killed while writing this file have left, or a crashing job fills the disk. */
async function removeLeftovers(folder: string, name: string): Promise<void> {
  try {
    for (const entry of await readdir(folder)) {
      const [, owner, pid] = TEMPORARY.exec(entry) ?? [];
      if (owner !== name || isAlive(Number(pid))) continue;
      const leftover = path.join(folder, entry);
      const { mtimeMs } = await stat(leftover);
      if (Date.now() - mtimeMs > LEFTOVER_AGE_MS) await rm(leftover, { force: true });
    }
  } catch {
    // Somebody else was faster, or the folder may not be listed: the file itself is written, and that is what counts.
  }
}
