import { Model } from '../lib/index.js';
import { imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';
import { conv, denseHead, maxPool, relu } from './torch-blocks.js';

// K. Simonyan and A. Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition"
// (arXiv:1409.1556), table 1, with torchvision's names and its pooling to 7x7 whatever the image.

/** Columns A, D and E: filters of the 3x3 convolutions, 'M' a 2x2 max pooling. */
const TABLE_1 = {
  11: [64, 'M', 128, 'M', 256, 256, 'M', 512, 512, 'M', 512, 512, 'M'],
  16: [64, 64, 'M', 128, 128, 'M', 256, 256, 256, 'M', 512, 512, 512, 'M', 512, 512, 512, 'M'],
  19: [...[64, 64, 'M', 128, 128, 'M'], ...[256, 256, 256, 256, 'M', 512, 512, 512, 512, 'M', 512, 512, 512, 512, 'M']],
} as const;

function vgg(depth: keyof typeof TABLE_1, options: ModelOptions): Model {
  const name = options.name ?? `vgg${depth}`;
  const inputs = imageInput(options, [224, 224, 3], { model: name, least: 32 });
  let x = inputs;
  let index = 0;
  for (const entry of TABLE_1[depth]) {
    if (typeof entry === 'number') {
      x = conv(x, `features.${index++}`, entry, 3, { useBias: true });
      x = relu(x, `features.${index++}`);
    } else {
      x = maxPool(x, `features.${index++}`, 2, 2);
    }
  }
  const outputs = denseHead(x, { grid: 7, names: ['classifier.0', 'classifier.3', 'classifier.6'] }, options);
  return new Model({ name, inputs, outputs });
}

/** VGG-11 of torchvision: 132,863,336 parameters, 7.61 G multiply-adds. */
export const vgg11Torchvision = pretrained('vgg11_torchvision', (options: ModelOptions = {}): Model =>
  vgg(11, options),
);
/** VGG-16 of torchvision: 138,357,544 parameters, 15.47 G multiply-adds. */
export const vgg16Torchvision = pretrained('vgg16_torchvision', (options: ModelOptions = {}): Model =>
  vgg(16, options),
);
/** VGG-19 of torchvision: 143,667,240 parameters, 19.63 G multiply-adds. */
export const vgg19Torchvision = pretrained('vgg19_torchvision', (options: ModelOptions = {}): Model =>
  vgg(19, options),
);
