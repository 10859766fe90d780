import { access } from 'node:fs/promises';
import path from 'node:path';
import { FoveaError } from '../errors.js';
import { cacheFolder } from '../util/cache-folder.js';
import { download } from './download.js';
import type { DownloadProgress } from './download/attempt.js';
import type { Expectation } from './download/digest.js';
import { defaultReporter } from './download/reporter.js';

// MNIST and the sets made in its image: four IDX files of the same names.

const NAMES = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
} as const;

/** One of the four files. */
export type IdxPart = keyof typeof NAMES;

/** Where the four files are. */
export type IdxFiles = Readonly<Record<IdxPart, string>>;

/** What each file must be. */
export type IdxExpectations = Readonly<Record<IdxPart, Expectation>>;

/** Another place to download the files from. */
export interface IdxMirror {
  /** The address of the folder of the four `.gz` files. */
  readonly baseUrl: string;
  /** What each file must be; those of the official files unless told. */
  readonly expected?: IdxExpectations;
}

/** A data set of this kind: where it may be found. */
export interface IdxFamily {
  /** The function that loads it, for messages: `fashionMnist`. */
  readonly op: string;
  /** Its folder in the cache. */
  readonly cacheName: string;
  /** The environment variable that may name its folder. */
  readonly variable: string;
  /** Where the operating system's packages put it. */
  readonly systemFolders: readonly string[];
  /** Addresses of folders that have the same four `.gz` files. */
  readonly addresses: readonly string[];
  readonly expected: IdxExpectations;
}

/** Options of {@link fetchIdxFiles}. */
export interface IdxFetchOptions {
  readonly download?: boolean;
  readonly mirror?: IdxMirror;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
}

const PARTS = Object.keys(NAMES) as IdxPart[];

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** The files of a folder, gzipped or not, and the names of those it lacks. */
async function look(folder: string): Promise<{ files: IdxFiles; missing: string[] }> {
  const files: Partial<Record<IdxPart, string>> = {};
  const missing: string[] = [];
  for (const part of PARTS) {
    const plain = path.join(folder, NAMES[part]);
    const zipped = `${plain}.gz`;
    if (await exists(zipped)) files[part] = zipped;
    else if (await exists(plain)) files[part] = plain;
    else missing.push(`${NAMES[part]}.gz`);
  }
  return { files: files as IdxFiles, missing };
}

function notFound(op: string, where: string, missing: readonly string[]): FoveaError {
  return new FoveaError(`${op}: expected the four IDX files in ${where}, missing ${missing.join(', ')}`, {
    code: 'ERR_NOT_FOUND',
    op,
    expected: PARTS.map((part) => `${NAMES[part]}.gz`),
    received: missing,
  });
}

/**
 * Looks for the files on this machine.
 *
 * @throws FoveaError ERR_NOT_FOUND when a folder was named (by option or environment) and lacks a file
 */
export async function findIdxFiles(
  { op, variable, systemFolders, cacheName }: IdxFamily,
  options: { readonly folder?: string },
): Promise<IdxFiles | undefined> {
  const fromEnvironment = process.env[variable];
  const named = options.folder ?? (fromEnvironment || undefined);
  if (named !== undefined) {
    const { files, missing } = await look(named);
    if (missing.length === 0) return files;
    throw notFound(op, options.folder === undefined ? `${named} (named by ${variable})` : named, missing);
  }
  for (const folder of [...systemFolders, cacheFolder(cacheName)]) {
    const { files, missing } = await look(folder);
    if (missing.length === 0) return files;
  }
  return undefined;
}

/** Downloads the files into the cache; those that are there already are checked and kept. */
export async function fetchIdxFiles(family: IdxFamily, options: IdxFetchOptions): Promise<IdxFiles> {
  const { download: allowed = true, mirror, signal, onProgress = defaultReporter() } = options;
  const folder = cacheFolder(family.cacheName);
  if (!allowed) {
    const where = [...family.systemFolders, folder].join(' or ');
    throw notFound(family.op, `${where} (downloading is off)`, (await look(folder)).missing);
  }
  const addresses = mirror ? [mirror.baseUrl.replace(/\/*$/, '/')] : family.addresses;
  const expected = mirror?.expected ?? family.expected;
  const files: Partial<Record<IdxPart, string>> = {};
  for (const part of PARTS) {
    const name = `${NAMES[part]}.gz`;
    const urls = addresses.map((address) => address + name);
    const result = await download(urls, path.join(folder, name), {
      ...expected[part],
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    });
    files[part] = result.path;
  }
  return files as IdxFiles;
}
