/**
 * Chapter 14's CNN on Fashion-MNIST, from the data to the saved model:
 *
 *     npm run demo -- --epochs 10
 *
 * Leaves a folder in `runs/` with the configuration, the history (CSV and JSON), the training curves and the model.
 */
import { parseArgs } from 'node:util';
import {
  callbacks,
  createRunFolder,
  currentDevice,
  data,
  devices,
  FoveaError,
  interruptible,
  optimizers,
  saveModel,
  schedules,
  setRandomSeed,
} from '../lib/index.js';
import { fashionCnn } from '../models/index.js';

const { values: flags } = parseArgs({
  options: {
    epochs: { type: 'string', default: '2' },
    'batch-size': { type: 'string', default: '32' },
    'learning-rate': { type: 'string', default: '0.001' },
    folder: { type: 'string' },
    seed: { type: 'string', default: '42' },
    limit: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (flags.help) {
  console.log(
    [
      'usage: npm run demo -- [--epochs N] [--batch-size N] [--learning-rate X] [--folder DIR] [--seed N] [--limit N]',
      '',
      '  --folder  where the four Fashion-MNIST files are (else they are looked for, then downloaded)',
      '  --limit   trains on the first N images only',
    ].join('\n'),
  );
  process.exit(0);
}

/** A flag as a number. */
function number(name: 'epochs' | 'batch-size' | 'learning-rate' | 'seed', least: number): number {
  const value = Number(flags[name]);
  if (Number.isFinite(value) && value >= least) return value;
  throw new FoveaError(`--${name}: expected a number of at least ${least}, received ${flags[name]}`);
}

const begin = performance.now();
const epochs = number('epochs', 1);
const batchSize = number('batch-size', 1);
const learningRate = number('learning-rate', 0);
const seed = number('seed', 0);
setRandomSeed(seed);

const device = devices().present.find(({ name }) => name === currentDevice());
console.log(`Device: ${device?.name} (${device?.description})`);

const fashion = await data.fashionMnist({
  validationSplit: 1 / 12,
  ...(flags.folder === undefined ? {} : { folder: flags.folder }),
});
const train = flags.limit === undefined ? fashion.train : fashion.train.take(Number(flags.limit));
const [images, held, tests] = [train, fashion.validation, fashion.test].map((part) => part.cardinality);
console.log(`Fashion-MNIST: ${images} images to train, ${held} to validate, ${tests} to test (${fashion.folder})`);

const model = fashionCnn();
model.summary();
// The book's Nadam; the learning rate falls to 0 along a cosine, which is worth one to two points of accuracy.
const decaySteps = epochs * Math.ceil((images as number) / batchSize);
model.compile({
  optimizer: optimizers.nadam({
    learningRate: schedules.cosineDecay({ initialLearningRate: learningRate, decaySteps }),
  }),
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],
});

const run = await createRunFolder({ name: 'fashion-mnist' });
await run.saveConfig({ epochs, batchSize, learningRate, seed, device, images, optimizer: 'nadam' });
const history = await interruptible((signal) =>
  model.fit(train.shuffle(60_000, { seed }).batch(batchSize).prefetch(2), {
    epochs,
    validationData: fashion.validation.batch(250),
    signal,
    callbacks: [
      new callbacks.RunLogger(run, 'Fashion-MNIST'),
      new callbacks.BackupAndRestore(run.file('checkpoint.safetensors')),
    ],
  }),
);
if (!history) {
  console.log(`Run folder: ${run.path} (with a checkpoint of the training that was interrupted)`);
  process.exit();
}
const trained = (performance.now() - begin) / 1000;
const { accuracy } = await model.evaluate(fashion.test.batch(250), { verbose: 0 });
await saveModel(model, run.file('model'));
const total = (performance.now() - begin) / 1000;
console.log(`Run folder: ${run.path}`);
console.log(`Time: ${total.toFixed(1)} s, ${trained.toFixed(1)} s of it until the end of training`);
console.log(`Test accuracy: ${accuracy!.toFixed(4)}`);
