import { layers, Model } from '../lib/index.js';
import { conv, headWithUnnamedPooling, maxPool } from './keras-blocks.js';
import { classifier, head, imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';

// K. Simonyan and A. Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition"
// (arXiv:1409.1556), table 1, with the layer names of keras.applications.

/** Columns D and E: how many 3x3 convolutions of how many filters stand in each block, before a 2x2 max pooling. */
const TABLE_1 = {
  16: [
    [64, 2],
    [128, 2],
    [256, 3],
    [512, 3],
    [512, 3],
  ],
  19: [
    [64, 2],
    [128, 2],
    [256, 4],
    [512, 4],
    [512, 4],
  ],
} as const;

function vgg(depth: keyof typeof TABLE_1, options: ModelOptions): Model {
  const { includeTop = true, dropout = 0, name = `vgg${depth}` } = options;
  const inputs = imageInput(options, [224, 224, 3], { model: name, least: 32, fixed: true });
  let x = inputs;
  for (const [i, [filters, count]] of TABLE_1[depth].entries()) {
    for (let k = 1; k <= count; k++) {
      x = conv(x, `block${i + 1}_conv${k}`, filters, 3, { useBias: true, activation: 'relu' });
    }
    x = maxPool(x, `block${i + 1}_pool`, 2, 2);
  }
  if (!includeTop) return new Model({ name, inputs, outputs: head(x, options, headWithUnnamedPooling(options)) });
  x = layers.flatten({ name: 'flatten' }).apply(x);
  for (const fc of ['fc1', 'fc2']) {
    x = layers.dense({ name: fc, units: 4096, activation: 'relu' }).apply(x);
    if (dropout > 0) x = layers.dropout({ name: `${fc}_dropout`, rate: dropout }).apply(x);
  }
  return new Model({ name, inputs, outputs: classifier(x, 'predictions', options) });
}

/**
 * VGG-16: 138,357,544 parameters, 15.5 G multiply-adds at 224x224. Images from 32x32; with a top their size is fixed.
 * The paper's dropout (0.5) behind both dense layers is off unless `dropout` says so, as in Keras.
 */
export const vgg16 = pretrained('vgg16', (options: ModelOptions = {}): Model => vgg(16, options));

/** VGG-19: 143,667,240 parameters, 19.6 G multiply-adds. See {@link vgg16}. */
export const vgg19 = pretrained('vgg19', (options: ModelOptions = {}): Model => vgg(19, options));
