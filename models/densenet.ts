import { layers, Model } from '../lib/index.js';
import type { SymbolicTensor } from '../lib/index.js';
import { activate, concat, conv, HEAD, maxPool, norm, zeroPad } from './keras-blocks.js';
import { head, imageInput, type ModelOptions } from './options.js';
import { pretrained } from './pretrained.js';

// G. Huang et al. 2017, "Densely Connected Convolutional Networks" (arXiv:1608.06993), table 1, with the layer names of
// keras.applications.

/** Layers of the four dense blocks. */
const TABLE_1 = {
  121: [6, 12, 24, 16],
  169: [6, 12, 32, 32],
  201: [6, 12, 48, 32],
} as const;

/** Feature maps that every layer adds ("k"), after a bottleneck four times as wide. */
const GROWTH = 32;

const VALID = { padding: 'valid' } as const;

const normRelu = (x: SymbolicTensor, bn: string, relu: string): SymbolicTensor =>
  activate(norm(x, bn, { epsilon: 1.001e-5 }), relu);

/** bn-relu-conv, bn-relu-conv, and the input beside the result. */
function denseLayer(x: SymbolicTensor, name: string): SymbolicTensor {
  let y = conv(normRelu(x, `${name}_0_bn`, `${name}_0_relu`), `${name}_1_conv`, 4 * GROWTH, 1, VALID);
  y = conv(normRelu(y, `${name}_1_bn`, `${name}_1_relu`), `${name}_2_conv`, GROWTH, 3);
  return concat([x, y], `${name}_concat`);
}

/** Half as many feature maps, of half the size. */
function transition(x: SymbolicTensor, name: string): SymbolicTensor {
  const half = Math.floor(x.shape.at(-1)! / 2);
  const y = conv(normRelu(x, `${name}_bn`, `${name}_relu`), `${name}_conv`, half, 1, VALID);
  return layers.averagePooling2d({ name: `${name}_pool`, poolSize: 2, strides: 2 }).apply(y);
}

function denseNet(depth: keyof typeof TABLE_1, options: ModelOptions): Model {
  const { name = `densenet${depth}` } = options;
  const inputs = imageInput(options, [224, 224, 3], { model: name, least: 32 });
  let x = zeroPad(inputs, 'zero_padding2d', 3);
  x = conv(x, 'conv1_conv', 64, 7, { strides: 2, ...VALID });
  x = normRelu(x, 'conv1_bn', 'conv1_relu');
  x = maxPool(zeroPad(x, 'zero_padding2d_1', 1), 'pool1', 3, 2);
  for (const [i, count] of TABLE_1[depth].entries()) {
    if (i > 0) x = transition(x, `pool${i + 1}`);
    for (let k = 1; k <= count; k++) x = denseLayer(x, `conv${i + 2}_block${k}`);
  }
  x = normRelu(x, 'bn', 'relu');
  return new Model({ name, inputs, outputs: head(x, options, HEAD) });
}

/** DenseNet-121: 8,062,504 parameters, 2.8 G multiply-adds at 224x224. Images from 32x32. */
export const denseNet121 = pretrained('densenet121', (options: ModelOptions = {}): Model => denseNet(121, options));
/** DenseNet-169: 14,307,880 parameters, 3.4 G multiply-adds. */
export const denseNet169 = pretrained('densenet169', (options: ModelOptions = {}): Model => denseNet(169, options));
/** DenseNet-201: 20,242,984 parameters, 4.3 G multiply-adds. */
export const denseNet201 = pretrained('densenet201', (options: ModelOptions = {}): Model => denseNet(201, options));
