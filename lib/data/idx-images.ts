import path from 'node:path';
import { FoveaError } from '../errors.js';
import { ArrayColumn, ByteColumn } from './columns.js';
import { Dataset } from './dataset.js';
import type { DownloadProgress } from './download/attempt.js';
import { tableSource } from './from-arrays.js';
import { formatShape, type HostTensor, hostTensor } from './host-tensor.js';
import { fetchIdxFiles, findIdxFiles, type IdxFamily, type IdxMirror } from './idx-files.js';
import { readIdx } from './idx.js';
import { tableOf } from './table.js';

/** An example: image float32 `[28,28,1]` with values 0 to 1, label int32 `[]`. */
export type IdxExample = [image: HostTensor, label: HostTensor];

/** Options of the data sets in IDX files. */
export interface IdxImagesOptions {
  /** The folder of the four IDX files, gzipped or not; only this one is looked into. */
  readonly folder?: string;
  /** Whether to download the files when they are nowhere. True unless told. */
  readonly download?: boolean;
  /** The last part of the training images is set aside as `validation`: a fraction between 0 and 1. */
  readonly validationSplit?: number;
  /** Another place to download from, with the digests of its files. */
  readonly mirror?: IdxMirror;
  readonly signal?: AbortSignal;
  /** Told while downloading; a line on standard error, if that is a terminal, unless told. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** The bytes of the files: images uint8 `[n,28,28]`, labels uint8 `[n]`. */
export interface IdxArrays {
  readonly trainImages: HostTensor;
  readonly trainLabels: HostTensor;
  readonly testImages: HostTensor;
  readonly testLabels: HostTensor;
}

/** A data set in IDX files: a pair to destructure, with the same and more by name. */
export type IdxImages = [train: Dataset<IdxExample>, test: Dataset<IdxExample>] & {
  readonly train: Dataset<IdxExample>;
  readonly test: Dataset<IdxExample>;
  /** The examples set aside by `validationSplit`; empty without it. */
  readonly validation: Dataset<IdxExample>;
  readonly raw: IdxArrays;
  /** Where the files are. */
  readonly folder: string;
};

const SIDE = 28;
/** How many classes there are in every set of the family. */
const CLASSES = 10;
/** The value of each byte: what `x / 255` is in float32. */
const SCALED = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

function refuse(op: string, file: string, expected: string, received: string): FoveaError {
  return new FoveaError(`${file}: expected ${expected}, received ${received}`, {
    code: 'ERR_DATA',
    op,
    expected,
    received,
  });
}

async function readPair(op: string, imageFile: string, labelFile: string): Promise<[HostTensor, HostTensor]> {
  const [images, labels] = await Promise.all([readIdx(imageFile), readIdx(labelFile)]);
  const [count, height, width] = images.shape;
  if (images.dtype !== 'uint8' || images.shape.length !== 3 || height !== SIDE || width !== SIDE) {
    throw refuse(op, imageFile, 'uint8 images of shape [n,28,28]', `${images.idxType} ${formatShape(images.shape)}`);
  }
  if (labels.dtype !== 'uint8' || labels.shape.length !== 1 || labels.shape[0] !== count) {
    throw refuse(op, labelFile, `${count} uint8 labels`, `${labels.idxType} ${formatShape(labels.shape)}`);
  }
  const odd = labels.data.findIndex((label) => label >= CLASSES);
  if (odd >= 0) throw refuse(op, labelFile, 'labels from 0 to 9', `${labels.data[odd]} at ${odd}`);
  return [images, labels];
}

/** Examples over the bytes themselves: an image becomes float32 when its batch is gathered. */
function examples(op: string, images: HostTensor, labels: HostTensor): Dataset<IdxExample> {
  const columns = [
    new ByteColumn(images.data as Uint8Array, [SIDE, SIDE, 1], SCALED),
    new ArrayColumn(hostTensor(Int32Array.from(labels.data))),
  ];
  return new Dataset(tableSource(tableOf<IdxExample>(columns), op));
}

/**
 * Finds or downloads a data set of the family, and reads it.
 *
 * @throws FoveaError ERR_NOT_FOUND when the files are nowhere (and may not be downloaded), ERR_DATA when they are not
 *   what they should be, ERR_NETWORK when they cannot be downloaded
 */
export async function loadIdxImages(family: IdxFamily, options: IdxImagesOptions): Promise<IdxImages> {
  const { op } = family;
  const { validationSplit = 0 } = options;
  if (!(validationSplit >= 0 && validationSplit < 1)) {
    throw new FoveaError(`${op}: expected validationSplit from 0 up to 1, received ${validationSplit}`, {
      code: 'ERR_ARGUMENT',
      op,
      expected: 'a number from 0 up to 1',
      received: validationSplit,
    });
  }
  const files = (await findIdxFiles(family, options)) ?? (await fetchIdxFiles(family, options));
  const [trainImages, trainLabels] = await readPair(op, files.trainImages, files.trainLabels);
  const [testImages, testLabels] = await readPair(op, files.testImages, files.testLabels);
  const [train, validation] = examples(op, trainImages, trainLabels).split(1 - validationSplit);
  const test = examples(op, testImages, testLabels);
  return Object.assign([train, test] as [typeof train, typeof test], {
    ...{ train, test, validation },
    raw: { trainImages, trainLabels, testImages, testLabels },
    folder: path.dirname(files.trainImages),
  });
}
