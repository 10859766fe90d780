import { data } from '../index.js';
import type { TrainConfig } from './config.js';
import { UsageError } from './errors.js';

/** Pairs of an image and its class. */
type Examples = data.Dataset<[image: data.HostTensor, label: data.HostTensor]>;

/** A data set, ready to be batched. */
export interface LoadedData {
  readonly train: Examples;
  /** Undefined when none was asked for. */
  readonly validation: Examples | undefined;
  readonly test: Examples | undefined;
  readonly classNames: readonly string[] | undefined;
  readonly classes: number;
  /** Height, width, channels. */
  readonly shape: readonly [number, number, number];
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
    return { train, test, validation, classes: 10, folder: found, ...(classNames ? { classNames } : {}) };
  };

const cifar =
  (load: typeof data.cifar10): Loader =>
  async ({ folder, validationSplit }, signal) => {
    const options = { ...(folder === undefined ? {} : { folder }), ...(signal ? { signal } : {}) };
    const { train: all, test, classNames, folder: found } = await load(options);
    const [train, validation] = all.split(1 - validationSplit);
    return { train, validation, test, classNames, classes: classNames.length, folder: found };
  };

const LOADERS: Partial<Record<DataConfig['name'], Loader>> = {
  'fashion-mnist': idx(data.fashionMnist, data.FASHION_MNIST_CLASSES),
  mnist: idx(data.mnist),
  cifar10: cifar(data.cifar10),
  cifar100: cifar(data.cifar100),
};

/**
 * Loads the data set of a configuration.
 *
 * @throws FoveaError as the data set's own function; UsageError for what it cannot do
 */
export async function loadData(config: DataConfig, signal?: AbortSignal): Promise<LoadedData> {
  const load = LOADERS[config.name];
  if (!load) throw new UsageError(`data: ${config.name} is not available in this version`);
  const parts = await load(config, signal);
  const train = limited(parts.train, config.limit);
  const validation =
    parts.validation && config.validationSplit > 0 ? limited(parts.validation, config.limit) : undefined;
  const test = parts.test && limited(parts.test, config.testLimit);
  const shape = await imageShape(train);
  return {
    ...{ train, validation, test, classNames: parts.classNames, classes: parts.classes, shape },
    facts: {
      ...{ name: config.name, folder: parts.folder, shape, classes: parts.classes },
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
