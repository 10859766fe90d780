/**
 * 14.4.3, GoogLeNet (Szegedy et al. 2014): inception modules look through 1x1, 3x3 and 5x5 kernels and a pooling at once;
 * 1x1 convolutions in front of them keep the cost down.
 *
 *     node --import tsx examples/chapter/14-4-3-googlenet.ts
 *
 * `models/googlenet.ts` has the auxiliary classifiers too.
 */
import { input, layers, Model, optimizers, type SymbolicTensor } from '../../lib/index.js';
import { lesson, train } from './support.js';

const task = await lesson({ size: 64, images: 500 });

const conv = (x: SymbolicTensor, filters: number, kernelSize: number, strides = 1): SymbolicTensor =>
  layers.conv2d({ filters, kernelSize, strides, padding: 'same', activation: 'relu' }).apply(x);
const pool = (x: SymbolicTensor, strides = 2): SymbolicTensor =>
  layers.maxPooling2d({ poolSize: 3, strides, padding: 'same' }).apply(x);
const lrn = (x: SymbolicTensor): SymbolicTensor =>
  layers.localResponseNormalization({ depthRadius: 2, alpha: 2e-5, beta: 0.75 }).apply(x);

/** Filters of figure 14-14: 1x1, 3x3 and what reduces it, 5x5 and what reduces it, behind the pooling. */
type Filters = readonly [one: number, reduce3: number, three: number, reduce5: number, five: number, pooled: number];

function inception(x: SymbolicTensor, [one, reduce3, three, reduce5, five, pooled]: Filters): SymbolicTensor {
  const branches = [
    conv(x, one, 1),
    conv(conv(x, reduce3, 1), three, 3),
    conv(conv(x, reduce5, 1), five, 5),
    conv(pool(x, 1), pooled, 1),
  ];
  return layers.concatenate().apply(branches);
}

const MODULES: readonly (Filters | 'pool')[] = [
  [64, 96, 128, 16, 32, 32],
  [128, 128, 192, 32, 96, 64],
  'pool',
  [192, 96, 208, 16, 48, 64],
  [160, 112, 224, 24, 64, 64],
  [128, 128, 256, 24, 64, 64],
  [112, 144, 288, 32, 64, 64],
  [256, 160, 320, 32, 128, 128],
  'pool',
  [256, 160, 320, 32, 128, 128],
  [384, 192, 384, 48, 128, 128],
];

const inputs = input({ shape: [28, 28, 1] });
let x = layers.resizing({ height: task.size, width: task.size }).apply(inputs);
x = lrn(pool(conv(x, 64, 7, 2)));
x = pool(lrn(conv(conv(x, 64, 1), 192, 3)));
for (const filters of MODULES) x = filters === 'pool' ? pool(x) : inception(x, filters);
x = layers.globalAveragePooling2d().apply(x);
x = layers.dropout({ rate: 0.4 }).apply(x);
const outputs = layers.dense({ units: 10, activation: 'softmax' }).apply(x);

const model = new Model({ name: 'googlenet', inputs, outputs });
model.summary();
await train(model, optimizers.adam(), task);
