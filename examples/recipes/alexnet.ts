/**
 * AlexNet's recipe (Krizhevsky et al. 2012, sections 4 and 5): random crops of images an eighth larger, mirrored half of
 * the time, with colours shifted along their principal components; local response normalization and dropout 0.5; SGD with
 * momentum 0.9 in batches of 128, weight decay 0.0005, a learning rate of 0.01 that is divided by 10 whenever the
 * validation error stops falling, three times in 90 epochs. Here the images are small and few, the rate falls at fixed
 * epochs, and tests look at the whole image, made smaller, instead of ten crops.
 *
 *     node --import tsx examples/recipes/alexnet.ts --data fashion --epochs 9
 */
import { layers, optimizers, schedules, Sequential } from '../../lib/index.js';
import { alexNet } from '../../models/index.js';
import { readRecipe } from './support.js';

const usual = { epochs: 6, 'batch-size': 32, size: 67, images: 640 };
const recipe = await readRecipe(usual, { room: 256 / 227, mirrored: true });
const { train, test, classes, size, imageSize, epochs, batchSize, steps } = recipe;

// Layers that change images at random do so in training only.
const model = new Sequential([
  layers.input({ shape: [imageSize, imageSize, 3] }),
  layers.randomCrop({ height: size, width: size }),
  layers.randomFlip({ mode: 'horizontal' }),
  layers.randomColorPca({ valueRange: [-1, 1] }),
  alexNet({ inputShape: [size, size, 3], classes }),
]);
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

await model.fit(train.shuffle(10_000, { seed: 1 }).batch(batchSize).prefetch(2), {
  epochs,
  validationData: test.batch(batchSize),
});
