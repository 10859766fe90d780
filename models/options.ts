import { FoveaError, layers } from '../lib/index.js';
import type { Initializer, SymbolicTensor } from '../lib/index.js';

// What every model of the zoo can be told, and the two ends that most have in common: the image and the classifier.

/** Options of the networks in this folder, in Keras's words. */
export interface ModelOptions {
  /** Height, width and channels of the images; `null` where the size may change from batch to batch. */
  inputShape?: readonly (number | null)[] | undefined;
  /** How many classes the last layer tells apart. 1000 (ImageNet) unless the model says otherwise. */
  classes?: number | undefined;
  /** Whether the model ends in the classifier, or before it, in feature maps. True unless told. */
  includeTop?: boolean | undefined;
  /** Without a top: the mean or the maximum of every feature map, instead of the maps. */
  pooling?: 'avg' | 'max' | undefined;
  /** `null` (or 'linear') gives scores, to be used with losses `fromLogits`. 'softmax' unless told. */
  classifierActivation?: 'softmax' | 'sigmoid' | 'linear' | null | undefined;
  /** Rate of the dropout before the classifier, in [0, 1); the model's own unless given. */
  dropout?: number | undefined;
  /** The model's name. */
  name?: string | undefined;
  /** Random weights, which is the default; see `PretrainedOptions` for others. */
  weights?: null | undefined;
}

const KEYS = ['inputShape', 'classes', 'includeTop', 'pooling', 'classifierActivation', 'dropout', 'name', 'weights'];

/** What a model asks of its images. */
export interface InputRules {
  /** The smallest height and width. 1 unless given. */
  readonly least?: number;
  /** Whether a top needs height and width to be known: where dense layers see every pixel. */
  readonly fixed?: boolean;
  /** Keys of `options` that only this model knows. */
  readonly keys?: readonly string[];
}

/**
 * Checks a model's options.
 *
 * @param model - how messages begin: `vgg16: expected classes to be ...`
 * @param options - as the caller gave them
 * @param inputShape - of the images, the model's own where the caller gave none
 * @throws FoveaError ERR_ARGUMENT that names the first option that is wrong
 */
export function checkOptions(
  model: string,
  options: ModelOptions,
  inputShape: readonly (number | null)[],
  { least = 1, fixed = false, keys = [] }: InputRules = {},
): void {
  const wrong = (what: string, expected: string, received: unknown): FoveaError => {
    const shown = JSON.stringify(received) ?? String(received);
    return new FoveaError(`${model}: expected ${what} to be ${expected}, received ${shown}`, {
      code: 'ERR_ARGUMENT',
      op: model,
      expected,
      received,
    });
  };
  const known = [...KEYS, ...keys];
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw wrong('options', `among ${known.join(', ')}`, unknown);
  const { classes, includeTop, pooling, classifierActivation, dropout, weights } = options;
  const size = (d: unknown, smallest: number): boolean => Number.isInteger(d) && (d as number) >= smallest;
  const [height, width, channels] = inputShape;
  const open = !fixed || includeTop === false;
  const fits = (d: unknown): boolean => (d === null && open) || size(d, least);
  if (!Array.isArray(inputShape) || inputShape.length !== 3 || !fits(height) || !fits(width) || !size(channels, 1)) {
    const sizes = open ? 'null or' : 'known (with this top), and';
    throw wrong('inputShape', `[height, width, channels], height and width ${sizes} at least ${least}`, inputShape);
  }
  if (classes !== undefined && !size(classes, 1)) throw wrong('classes', 'a whole number of at least 1', classes);
  if (includeTop !== undefined && typeof includeTop !== 'boolean') {
    throw wrong('includeTop', 'true or false', includeTop);
  }
  if (pooling !== undefined && !['avg', 'max'].includes(pooling)) throw wrong('pooling', `'avg' or 'max'`, pooling);
  if (!['softmax', 'sigmoid', 'linear'].includes(classifierActivation ?? 'linear')) {
    throw wrong('classifierActivation', `'softmax', 'sigmoid', 'linear' or null`, classifierActivation);
  }
  if (dropout !== undefined && !(typeof dropout === 'number' && dropout >= 0 && dropout < 1)) {
    throw wrong('dropout', 'a number in [0, 1)', dropout);
  }
  if (weights !== undefined && weights !== null)
    throw wrong('weights', `null, 'imagenet', another publisher's name or a file`, weights);
}

/**
 * Checks the options and makes the input of a functional model.
 *
 * @param options - the model's
 * @param size - height, width and channels, unless the options name them
 * @param rules - what the architecture needs
 */
export function imageInput(
  options: ModelOptions,
  size: readonly [number, number, number],
  { model = options.name ?? 'model', ...rules }: InputRules & { readonly model?: string } = {},
): SymbolicTensor {
  const { inputShape = size } = options;
  checkOptions(model, options, inputShape, rules);
  return layers.input({ shape: inputShape, name: 'input_layer' });
}

/** Names of the layers that {@link head} makes. */
export interface HeadNames {
  /** Global average pooling. */
  readonly pool: string;
  /** Global max pooling; as `pool` unless given. */
  readonly maxPool?: string;
  /** The last layer. */
  readonly dense: string;
  readonly dropout?: string;
  /** What the last layer's kernel begins with; Keras's default (Glorot uniform) unless given. */
  readonly initializer?: Initializer;
}

/**
 * Mean over the image, dropout where its rate is not 0, and the last layer; without a top the feature maps, or their
 * mean or maximum.
 */
export function head(x: SymbolicTensor, options: ModelOptions, names: HeadNames): SymbolicTensor {
  const { includeTop = true, pooling, dropout = 0 } = options;
  if (!includeTop && pooling === undefined) return x;
  if (!includeTop && pooling === 'max') {
    return layers.globalMaxPooling2d({ name: names.maxPool ?? names.pool }).apply(x);
  }
  const mean = layers.globalAveragePooling2d({ name: names.pool }).apply(x);
  if (!includeTop) return mean;
  const kept = dropout > 0 ? layers.dropout({ name: names.dropout ?? 'dropout', rate: dropout }).apply(mean) : mean;
  return classifier(kept, names.dense, options, names.initializer);
}

/** The last layer: a probability, or a score, for each class. */
export function classifier(
  x: SymbolicTensor,
  name: string,
  options: ModelOptions,
  kernelInitializer?: Initializer,
): SymbolicTensor {
  const { classes = 1000, classifierActivation = 'softmax' } = options;
  const activation = classifierActivation ?? 'linear';
  return layers.dense({ name, units: classes, activation, kernelInitializer }).apply(x);
}
