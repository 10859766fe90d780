import { layers, Model } from '../lib/index.js';
import { imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';
import { conv, denseHead, maxPool, relu } from './torch-blocks.js';

// A. Krizhevsky et al. 2012, "ImageNet Classification with Deep Convolutional Neural Networks". `alexNet` is the table
// of "Hands-On Machine Learning", chapter 14, with local response normalization; `alexNetTorchvision` the version of
// "One weird trick for parallelizing convolutional neural networks" (arXiv:1404.5997), without it, whose weights
// torchvision publishes.

/** The paper's k = 2 and alpha = 1e-4 became 1 and 1e-4 / 5 in the widely used reimplementations. */
export const LRN = { depthRadius: 2, bias: 1, alpha: 2e-5, beta: 0.75 } as const;

const POOL = { poolSize: 3, strides: 2, padding: 'valid' } as const;

/** Name, filters, window, strides, padding, and the names of the normalization and the pooling behind it. */
const BOOK = [
  ['c1', 96, 11, 4, 'valid', 'lrn1', 's2'],
  ['c3', 256, 5, 1, 'same', 'lrn3', 's4'],
  ['c5', 384, 3, 1, 'same'],
  ['c6', 384, 3, 1, 'same'],
  ['c7', 256, 3, 1, 'same', undefined, 's8'],
] as const;

/** The chapter's AlexNet: 62,378,344 parameters, 1.14 G multiply-adds. Images from 67x67. */
export const alexNet = pretrained('alexnet', (options: ModelOptions = {}): Model => {
  const { name = 'alexnet' } = options;
  const inputs = imageInput(options, [227, 227, 3], { model: name, least: 67, fixed: true });
  let x = inputs;
  for (const [name, filters, kernelSize, strides, padding, normalization, pool] of BOOK) {
    x = layers.conv2d({ name, filters, kernelSize, strides, padding, activation: 'relu' }).apply(x);
    if (normalization) x = layers.localResponseNormalization({ name: normalization, ...LRN }).apply(x);
    if (pool) x = layers.maxPooling2d({ name: pool, ...POOL }).apply(x);
  }
  return new Model({ name, inputs, outputs: denseHead(x, { names: ['f9', 'f10', 'out'] }, options) });
});

/** torchvision's table: index in `features`, filters, window, strides, padding, and the index of the pooling behind. */
const TORCHVISION = [
  [0, 64, 11, 4, 2, 2],
  [3, 192, 5, 1, 2, 5],
  [6, 384, 3, 1, 1, undefined],
  [8, 256, 3, 1, 1, undefined],
  [10, 256, 3, 1, 1, 12],
] as const;

/** AlexNet as torchvision has it: 61,100,840 parameters, 0.71 G multiply-adds. Images from 63x63. */
export const alexNetTorchvision = pretrained('alexnet_torchvision', (options: ModelOptions = {}): Model => {
  const { name = 'alexnet' } = options;
  const inputs = imageInput(options, [224, 224, 3], { model: name, least: 63 });
  let x = inputs;
  for (const [index, filters, kernel, strides, padding, pool] of TORCHVISION) {
    x = conv(x, `features.${index}`, filters, kernel, { strides, padding, useBias: true });
    x = relu(x, `features.${index + 1}`);
    if (pool) x = maxPool(x, `features.${pool}`, 3, 2);
  }
  const outputs = denseHead(
    x,
    { grid: 6, names: ['classifier.1', 'classifier.4', 'classifier.6'], dropoutFirst: true },
    options,
  );
  return new Model({ name, inputs, outputs });
});
