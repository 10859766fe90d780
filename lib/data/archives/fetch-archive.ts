import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { FoveaError, mismatch } from '../../errors.js';
import { writeJsonAtomic } from '../../util/atomic-file.js';
import { crypto } from '../../util/builtins.js';
import { cacheFolder } from '../../util/cache-folder.js';
import { download } from '../download.js';
import type { DownloadProgress } from '../download/attempt.js';
import type { Expectation } from '../download/digest.js';
import { defaultReporter } from '../download/reporter.js';
import { unpackTar, type UnpackLimits } from './unpack.js';

/** A data set that is published as one archive. */
export interface PublishedArchive {
  /** The function that loads it, for messages: `tfFlowers`. */
  readonly op: string;
  /** Its folder in the cache. */
  readonly name: string;
  readonly urls: readonly string[];
  readonly expected: Expectation;
  readonly limits: UnpackLimits;
}

/** Options of the data sets that come as one archive. */
export interface ArchiveOptions {
  /** A folder that has been unpacked already; only this one is looked into. */
  readonly folder?: string;
  /** Whether to download what is not in the cache. True unless told. */
  readonly download?: boolean;
  /** Another address, or several that have the same file. */
  readonly url?: string | readonly string[];
  /** The SHA-256 of the file at `url`. Without it, that of the first download is remembered, and holds from then on. */
  readonly sha256?: string;
  readonly signal?: AbortSignal;
  /** Told while downloading; a line on standard error, if that is a terminal, unless told. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

interface Pin {
  readonly url: string;
  readonly sha256: string;
}

async function readPin(file: string): Promise<Pin | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Pin;
  } catch {
    return undefined;
  }
}

async function digestOf(file: string): Promise<string> {
  const hash = crypto().createHash('sha256');
  for await (const piece of createReadStream(file, { highWaterMark: 2 ** 20 })) hash.update(piece as Buffer);
  return hash.digest('hex');
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** A folder of its own for each archive, so that another address never meets the official files. */
function placeOf(
  { name, urls }: PublishedArchive,
  options: ArchiveOptions,
): { folder: string; urls: readonly string[] } {
  if (options.url === undefined) return { folder: cacheFolder(name), urls };
  const own = typeof options.url === 'string' ? [options.url] : options.url;
  const key = crypto().createHash('sha256').update(own.join('\n')).digest('hex').slice(0, 12);
  return { folder: cacheFolder(name, key), urls: own };
}

/**
 * Finds, downloads and unpacks a data set.
 *
 * @returns the folder of its contents
 * @throws FoveaError ERR_NOT_FOUND when it is not there and may not be downloaded, ERR_NETWORK, ERR_DATA
 */
export async function fetchArchive(archive: PublishedArchive, options: ArchiveOptions): Promise<string> {
  const { op, expected, limits } = archive;
  if (options.folder !== undefined) {
    if (await exists(options.folder)) return options.folder;
    throw mismatch('ERR_NOT_FOUND', { op }, 'a folder', `${options.folder}, which is not there`);
  }
  const { folder, urls } = placeOf(archive, options);
  const contents = path.join(folder, 'contents');
  if (await exists(contents)) return contents;
  const file = path.join(folder, 'archive.tar.gz');
  if (options.download === false && !(await exists(file))) {
    throw new FoveaError(`${op}: expected the archive at ${file}, which is not there (downloading is off)`, {
      code: 'ERR_NOT_FOUND',
      op,
    });
  }
  const pinFile = `${file}.sha256.json`;
  const official = options.url === undefined;
  const sha256 = options.sha256 ?? (official ? expected.sha256 : (await readPin(pinFile))?.sha256);
  const { signal, onProgress = defaultReporter() } = options;
  await download(urls, file, {
    sha256,
    ...(official && options.sha256 === undefined ? { size: expected.size } : {}),
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress } : {}),
  });
  if (sha256 === undefined) await writeJsonAtomic(pinFile, { url: urls[0], sha256: await digestOf(file) });
  await unpackTar(file, contents, limits, { signal });
  return contents;
}
