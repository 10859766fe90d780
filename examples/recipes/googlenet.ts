/**
 * GoogLeNet's recipe (Szegedy et al. 2015, sections 5 and 6): two auxiliary classifiers whose losses count 0.3, SGD with
 * momentum 0.9, a learning rate that falls by 4% every 8 epochs, dropout 0.4 (0.7 in the auxiliary classifiers). At the
 * end the auxiliary classifiers are left out.
 *
 *     node --import tsx examples/recipes/googlenet.ts --data fashion
 */
import { Model, optimizers, schedules } from '../../lib/index.js';
import { googLeNet } from '../../models/index.js';
import { readRecipe, type Example } from './support.js';

const recipe = await readRecipe({ epochs: 6, 'batch-size': 32, size: 64, images: 640 });
const { train, test, classes, size, epochs, batchSize, steps } = recipe;

const model = googLeNet({ inputShape: [size, size, 3], classes, auxiliary: true });
const loss = 'sparseCategoricalCrossentropy';
model.compile({
  optimizer: optimizers.sgd({
    learningRate: schedules.exponentialDecay({
      initialLearningRate: 0.01,
      decaySteps: 8 * steps,
      decayRate: 0.96,
      staircase: true,
    }),
    momentum: 0.9,
  }),
  loss: { predictions: loss, auxiliary1: loss, auxiliary2: loss },
  lossWeights: { predictions: 1, auxiliary1: 0.3, auxiliary2: 0.3 },
  metrics: { predictions: ['accuracy'] },
});

/** All three classifiers learn the same label. */
const threefold = ([image, label]: Example) =>
  [image, { predictions: label, auxiliary1: label, auxiliary2: label }] as const;
await model.fit(train.map(threefold).shuffle(10_000, { seed: 1 }).batch(batchSize).prefetch(2), {
  epochs,
  validationData: test.map(threefold).batch(batchSize),
});

const deployed = new Model({ inputs: model.inputs[0]!, outputs: model.outputs[0]!, name: 'googlenet' });
deployed.compile({ optimizer: 'sgd', loss, metrics: ['accuracy'] });
const { accuracy } = await deployed.evaluate(test.batch(batchSize), { verbose: 0 });
console.log(
  `Without its auxiliary classifiers: ${deployed.countParams()} parameters, accuracy ${accuracy!.toFixed(3)}`,
);
