import { mismatch } from '../../errors.js';
import { Dataset } from '../dataset.js';
import { type HostTensor, hostTensor, scalar } from '../host-tensor.js';
import type { Source } from '../source.js';
import { batchSource } from '../stages/batch.js';
import { type ImageFiles, imageSource } from './image-source.js';
import { type ImageOptions, parallelOf, readingOf } from './image-options.js';
import { orderOf } from './order.js';
import { SkippedImages } from './skipped.js';
import { selectSplit } from './split.js';

/**
 * What stands for a class: its number (int32 `[]`), a one-hot vector (float32 `[classes]`), 0 or 1 of two classes (float32
 * `[1]`), or nothing.
 */
export type LabelMode = 'int' | 'categorical' | 'binary' | null;

/** One split, or several at once. */
export type SplitSpec = string | readonly string[];

/** What an image dataset has besides the elements. Stages after it do not: keep the dataset, or take it apart first. */
export interface ImageDatasetInfo {
  /** The classes, by label. */
  readonly classNames: readonly string[];
  /** The image files, in the order of the elements. */
  readonly files: readonly string[];
  /** The label of each file; empty where there are none. */
  readonly labels: readonly number[];
  /** The images that were left out so far. */
  readonly skipped: SkippedImages;
}

export type ImageDataset<T> = Dataset<T> & ImageDatasetInfo;

/** An image, and its label where there is one. */
export type ImageElement<M> = M extends null ? HostTensor : [image: HostTensor, label: HostTensor];

/** A dataset for one split, a tuple of them for several. */
export type ImageSplits<S, T> = S extends readonly unknown[]
  ? { -readonly [K in keyof S]: ImageDataset<T> }
  : ImageDataset<T>;

/** Options about order and parts. */
export interface SplitOptions<S extends SplitSpec> {
  /** 'train' (all) unless told; TensorFlow Datasets' slices: 'train[:10%]', 'train[10%:25%]', or a list of such. */
  readonly split?: S;
  /** Fixes the order of the images before they are split. 0 unless told. */
  readonly seed?: number;
  /** Whether images are put in an order of chance before they are split. True unless told; else they stay sorted. */
  readonly shuffle?: boolean;
  /** Whether every part has the classes in the same proportions (to within one image of each). */
  readonly stratified?: boolean;
}

export const SPLIT_KEYS = ['split', 'seed', 'shuffle', 'stratified'];

/** Labelled files. */
export interface Examples {
  readonly files: readonly string[];
  /** A class number each, or a float each; undefined without labels. */
  readonly labels: readonly number[] | undefined;
  readonly classNames: readonly string[];
}

/** Tensors for labels: made once for each class. */
function targetsOf(
  op: string,
  mode: LabelMode | 'float',
  { labels, classNames }: Examples,
): (label: number) => HostTensor {
  const classes = classNames.length;
  if (mode === 'float') return (label) => scalar(label);
  if (mode === 'binary' && classes !== 2) {
    throw mismatch('ERR_ARGUMENT', { op }, `two classes for labelMode 'binary'`, `${classes}`);
  }
  if (mode !== null && labels === undefined) throw mismatch('ERR_ARGUMENT', { op }, 'labels', 'none');
  const made = classNames.map((_, label) => {
    if (mode === 'int') return scalar(label, 'int32');
    if (mode === 'binary') return hostTensor(Float32Array.of(label), [1]);
    return hostTensor(Float32Array.from({ length: classes }, (__, i) => (i === label ? 1 : 0)));
  });
  return (label) => made[label] as HostTensor;
}

/** Checks a label mode. */
export function checkLabelMode(op: string, mode: unknown, choices: readonly (string | null)[]): void {
  if (choices.includes(mode as string | null)) return;
  const expected = `labelMode to be ${choices.map((choice) => (choice === null ? 'null' : `'${choice}'`)).join(', ')}`;
  throw mismatch('ERR_ARGUMENT', { op }, expected, JSON.stringify(mode) ?? 'nothing');
}

/**
 * The datasets of a list of examples: put in order, split, read by `options`.
 *
 * @throws FoveaError ERR_ARGUMENT for options that make no sense, ERR_DATA when a split is empty
 */
export function imageDatasets<S extends SplitSpec, T>(
  op: string,
  examples: Examples,
  mode: LabelMode | 'float',
  options: ImageOptions & SplitOptions<S>,
): ImageSplits<S, T> {
  const { split = 'train', seed = 0, shuffle = true, stratified = false } = options;
  const reading = readingOf(op, options);
  const parallel = parallelOf(op, options);
  if (stratified && (mode === null || mode === 'float')) {
    throw mismatch('ERR_ARGUMENT', { op }, 'classes for stratified splits', `labelMode ${JSON.stringify(mode)}`);
  }
  const targetOf = targetsOf(op, mode, examples);
  const order = orderOf(examples.labels ?? examples.files.map(() => 0), { seed, shuffle, stratified });
  const make = (part: string): ImageDataset<T> => {
    const rows = selectSplit(op, part, order);
    if (rows.length === 0) {
      throw mismatch('ERR_DATA', { op }, `images in split '${part}'`, `none of ${order.length}`);
    }
    const files = rows.map((row) => examples.files[row] as string);
    const labels = mode === null ? [] : rows.map((row) => examples.labels?.[row] as number);
    const skipped = new SkippedImages(options.onSkip);
    const images: ImageFiles = {
      files,
      targets: JSON.stringify([mode, mode === 'categorical' ? examples.classNames.length : 0, labels]),
      ...(mode === null ? {} : { targetOf: (row) => targetOf(labels[row] as number) }),
    };
    const policy = { op, reading, parallel, skipped: options.onCorrupt === 'skip' ? skipped : undefined };
    const source = imageSource<T>(images, policy);
    const { batchSize, dropRemainder = false } = options;
    // A batch of images and labels has the same type as one of them: tensors with a dimension more.
    const batched = batchSize === undefined ? source : batchSource(source, batchSize, { dropRemainder });
    const dataset = new Dataset(batched as Source<T>);
    return Object.assign(dataset, { classNames: examples.classNames, files, labels, skipped });
  };
  const made = typeof split === 'string' ? make(split) : split.map(make);
  return made as ImageSplits<S, T>;
}
