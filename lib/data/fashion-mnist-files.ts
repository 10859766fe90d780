import { access } from 'node:fs/promises';
import path from 'node:path';
import { FoveaError } from '../errors.js';
import { download } from './download.js';
import type { DownloadProgress } from './download/attempt.js';
import { cacheFolder } from '../util/cache-folder.js';
import type { Expectation } from './download/digest.js';
import { defaultReporter } from './download/reporter.js';

const NAMES = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
} as const;

type Part = keyof typeof NAMES;

/** Where the four files are. */
export type FashionMnistFiles = Readonly<Record<Part, string>>;

/** Another place to download the files from. */
export interface FashionMnistMirror {
  /** The address of the folder of the four `.gz` files. */
  readonly baseUrl: string;
  /** What each file must be; those of the official files unless told. */
  readonly expected?: Readonly<Record<Part, Expectation>>;
}

/** The folder of Debian's and Ubuntu's package dataset-fashion-mnist. */
const SYSTEM_FOLDER = '/usr/share/datasets/fashion-mnist';

/** Keras's copy and the publisher's own; the same bytes. */
const OFFICIAL_ADDRESSES = [
  'https://storage.googleapis.com/tensorflow/tf-keras-datasets/',
  'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
];

/** The publisher names the MD5 digests; the others were computed from files that have these. */
const OFFICIAL_FILES: Readonly<Record<Part, Expectation>> = {
  trainImages: {
    size: 26421880,
    md5: '8d4fb7e6c68d591d4c3dfef9ec88bf0d',
    sha256: '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84',
  },
  trainLabels: {
    size: 29515,
    md5: '25c81989df183df01b3e8a0aad5dffbe',
    sha256: 'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845',
  },
  testImages: {
    size: 4422102,
    md5: 'bef4ecab320f06d8554ea6380940ec79',
    sha256: '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073',
  },
  testLabels: {
    size: 5148,
    md5: 'bb300cfdad3c16e7a12a480ee83cd310',
    sha256: '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5',
  },
};

const PARTS = Object.keys(NAMES) as Part[];

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** The files of a folder, gzipped or not, and the names of those it lacks. */
async function look(folder: string): Promise<{ files: FashionMnistFiles; missing: string[] }> {
  const files: Partial<Record<Part, string>> = {};
  const missing: string[] = [];
  for (const part of PARTS) {
    const plain = path.join(folder, NAMES[part]);
    const zipped = `${plain}.gz`;
    if (await exists(zipped)) files[part] = zipped;
    else if (await exists(plain)) files[part] = plain;
    else missing.push(`${NAMES[part]}.gz`);
  }
  return { files: files as FashionMnistFiles, missing };
}

function notFound(where: string, missing: readonly string[]): FoveaError {
  return new FoveaError(`fashionMnist: expected the four IDX files in ${where}, missing ${missing.join(', ')}`, {
    code: 'ERR_NOT_FOUND',
    op: 'fashionMnist',
    expected: PARTS.map((part) => `${NAMES[part]}.gz`),
    received: missing,
  });
}

const cache = (): string => cacheFolder('fashion-mnist');

/**
 * Looks for the files on this machine.
 *
 * @throws FoveaError ERR_NOT_FOUND when a folder was named (by option or environment) and lacks a file
 */
export async function findFashionMnist(options: { readonly folder?: string }): Promise<FashionMnistFiles | undefined> {
  const fromEnvironment = process.env['FOVEA_FASHION_MNIST'];
  const named = options.folder ?? (fromEnvironment || undefined);
  if (named !== undefined) {
    const { files, missing } = await look(named);
    if (missing.length === 0) return files;
    throw notFound(options.folder === undefined ? `${named} (named by FOVEA_FASHION_MNIST)` : named, missing);
  }
  for (const folder of [SYSTEM_FOLDER, cache()]) {
    const { files, missing } = await look(folder);
    if (missing.length === 0) return files;
  }
  return undefined;
}

/** Downloads the files into the cache; those that are there already are checked and kept. */
export async function fetchFashionMnist(options: {
  readonly download?: boolean;
  readonly mirror?: FashionMnistMirror;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
}): Promise<FashionMnistFiles> {
  const { download: allowed = true, mirror, signal, onProgress = defaultReporter() } = options;
  const folder = cache();
  if (!allowed) throw notFound(`${SYSTEM_FOLDER} or ${folder} (downloading is off)`, (await look(folder)).missing);
  const addresses = mirror ? [mirror.baseUrl.replace(/\/*$/, '/')] : OFFICIAL_ADDRESSES;
  const expected = mirror?.expected ?? OFFICIAL_FILES;
  const files: Partial<Record<Part, string>> = {};
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
  return files as FashionMnistFiles;
}
