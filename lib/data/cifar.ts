import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { FoveaError, mismatch } from '../errors.js';
import { type ArchiveOptions, fetchArchive, type PublishedArchive } from './archives/fetch-archive.js';
import { ArrayColumn, ByteColumn } from './columns.js';
import { Dataset } from './dataset.js';
import { tableSource } from './from-arrays.js';
import { type HostTensor, hostTensor } from './host-tensor.js';
import { tableOf } from './table.js';

/** An example: image float32 `[32,32,3]` with values 0 to 1, label int32 `[]`. */
export type CifarExample = [image: HostTensor, label: HostTensor];

/** The bytes of the files: images uint8 `[n,32,32,3]`, labels uint8 `[n]`. */
export interface CifarArrays {
  readonly trainImages: HostTensor;
  readonly trainLabels: HostTensor;
  readonly testImages: HostTensor;
  readonly testLabels: HostTensor;
}

/** What {@link cifar10} and {@link cifar100} answer: a pair to destructure, with the same and more by name. */
export type Cifar = [train: Dataset<CifarExample>, test: Dataset<CifarExample>] & {
  readonly train: Dataset<CifarExample>;
  readonly test: Dataset<CifarExample>;
  readonly classNames: readonly string[];
  readonly raw: CifarArrays;
  /** Where the files are. */
  readonly folder: string;
};

/** Options of {@link cifar100}. */
export interface Cifar100Options extends ArchiveOptions {
  /** The 100 classes, or the 20 groups of five that they form. `fine` unless told. */
  readonly labels?: 'fine' | 'coarse';
}

const SIDE = 32;
const PLANE = SIDE * SIDE;
const PIXELS = 3 * PLANE;
const SCALED = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);
const LIMITS = { maxEntries: 100, maxBytes: 250e6, maxFileBytes: 200e6 };

// Sizes and digests: tensorflow_datasets/url_checksums/cifar10.txt and cifar100.txt in the repository of TensorFlow
// Datasets.
const CIFAR10: PublishedArchive = {
  op: 'cifar10',
  name: 'cifar-10',
  urls: ['https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz'],
  expected: { size: 170052171, sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd' },
  limits: LIMITS,
};
const CIFAR100: PublishedArchive = {
  op: 'cifar100',
  name: 'cifar-100',
  urls: ['https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz'],
  expected: { size: 168513733, sha256: '58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec' },
  limits: LIMITS,
};

/** How the records of a file are laid out: labels, then the red, green and blue planes, row by row. */
interface Layout {
  readonly op: string;
  readonly labelBytes: number;
  /** Which of the label bytes counts. */
  readonly label: number;
  readonly classes: number;
}

function cannotRead(op: string, file: string, cause: unknown): FoveaError {
  const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  const code = missing ? 'ERR_NOT_FOUND' : 'ERR_FILE';
  return new FoveaError(`${op}: cannot read ${file}: ${(cause as Error).message}`, { code, op, cause });
}

async function readBytes(op: string, file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > LIMITS.maxFileBytes) throw mismatch('ERR_DATA', { op }, `${file} to be smaller`, `${size} bytes`);
    return await readFile(file);
  } catch (cause) {
    throw cause instanceof FoveaError ? cause : cannotRead(op, file, cause);
  }
}

/** The records of files: images with channels last, and their labels. */
async function readRecords(
  files: readonly string[],
  layout: Layout,
): Promise<[images: HostTensor, labels: HostTensor]> {
  const { op, labelBytes, label, classes } = layout;
  const record = labelBytes + PIXELS;
  const parts: Buffer[] = [];
  for (const file of files) {
    const bytes = await readBytes(op, file);
    if (bytes.length === 0 || bytes.length % record !== 0) {
      throw mismatch('ERR_DATA', { op }, `${file} to be records of ${record} bytes`, `${bytes.length} bytes`);
    }
    parts.push(bytes);
  }
  const count = parts.reduce((sum, { length }) => sum + length / record, 0);
  const images = new Uint8Array(count * PIXELS);
  const labels = new Uint8Array(count);
  let row = 0;
  for (const [part, bytes] of parts.entries()) {
    for (let at = 0; at < bytes.length; at += record, row++) {
      const value = bytes[at + label] as number;
      if (value >= classes) {
        const received = `${value} in record ${at / record}`;
        throw mismatch('ERR_DATA', { op }, `${files[part]} to have labels below ${classes}`, received);
      }
      labels[row] = value;
      const pixels = at + labelBytes;
      let to = row * PIXELS;
      for (let i = pixels; i < pixels + PLANE; i++) {
        images[to++] = bytes[i] as number;
        images[to++] = bytes[i + PLANE] as number;
        images[to++] = bytes[i + 2 * PLANE] as number;
      }
    }
  }
  return [hostTensor(images, [count, SIDE, SIDE, 3]), hostTensor(labels)];
}

