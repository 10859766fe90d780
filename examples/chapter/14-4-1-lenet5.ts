/**
 * 14.4.1, LeNet-5 (LeCun et al. 1998): 5x5 convolutions, average pooling, tanh. The images are padded from 28x28 to
 * 32x32 and centred, as the paper does.
 *
 *     node --import tsx examples/chapter/14-4-1-lenet5.ts
 */
import { layers, optimizers, Sequential } from '../../lib/index.js';
import { lesson, train } from './support.js';

const conv = (filters: number): layers.Layer => layers.conv2d({ filters, kernelSize: 5, activation: 'tanh' });

const model = new Sequential(
  [
    layers.input({ shape: [28, 28, 1] }),
    layers.rescaling({ scale: 2, offset: -1 }),
    layers.zeroPadding2d({ padding: 2 }),
    conv(6), // C1: 28x28
    layers.averagePooling2d(), // S2
    conv(16), // C3: 10x10
    layers.averagePooling2d(), // S4
    conv(120), // C5: 1x1
    layers.flatten(),
    layers.dense({ units: 84, activation: 'tanh' }), // F6
    layers.dense({ units: 10, activation: 'softmax' }), // the paper has radial basis functions here
  ],
  { name: 'lenet5' },
);
model.summary();
await train(model, optimizers.adam(), await lesson({ images: 8000 }));
