import path from 'node:path';
import { FoveaError } from '../errors.js';
import { ArrayColumn, ByteColumn } from './columns.js';
import { Dataset } from './dataset.js';
import type { DownloadProgress } from './download/attempt.js';
import { type FashionMnistMirror, fetchFashionMnist, findFashionMnist } from './fashion-mnist-files.js';
import { tableSource } from './from-arrays.js';
import { formatShape, type HostTensor, hostTensor } from './host-tensor.js';
import { readIdx } from './idx.js';
import { tableOf } from './table.js';

/** The ten classes, by label. */
export const FASHION_MNIST_CLASSES = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
] as const;

/** An example: image float32 `[28,28,1]` with values 0 to 1, label int32 `[]`. */
export type FashionMnistExample = [image: HostTensor, label: HostTensor];

/** Options of {@link fashionMnist}. */
export interface FashionMnistOptions {
  /** The folder of the four IDX files, gzipped or not; only this one is looked into. */
  readonly folder?: string;
  /** Whether to download the files (29 MB) when they are nowhere. True unless told. */
  readonly download?: boolean;
  /** The last part of the training images is set aside as `validation`: a fraction between 0 and 1. */
  readonly validationSplit?: number;
  /** Another place to download from, with the digests of its files. */
  readonly mirror?: FashionMnistMirror;
  readonly signal?: AbortSignal;
  /** Told while downloading; a line on standard error, if that is a terminal, unless told. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** The bytes of the files: images uint8 `[n,28,28]`, labels uint8 `[n]`. */
export interface FashionMnistArrays {
  readonly trainImages: HostTensor;
  readonly trainLabels: HostTensor;
  readonly testImages: HostTensor;
  readonly testLabels: HostTensor;
}

/** What {@link fashionMnist} answers: a pair to destructure, with the same and more by name. */
export type FashionMnist = [train: Dataset<FashionMnistExample>, test: Dataset<FashionMnistExample>] & {
  readonly train: Dataset<FashionMnistExample>;
  readonly test: Dataset<FashionMnistExample>;
  /** The examples set aside by `validationSplit`; empty without it. */
  readonly validation: Dataset<FashionMnistExample>;
  readonly raw: FashionMnistArrays;
  /** Where the files are. */
  readonly folder: string;
};

const SIDE = 28;
/** The value of each byte: what `x / 255` is in float32. */
const SCALED = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

function refuse(file: string, expected: string, received: string): FoveaError {
  return new FoveaError(`${file}: expected ${expected}, received ${received}`, {
    code: 'ERR_DATA',
    op: 'fashionMnist',
    expected,
    received,
  });
}

async function readPair(imageFile: string, labelFile: string): Promise<[HostTensor, HostTensor]> {
  const [images, labels] = await Promise.all([readIdx(imageFile), readIdx(labelFile)]);
  const [count, height, width] = images.shape;
  if (images.dtype !== 'uint8' || images.shape.length !== 3 || height !== SIDE || width !== SIDE) {
    throw refuse(imageFile, 'uint8 images of shape [n,28,28]', `${images.idxType} ${formatShape(images.shape)}`);
  }
  if (labels.dtype !== 'uint8' || labels.shape.length !== 1 || labels.shape[0] !== count) {
    throw refuse(labelFile, `${count} uint8 labels`, `${labels.idxType} ${formatShape(labels.shape)}`);
  }
  const odd = labels.data.findIndex((label) => label >= FASHION_MNIST_CLASSES.length);
  if (odd >= 0) throw refuse(labelFile, 'labels from 0 to 9', `${labels.data[odd]} at ${odd}`);
  return [images, labels];
}

/** Examples over the bytes themselves: an image becomes float32 when its batch is gathered. */
function examples(images: HostTensor, labels: HostTensor): Dataset<FashionMnistExample> {
  const columns = [
    new ByteColumn(images.data as Uint8Array, [SIDE, SIDE, 1], SCALED),
    new ArrayColumn(hostTensor(Int32Array.from(labels.data))),
  ];
  return new Dataset(tableSource(tableOf<FashionMnistExample>(columns), 'fashionMnist'));
}

/**
 * Fashion-MNIST: 60,000 training and 10,000 test images of clothes, 28 by 28 grey pixels, in ten classes.
 *
 * The files are looked for in `folder`; else in the folder named by `FOVEA_FASHION_MNIST`, in that of Debian's package
 * `dataset-fashion-mnist`, and in the cache; else they are downloaded into the cache, checked by their digests.
 *
 * ```ts
 * const [train, test] = await fashionMnist();
 * for await (const [images, labels] of train.shuffle(10_000).batch(32)) { ... } // [32,28,28,1] and [32]
 * ```
 *
 * @returns train and test datasets of `[image float32 [28,28,1] in 0..1, label int32 []]`, and the bytes as `raw`
 * @throws FoveaError ERR_NOT_FOUND when the files are nowhere (and may not be downloaded), ERR_DATA when they are not
 *   what they should be, ERR_NETWORK when they cannot be downloaded
 */
export async function fashionMnist(options: FashionMnistOptions = {}): Promise<FashionMnist> {
  const { validationSplit = 0 } = options;
  if (!(validationSplit >= 0 && validationSplit < 1)) {
    throw new FoveaError(`fashionMnist: expected validationSplit from 0 up to 1, received ${validationSplit}`, {
      code: 'ERR_ARGUMENT',
      op: 'fashionMnist',
      expected: 'a number from 0 up to 1',
      received: validationSplit,
    });
  }
  const files = (await findFashionMnist(options)) ?? (await fetchFashionMnist(options));
  const [trainImages, trainLabels] = await readPair(files.trainImages, files.trainLabels);
  const [testImages, testLabels] = await readPair(files.testImages, files.testLabels);
  const [train, validation] = examples(trainImages, trainLabels).split(1 - validationSplit);
  const test = examples(testImages, testLabels);
  return Object.assign([train, test] as [typeof train, typeof test], {
    ...{ train, test, validation },
    raw: { trainImages, trainLabels, testImages, testLabels },
    folder: path.dirname(files.trainImages),
  });
}
