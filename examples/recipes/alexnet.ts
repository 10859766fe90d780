/**
 * AlexNet's recipe (Krizhevsky et al. 2012, sections 4 and 5): random crops of images an eighth larger, mirrored half of
 * the time, with colours shifted along their principal components; local response normalization and dropout 0.5; SGD with
 * momentum 0.9 in batches of 128, weight decay 0.0005, a learning rate of 0.01 that is divided by 10 whenever the
 * validation error stops falling, three times in 90 epochs. Here the images are small and few, the rate falls at fixed
 * epochs, and tests look at the crop in the middle instead of ten.
 *
 *     node --import tsx examples/recipes/alexnet.ts --data fashion --epochs 9
 */
import { optimizers, schedules } from '../../lib/index.js';
import { alexNet } from '../../models/index.js';
import { augment, centreCrop, colourComponents } from './augment.js';
import { random, readRecipe } from './support.js';

const usual = { epochs: 6, 'batch-size': 32, size: 67, images: 640 };
const recipe = await readRecipe(usual, { room: 256 / 227, mirrored: true });
const { train, test, classes, size, epochs, batchSize, steps } = recipe;

const model = alexNet({ inputShape: [size, size, 3], classes });
const thirds = [1 / 2, 3 / 4, 7 / 8].map((part) => Math.max(1, Math.round(part * epochs * steps)));
model.compile({
  optimizer: optimizers.sgd({
    learningRate: schedules.piecewiseConstantDecay({
      boundaries: [...new Set(thirds)],
      values: [0.01, 0.001, 0.0001, 0.00001].slice(0, new Set(thirds).size + 1),
    }),
    momentum: 0.9,
    weightDecay: 5e-4,
  }),
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],
});

const colours = await colourComponents(train);
const varied = train.shuffle(10_000, { seed: 1 }).map(augment(size, colours, random(7)));
await model.fit(varied.batch(batchSize).prefetch(2), {
  epochs,
  validationData: test.map(centreCrop(size)).batch(batchSize),
});
