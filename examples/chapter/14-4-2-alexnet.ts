/**
 * 14.4.2, AlexNet (Krizhevsky et al. 2012): large kernels first, local response normalization, dropout, and images that
 * are shifted and flipped so that none is seen twice.
 *
 *     node --import tsx examples/chapter/14-4-2-alexnet.ts
 *
 * `examples/recipes/alexnet.ts` has the paper's optimizer and schedule.
 */
import { layers, optimizers, Sequential } from '../../lib/index.js';
import { lesson, train } from './support.js';

const task = await lesson({ size: 67, images: 1000 });

const lrn = (): layers.Layer => layers.localResponseNormalization({ depthRadius: 2, bias: 1, alpha: 2e-5, beta: 0.75 });
const conv = (filters: number, kernelSize: number, strides = 1): layers.Layer =>
  layers.conv2d({ filters, kernelSize, strides, padding: strides > 1 ? 'valid' : 'same', activation: 'relu' });
const pool = (): layers.Layer => layers.maxPooling2d({ poolSize: 3, strides: 2 });

const model = new Sequential(
  [
    layers.input({ shape: [28, 28, 1] }),
    // Augmentation, while training only: up to two pixels aside, and mirrored every other time.
    layers.randomTranslation({ heightFactor: 2 / 28, widthFactor: 2 / 28, fillMode: 'constant', seed: 1 }),
    layers.randomFlip({ mode: 'horizontal', seed: 2 }),
    layers.resizing({ height: task.size, width: task.size }), // the paper's images have 227x227
    conv(96, 11, 4), // C1
    lrn(),
    pool(), // S2
    conv(256, 5), // C3
    lrn(),
    pool(), // S4
    conv(384, 3), // C5
    conv(384, 3), // C6
    conv(256, 3), // C7
    layers.flatten(),
    layers.dense({ units: 4096, activation: 'relu' }), // F8
    layers.dropout({ rate: 0.5 }),
    layers.dense({ units: 4096, activation: 'relu' }), // F9
    layers.dropout({ rate: 0.5 }),
    layers.dense({ units: 10, activation: 'softmax' }),
  ],
  { name: 'alexnet' },
);
model.summary();
await train(model, optimizers.adam({ learningRate: 3e-4 }), task);
