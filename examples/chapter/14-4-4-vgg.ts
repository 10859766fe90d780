/**
 * 14.4.4, VGGNet (Simonyan and Zisserman 2014): nothing but 3x3 convolutions, in blocks of two to four before each
 * pooling. `--images 1000 --size 224` is the real thing, and takes its time.
 *
 *     node --import tsx examples/chapter/14-4-4-vgg.ts
 */
import { layers, optimizers, Sequential } from '../../lib/index.js';
import { lesson, train } from './support.js';

const task = await lesson({ size: 32, images: 500 });

/** Convolutions and filters of each block: VGG-16. VGG-19 has four convolutions in the last three. */
const BLOCKS = [
  [2, 64],
  [2, 128],
  [3, 256],
  [3, 512],
  [3, 512],
] as const;

const block = ([depth, filters]: (typeof BLOCKS)[number]): layers.Layer[] => [
  ...Array.from({ length: depth }, () =>
    layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu', kernelInitializer: 'heNormal' }),
  ),
  layers.maxPooling2d(),
];

const model = new Sequential(
  [
    layers.input({ shape: [28, 28, 1] }),
    layers.resizing({ height: task.size, width: task.size }),
    ...BLOCKS.flatMap(block),
    layers.flatten(),
    layers.dense({ units: 4096, activation: 'relu' }),
    layers.dense({ units: 4096, activation: 'relu' }),
    layers.dense({ units: 10, activation: 'softmax' }),
  ],
  { name: 'vgg16' },
);
model.summary();
await train(model, optimizers.adam({ learningRate: 1e-4 }), task);
