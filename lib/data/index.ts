/** Data for training: the `data` namespace of the library. */
import { Dataset } from './dataset.js';

export type { DiskCacheOptions } from './cache/disk-cache.js';
export type { BatchOptions } from './stages/batch.js';
export type { Generate } from './stages/generator.js';
export type { MapFunction, MapOptions } from './stages/map.js';
export type { ShuffleOptions } from './stages/shuffle.js';
export type { ArrayInput, FromArraysOptions, Row, ShapedData } from './from-arrays.js';
export type { Pass } from './pull.js';
export type { Batched, Element } from './structure.js';
export type { Cardinality } from './source.js';
export type { IterateOptions } from './dataset.js';
export type { DatasetIterator } from './dataset-iterator.js';
export { Dataset };

/** The slices of arrays along their first axis: {@link Dataset.fromArrays}. */
export const fromArrays = Dataset.fromArrays;

/** The elements of an iterable made anew for each pass: {@link Dataset.fromGenerator}. */
export const fromGenerator = Dataset.fromGenerator;

export type { HostData, HostDType, HostTensor, NestedNumbers } from './host-tensor.js';
export { hostTensor, isHostTensor, scalar } from './host-tensor.js';

export type { IdxTensor, IdxType, ReadIdxOptions } from './idx.js';
export { parseIdx, readIdx } from './idx.js';

export type { DownloadOptions, DownloadResult } from './download.js';
export { download } from './download.js';
export type { DownloadProgress } from './download/attempt.js';
export { cacheFolder } from '../util/cache-folder.js';
export { downloadReporter } from './download/reporter.js';

export type { IdxArrays, IdxExample, IdxImages, IdxImagesOptions } from './idx-images.js';
export { mnist } from './mnist.js';
export type {
  ImageDataset,
  ImageDatasetInfo,
  ImageElement,
  ImageSplits,
  LabelMode,
  SplitOptions,
  SplitSpec,
} from './images/image-dataset.js';
export type { ImageFolderOptions } from './images/image-folder.js';
export { imageFolder } from './images/image-folder.js';
export type { CsvImagesOptions, CsvLabelMode } from './images/csv-images.js';
export { csvImages } from './images/csv-images.js';
export type { ImageOptions } from './images/image-options.js';
export type { Interpolation } from './images/resize.js';
export type { SkippedImage, SkippedImages } from './images/skipped.js';
export type { TfFlowersOptions } from './tf-flowers.js';
export { TF_FLOWERS_CLASSES, tfFlowers } from './tf-flowers.js';
export type { ArchiveOptions } from './archives/fetch-archive.js';
export type { Cifar, Cifar100Options, CifarArrays, CifarExample } from './cifar.js';
export { cifar10, cifar100 } from './cifar.js';
export type {
  FashionMnist,
  FashionMnistArrays,
  FashionMnistExample,
  FashionMnistMirror,
  FashionMnistOptions,
} from './fashion-mnist.js';
export { FASHION_MNIST_CLASSES, fashionMnist } from './fashion-mnist.js';
