/**
 * Xception's recipe (Chollet 2017, section 4.3): SGD with momentum 0.9, a learning rate of 0.045 (on 60 GPUs; less here)
 * that falls by 6% every 2 epochs, weight decay 0.00001, dropout 0.5 before the classifier. timm's drawing of it, whose
 * moving statistics follow within some ten steps; with Keras's momentum of 0.99 it takes hundreds.
 *
 *     node --import tsx examples/recipes/xception.ts --data fashion
 */
import { optimizers, schedules } from '../../lib/index.js';
import { xceptionTimm } from '../../models/index.js';
import { readRecipe } from './support.js';

const recipe = await readRecipe({ epochs: 4, 'batch-size': 32, size: 71, images: 320 });
const { train, test, classes, size, epochs, batchSize, steps } = recipe;

const model = xceptionTimm({ inputShape: [size, size, 3], classes, dropout: 0.5 });
model.compile({
  optimizer: optimizers.sgd({
    learningRate: schedules.exponentialDecay({
      initialLearningRate: 0.02,
      decaySteps: 2 * steps,
      decayRate: 0.94,
      staircase: true,
    }),
    momentum: 0.9,
    weightDecay: 1e-5,
  }),
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],
});
await model.fit(train.shuffle(10_000, { seed: 1 }).batch(batchSize).prefetch(2), {
  epochs,
  validationData: test.batch(batchSize),
});
