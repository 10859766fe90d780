import path from 'node:path';
import { data } from '../index.js';
import type { TrainConfig } from './config.js';
import { UsageError } from './errors.js';
import { pixelStage, type Example, type Scale } from './pixels.js';

type Examples = data.Dataset<Example>;

/** A data set, ready to be batched. */
export interface LoadedData {
  readonly train: Examples;
  /** Undefined when none was asked for. */
  readonly validation: Examples | undefined;
  readonly test: Examples | undefined;
  readonly classNames: readonly string[] | undefined;
  readonly classes: number;
  /** Height, width, channels of the inputs that {@link stage} makes. */
  readonly shape: readonly [number, number, number];
  /** What makes an input of an image; to be mapped after shuffling, which then holds no pixels. */
  readonly stage: ((example: Example) => Example) | undefined;
  /** For the record of a run. */
  readonly facts: Readonly<Record<string, unknown>>;
}

interface Parts {
  readonly train: Examples;
  readonly test?: Examples;
  readonly validation?: Examples;
  readonly classNames?: readonly string[];
  readonly classes: number;
  readonly folder: string;
  /** The value of a white pixel. */
  readonly white: 1 | 255;
  /** Whether images come in the size that was asked for. */
  readonly sized?: boolean;
}

type DataConfig = TrainConfig['data'];
type Loader = (config: DataConfig, signal: AbortSignal | undefined) => Promise<Parts>;

const idx =
  (load: typeof data.mnist, classNames?: readonly string[]): Loader =>
  async ({ folder, validationSplit }, signal) => {
    const {
      train,
      test,
      validation,
      folder: found,
    } = await load({
      ...(folder === undefined ? {} : { folder }),
      ...(signal ? { signal } : {}),
      validationSplit,
    });
    return { train, test, validation, classes: 10, folder: found, white: 1, ...(classNames ? { classNames } : {}) };
  };

const cifar =
  (load: typeof data.cifar10): Loader =>
  async ({ folder, validationSplit }, signal) => {
    const options = { ...(folder === undefined ? {} : { folder }), ...(signal ? { signal } : {}) };
    const { train: all, test, classNames, folder: found } = await load(options);
    const [train, validation] = all.split(1 - validationSplit);
    return { train, validation, test, classNames, classes: classNames.length, folder: found, white: 1 };
  };

const percent = (share: number): number => Math.round(100 * share);

/** Options of image folders. */
type Reading = { imageSize?: readonly [number, number]; split: string[]; stratified: boolean; antialias: boolean };

const folders =
  (load: (folder: string | undefined, options: Reading) => Promise<data.ImageDataset<Example>[]>): Loader =>
  async ({ folder, imageSize, validationSplit, testSplit }) => {
    // The parts are fixed by the order that the files have; the seed of the run changes weights and batches only.
    const cut = percent(testSplit);
    const end = cut + percent(validationSplit);
    const bounds = [
      [end, 100],
      [cut, end],
      [0, cut],
    ].filter(([from, to]) => to! > from!);
    const split = bounds.map(([from, to]) => `train[${from}%:${to}%]`);
    const parts = await load(folder, { split, stratified: true, antialias: true, ...(imageSize ? { imageSize } : {}) });
    const [train, ...held] = parts as [data.ImageDataset<Example>, ...data.ImageDataset<Example>[]];
    const validation = end > cut ? held.shift() : undefined;
    const test = cut > 0 ? held.shift() : undefined;
    const { classNames, files } = train;
    return {
      ...{ train, classNames, classes: classNames.length, white: 255, sized: true },
      ...{ folder: folder ?? path.dirname(path.dirname(files[0]!)) },
      ...(validation ? { validation } : {}),
      ...(test ? { test } : {}),
    };
  };

const LOADERS: Readonly<Record<DataConfig['name'], Loader>> = {
  'fashion-mnist': idx(data.fashionMnist, data.FASHION_MNIST_CLASSES),
  mnist: idx(data.mnist),
  cifar10: cifar(data.cifar10),
  cifar100: cifar(data.cifar100),
  'image-folder': folders((folder, options) => {
    if (folder === undefined)
      throw new UsageError('data: expected folder (--folder DIR) for image-folder, received none');
    return data.imageFolder(folder, options);
  }),
  'tf-flowers': folders((folder, options) =>
    data.tfFlowers({ ...options, ...(folder === undefined ? {} : { folder }) }),
  ),
};

/**
 * Loads the data set of a configuration.
 *
 * @param scale - how pixels become inputs, where the configuration does not say
 * @throws FoveaError as the data set's own function; UsageError for what it cannot do
 */
export async function loadData(config: DataConfig, scale: Scale, signal?: AbortSignal): Promise<LoadedData> {
  const { white, sized, ...parts } = await LOADERS[config.name](config, signal);
  const size = sized ? undefined : config.imageSize;
  const used = config.scale ?? scale;
  const stage = pixelStage({ scale: used, size }, white);
  const train = limited(parts.train, config.limit);
  const validation =
    parts.validation && config.validationSplit > 0 ? limited(parts.validation, config.limit) : undefined;
  const test = parts.test && limited(parts.test, config.testLimit);
  const shape = await imageShape(stage ? train.take(1).map(stage) : train);
  return {
    ...{ train, validation, test, classNames: parts.classNames, classes: parts.classes, shape, stage },
    facts: {
      ...{ name: config.name, folder: parts.folder, shape, scale: used, classes: parts.classes },
      ...{ classNames: parts.classNames ?? null, train: train.cardinality },
      ...{ validation: validation?.cardinality ?? 0, test: test?.cardinality ?? 0 },
    },
  };
}

function limited(dataset: Examples, limit: number | undefined): Examples {
  return limit === undefined ? dataset : dataset.take(limit);
}

async function imageShape(dataset: Examples): Promise<[number, number, number]> {
  for await (const [image] of dataset.take(1)) {
    const [height, width, channels] = image.shape;
    if (image.shape.length === 3) return [height!, width!, channels!];
  }
  throw new UsageError('data: expected at least one image, received none');
}

/** How many there are, when that is known. */
export function countOf(dataset: Examples | undefined): number | undefined {
  return typeof dataset?.cardinality === 'number' ? dataset.cardinality : undefined;
}
