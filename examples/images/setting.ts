import { parseArgs } from 'node:util';
import { data, FoveaError, layers, Model, optimizers, schedules, setRandomSeed, vision } from '../../lib/index.js';
import { createModel } from '../../models/index.js';
import { generateImages } from './generate.js';

// What surrounds the chapter's program: flags, images where the network has none, and a base that has learned something
// where published weights cannot be had.

export type Example = [image: data.HostTensor, label: data.HostTensor];
export type Images = data.ImageDataset<Example>;

const FLAGS = {
  data: { type: 'string', default: 'auto' },
  base: { type: 'string', default: 'auto' },
  weights: { type: 'string' },
  epochs: { type: 'string', default: '5' },
  'fine-tune-epochs': { type: 'string', default: '5' },
  'pretrain-epochs': { type: 'string', default: '6' },
  size: { type: 'string' },
  'batch-size': { type: 'string', default: '32' },
  'per-class': { type: 'string', default: '200' },
  seed: { type: 'string', default: '42' },
  help: { type: 'boolean', default: false },
} as const;

const HELP = `usage: node --import tsx examples/transfer-learning.ts [flags]

  --data              auto: tf_flowers, or drawn flowers when it cannot be downloaded; tf_flowers; drawn; or a folder
                      with a folder of images for each class
  --base              auto: xception with ImageNet's weights, or small when they cannot be had; small: a small network
                      that first learns to tell drawn shapes apart; or the name of a network of the zoo
  --weights           imagenet (unless told), none, or a file of weights for the base
  --epochs            with the base frozen (5)
  --fine-tune-epochs  with the base unfrozen (5)
  --size              height and width of the images (224; 64 for the small base)
  --batch-size        32
  --per-class         how many flowers of each kind are drawn (200)
  --pretrain-epochs   of the small base (6)
  --seed              42`;

/** The flags, checked. */
export function readFlags() {
  const { values } = parseArgs({ options: FLAGS });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const number = (name: keyof typeof FLAGS, least: number): number => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= least) return value;
    throw new FoveaError(`--${name}: expected a whole number of at least ${least}, received ${values[name]}`);
  };
  const flags = {
    ...{ data: values.data, base: values.base, weights: values.weights },
    epochs: number('epochs', 1),
    fineTuneEpochs: number('fine-tune-epochs', 0),
    pretrainEpochs: number('pretrain-epochs', 1),
    size: values.size === undefined ? undefined : number('size', 32),
    batchSize: number('batch-size', 1),
    perClass: number('per-class', 10),
    seed: number('seed', 0),
  };
  setRandomSeed(flags.seed);
  return flags;
}

export type Flags = ReturnType<typeof readFlags>;

/** The beginning of a message: what is wrong, without the advice. */
const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message.split(/[;.?] |\n/)[0]! : String(error);

/** A base without its top, and what it wants of the images. */
export interface Base {
  readonly model: Model;
  readonly size: number;
  /** Whose preprocessing it wants: a network of the zoo. */
  readonly network: string;
  /** Makes the same network with weights that have learned nothing. */
  readonly untrained: () => Model;
}

/** Makes inputs of pixels from 0 to 255, as a network's weights expect them; from -1 to 1 for Xception and the small base. */
export function preprocess(images: Images, network: string): data.Dataset<Example> {
  return images.map(([image, label]): Example => [vision.preprocessInput(image, network), label]);
}

/** The base that `--base` and `--weights` name. */
export async function chooseBase(flags: Flags): Promise<Base> {
  const { base, weights = 'imagenet' } = flags;
  if (base === 'small') return smallBase(flags);
  const name = base === 'auto' ? 'xception' : base;
  const size = flags.size ?? 224;
  const options = { includeTop: false, inputShape: [size, size, 3] };
  const untrained = () => createModel(name, options) as Model;
  if (weights === 'none') return { model: untrained(), size, network: name, untrained };
  try {
    const model = (await createModel(name, { ...options, weights })) as Model;
    console.log(`Base: ${name} with weights ${weights}`);
    return { model, size, network: name, untrained };
  } catch (error) {
    if (base !== 'auto' || flags.weights !== undefined) throw error;
    console.log(`Base: Xception's weights cannot be had (${reasonOf(error)}); a small one learns shapes first instead`);
    return smallBase(flags);
  }
}

