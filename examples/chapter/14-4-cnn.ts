/**
 * 14.4, CNN architectures: convolutions and pooling, deeper and smaller, then a dense network.
 *
 *     node --import tsx examples/chapter/14-4-cnn.ts
 *
 * The whole run on 60,000 images, with curves and a saved model, is `npm run demo`.
 */
import { layers, optimizers, Sequential } from '../../lib/index.js';
import { lesson, train } from './support.js';

/** The book's DefaultConv2D: a partial application. */
const conv = (filters: number, kernelSize = 3): layers.Layer =>
  layers.conv2d({ filters, kernelSize, padding: 'same', activation: 'relu', kernelInitializer: 'heNormal' });

const model = new Sequential(
  [
    layers.input({ shape: [28, 28, 1] }),
    conv(64, 7),
    layers.maxPooling2d(),
    conv(128),
    conv(128),
    layers.maxPooling2d(),
    conv(256),
    conv(256),
    layers.maxPooling2d(),
    layers.flatten(),
    layers.dense({ units: 128, activation: 'relu', kernelInitializer: 'heNormal' }),
    layers.dropout({ rate: 0.5 }),
    layers.dense({ units: 64, activation: 'relu', kernelInitializer: 'heNormal' }),
    layers.dropout({ rate: 0.5 }),
    layers.dense({ units: 10, activation: 'softmax' }),
  ],
  { name: 'cnn' },
);
model.summary();
await train(model, optimizers.nadam(), await lesson());
