/**
 * ResNet's recipe (He et al. 2016, section 3.4): SGD with momentum 0.9, weight decay 0.0001, a learning rate of 0.1 (for
 * batches of 256; less for smaller ones, in proportion) that is divided by 10 at one third and two thirds of the way, no
 * dropout. It warms up over the first epoch, as became the custom.
 *
 *     node --import tsx examples/recipes/resnet.ts --data fashion
 */
import { optimizers, schedules } from '../../lib/index.js';
import { resNet18 } from '../../models/index.js';
import { readRecipe } from './support.js';

const recipe = await readRecipe({ epochs: 6, 'batch-size': 32, size: 64, images: 640 });
const { train, test, classes, size, epochs, batchSize, steps } = recipe;

const model = resNet18({ inputShape: [size, size, 3], classes });
const rate = (0.1 * batchSize) / 256;
const all = epochs * steps;
const boundaries = [...new Set([Math.min(steps, all), Math.ceil((2 * all) / 3), Math.ceil((5 * all) / 6)])];
model.compile({
  optimizer: optimizers.sgd({
    learningRate: schedules.piecewiseConstantDecay({
      boundaries,
      values: [rate / 4, rate, rate / 10, rate / 100].slice(0, boundaries.length + 1),
    }),
    momentum: 0.9,
    weightDecay: 1e-4,
  }),
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],
});
await model.fit(train.shuffle(10_000, { seed: 1 }).batch(batchSize).prefetch(2), {
  epochs,
  validationData: test.batch(batchSize),
});
