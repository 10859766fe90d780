/**
 * Transfer learning as in section 14.7: Xception without its top, a new one for five kinds of flowers, trained first with
 * the base frozen, then with all of it.
 *
 *     node --import tsx examples/transfer-learning.ts
 *     node --import tsx examples/transfer-learning.ts --data drawn --base small     (needs no network: a minute)
 *     node --import tsx examples/transfer-learning.ts --data my-photos --base resnet50 --size 160
 */
import { createRunFolder, type Model, optimizers, saveModel } from '../lib/index.js';
import { batches, chooseBase, chooseImages, preprocess, readFlags, withTop } from './images/setting.js';

const flags = readFlags();
const { model: base, size, network, untrained } = await chooseBase(flags);
const [test, valid, train] = await chooseImages(flags, size);
const counts = [train, valid, test].map(({ files }) => files.length).join(' / ');
console.log(`Data: ${counts} images to train / validate / test: ${train.classNames.join(', ')}`);

const trainSet = batches(train, network, flags);
const validSet = preprocess(valid, network).cache().batch(flags.batchSize);
const testSet = preprocess(test, network).batch(flags.batchSize);

const table: Record<string, Record<string, number>> = {};

/** Trains for some epochs and adds a line to the table. */
async function phase(name: string, model: Model, optimizer: optimizers.SGD, epochs: number): Promise<void> {
  console.log(`\n${name}`);
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const begin = performance.now();
  const { history } = await model.fit(trainSet, { epochs, validationData: validSet, verbose: 2 });
  const seconds = (performance.now() - begin) / 1000;
  const { accuracy } = await model.evaluate(testSet, { verbose: 0 });
  const trained = model.trainableWeights.reduce((sum, weight) => sum + weight.size, 0);
  const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
  const last = (key: string): number => rounded(history[key]!.at(-1)!, 3);
  table[name] = {
    ...{ epochs, 'trained weights': trained, train: last('accuracy'), valid: last('val_accuracy') },
    ...{ test: rounded(accuracy!, 3), 's/epoch': rounded(seconds / epochs, 1) },
  };
}

const model = withTop(base, train.classNames.length);

// The new top has random weights: its first, wild gradients would spoil what the base has learned.
for (const layer of base.layers) layer.trainable = false;
const quick = optimizers.sgd({ learningRate: 0.2, momentum: 0.9, decay: 0.01 });
await phase('frozen base', model, quick, flags.epochs);

// Then all of it, gently.
if (flags.fineTuneEpochs > 0) {
  for (const layer of base.layers) layer.trainable = true;
  const gentle = optimizers.sgd({ learningRate: 0.01, momentum: 0.9, decay: 0.001 });
  await phase('fine-tuned', model, gentle, flags.fineTuneEpochs);
}

const run = await createRunFolder({ name: 'transfer-learning' });
await saveModel(model, run.file('model'));

// What the same network comes to in as many epochs as the frozen base had, from nothing. (At a rate of 0.2 it would not.)
const scratch = withTop(untrained(), train.classNames.length);
const steady = optimizers.sgd({ learningRate: 0.01, momentum: 0.9, decay: 0.001 });
await phase('from scratch', scratch, steady, flags.epochs);

console.log('\nAccuracy');
console.table(table);
console.log(`Model: ${run.file('model')}`);