/** Four convolutions with batch normalization, trained to tell ten drawn shapes apart. */
async function smallBase(flags: Flags): Promise<Base> {
  const { size = 64, pretrainEpochs, perClass, weights } = flags;
  const network = 'xception';
  const untrained = (): Model => {
    const inputs = layers.input({ shape: [size, size, 3] });
    let x = inputs;
    for (const [i, filters] of [16, 32, 64, 128].entries()) {
      const [strides, kernelInitializer] = [i === 0 ? 2 : 1, 'heNormal'];
      const conv = { filters, strides, kernelInitializer, kernelSize: 3, padding: 'same', useBias: false } as const;
      x = layers.conv2d({ name: `conv${i + 1}`, ...conv }).apply(x);
      x = layers.batchNormalization({ name: `bn${i + 1}`, momentum: 0.9 }).apply(x);
      x = layers.relu().apply(x);
      if (i < 3) x = layers.maxPooling2d().apply(x);
    }
    return new Model({ name: 'small', inputs, outputs: x });
  };
  const model = untrained();
  if (weights !== undefined && weights !== 'imagenet') {
    if (weights !== 'none') await model.loadWeights(weights);
    return { model, size, network, untrained };
  }
  const count = 2 * perClass;
  const folder = data.cacheFolder('examples', `shapes-${size}-${count}`);
  await generateImages('shapes', folder, { size, perClass: count, seed: 2 });
  const split = ['train[:10%]', 'train[10%:]'] as const;
  const [valid, train] = await data.imageFolder(folder, { imageSize: size, split, stratified: true });
  const decaySteps = pretrainEpochs * Math.ceil(train.files.length / flags.batchSize);
  const learner = withTop(model, train.classNames.length);
  learner.compile({
    optimizer: optimizers.nadam({ learningRate: schedules.cosineDecay({ initialLearningRate: 0.003, decaySteps }) }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
  const history = await learner.fit(batches(train, network, flags), {
    epochs: pretrainEpochs,
    validationData: preprocess(valid, network).batch(64),
    verbose: 0,
  });
  const learned = history.history['val_accuracy']!.at(-1)!;
  console.log(
    `Base: small, ${pretrainEpochs} epochs on ${train.files.length} shapes of ten kinds (${learned.toFixed(3)})`,
  );
  const file = data.cacheFolder('examples', `small-${size}.safetensors`);
  await model.saveWeights(file);
  console.log(`Its weights, for another run with --base small --weights: ${file}`);
  return { model, size, network, untrained };
}

/** Global average pooling and a dense layer on top of a base. */
export function withTop(base: Model, classes: number): Model {
  const average = layers.globalAveragePooling2d().apply(base.outputs[0]!);
  const output = layers.dense({ units: classes, activation: 'softmax' }).apply(average);
  return new Model({ inputs: base.inputs[0]!, outputs: output });
}

/** Batches to train on: read and prepared once, in another order every epoch. */
export function batches(images: Images, network: string, { batchSize, seed }: Pick<Flags, 'batchSize' | 'seed'>) {
  return preprocess(images, network).cache().shuffle(images.files.length, { seed }).batch(batchSize).prefetch(1);
}

/** The images that `--data` names: 10% to test, 15% to validate, 75% to train. */
export async function chooseImages(
  flags: Flags,
  imageSize: number,
): Promise<[test: Images, valid: Images, train: Images]> {
  const reading = { imageSize, split: ['train[:10%]', 'train[10%:25%]', 'train[25%:]'], stratified: true } as const;
  if (flags.data === 'auto' || flags.data === 'tf_flowers') {
    try {
      return await data.tfFlowers(reading);
    } catch (error) {
      if (flags.data !== 'auto') throw error;
      console.log(`Data: tf_flowers cannot be had (${reasonOf(error)}); flowers are drawn instead`);
    }
  } else if (flags.data !== 'drawn') return data.imageFolder(flags.data, reading);
  const folder = data.cacheFolder('examples', `flowers-${imageSize}-${flags.perClass}`);
  await generateImages('flowers', folder, { size: imageSize, perClass: flags.perClass });
  return data.imageFolder(folder, reading);
}
