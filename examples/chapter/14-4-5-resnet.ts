/**
 * 14.4.5, ResNet (He et al. 2015): what a block computes is added to what came in, so that gradients have a way around
 * it, and a network of many blocks can be trained. Here ResNet-18; 14.5 has ResNet-34 with a layer of one's own.
 *
 *     node --import tsx examples/chapter/14-4-5-resnet.ts
 */
import { input, layers, Model, optimizers, type SymbolicTensor } from '../../lib/index.js';
import { lesson, train } from './support.js';

const task = await lesson({ size: 64, images: 500 });

/** Convolution and batch normalization, as always in this network. */
function convBn(x: SymbolicTensor, filters: number, kernelSize: number, strides: number): SymbolicTensor {
  const conv = layers.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false });
  return layers.batchNormalization().apply(conv.apply(x));
}

const relu = (x: SymbolicTensor): SymbolicTensor => layers.relu().apply(x);

function residual(x: SymbolicTensor, filters: number, strides: number): SymbolicTensor {
  const y = convBn(relu(convBn(x, filters, 3, strides)), filters, 3, 1);
  const shortcut = strides > 1 ? convBn(x, filters, 1, strides) : x; // so that the shapes agree
  return relu(layers.add().apply([y, shortcut]));
}

const inputs = input({ shape: [28, 28, 1] });
let x = layers.resizing({ height: task.size, width: task.size }).apply(inputs);
x = relu(convBn(x, 64, 7, 2));
x = layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }).apply(x);
for (const filters of [64, 128, 256, 512]) {
  x = residual(x, filters, filters === 64 ? 1 : 2);
  x = residual(x, filters, 1);
}
x = layers.globalAveragePooling2d().apply(x);
const outputs = layers.dense({ units: 10, activation: 'softmax' }).apply(x);

const model = new Model({ name: 'resnet18', inputs, outputs });
model.summary();
await train(model, optimizers.adam(), task);