/** Class names, one a line. */
async function readNames(op: string, file: string, classes: number): Promise<string[]> {
  const names = (await readBytes(op, file)).toString('utf8').split(/\r?\n/).filter(Boolean);
  if (names.length === classes) return names;
  throw mismatch('ERR_DATA', { op }, `${file} to name ${classes} classes`, `${names.length}`);
}

function examples(images: HostTensor, labels: HostTensor, op: string): Dataset<CifarExample> {
  const columns = [
    new ByteColumn(images.data as Uint8Array, [SIDE, SIDE, 3], SCALED),
    new ArrayColumn(hostTensor(Int32Array.from(labels.data))),
  ];
  return new Dataset(tableSource(tableOf<CifarExample>(columns), op));
}

async function load(
  folder: string,
  files: { readonly train: readonly string[]; readonly test: string; readonly names: string },
  layout: Layout,
): Promise<Cifar> {
  const at = (name: string): string => path.join(folder, name);
  const classNames = await readNames(layout.op, at(files.names), layout.classes);
  const [trainImages, trainLabels] = await readRecords(files.train.map(at), layout);
  const [testImages, testLabels] = await readRecords([at(files.test)], layout);
  const train = examples(trainImages, trainLabels, layout.op);
  const test = examples(testImages, testLabels, layout.op);
  return Object.assign([train, test] as [typeof train, typeof test], {
    ...{ train, test, classNames, folder },
    raw: { trainImages, trainLabels, testImages, testLabels },
  });
}

/** The archive has its files in a folder; one that was unpacked by hand may be given as either. */
async function inside(folder: string, name: string): Promise<string> {
  const inner = path.join(folder, name);
  return stat(inner).then(
    () => inner,
    () => folder,
  );
}

/**
 * CIFAR-10: 50,000 training and 10,000 test images of 32 by 32 pixels in ten classes (A. Krizhevsky 2009, "Learning
 * Multiple Layers of Features from Tiny Images"). Downloaded into the cache (162 MB, checked), unpacked and read into
 * memory as bytes.
 *
 * @returns train and test datasets of `[image float32 [32,32,3] in 0..1, label int32 []]`, class names, and the bytes
 * @throws FoveaError ERR_NOT_FOUND, ERR_NETWORK, or ERR_DATA when a file is not what it should be
 */
export async function cifar10(options: ArchiveOptions = {}): Promise<Cifar> {
  const folder = await inside(await fetchArchive(CIFAR10, options), 'cifar-10-batches-bin');
  const train = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
  const files = { train, test: 'test_batch.bin', names: 'batches.meta.txt' };
  return load(folder, files, { op: 'cifar10', labelBytes: 1, label: 0, classes: 10 });
}

/**
 * CIFAR-100: as {@link cifar10}, in 100 classes, which form 20 groups.
 *
 * @param options - `labels`: 'fine' (the classes) or 'coarse' (the groups)
 */
export async function cifar100(options: Cifar100Options = {}): Promise<Cifar> {
  const { labels = 'fine' } = options;
  if (labels !== 'fine' && labels !== 'coarse') {
    throw mismatch('ERR_ARGUMENT', { op: 'cifar100' }, `labels to be 'fine' or 'coarse'`, JSON.stringify(labels));
  }
  const folder = await inside(await fetchArchive(CIFAR100, options), 'cifar-100-binary');
  const files = { train: ['train.bin'], test: 'test.bin', names: `${labels}_label_names.txt` };
  const fine = labels === 'fine';
  return load(folder, files, { op: 'cifar100', labelBytes: 2, label: fine ? 1 : 0, classes: fine ? 100 : 20 });
}
