/**
 * 14.4.7, SENet (Hu et al. 2017): an SE block squeezes each map to its mean, works out from these how much every map
 * matters, and scales the maps by it. Here at the end of every residual block of ResNet-18.
 *
 *     node --import tsx examples/chapter/14-4-7-senet.ts
 */
import { input, layers, Model, optimizers, type SymbolicTensor } from '../../lib/index.js';
import { lesson, train } from './support.js';

const task = await lesson({ size: 64, images: 500 });

function squeezeExcite(x: SymbolicTensor, filters: number, ratio = 16): SymbolicTensor {
  let scale = layers.globalAveragePooling2d({ keepdims: true }).apply(x);
  scale = layers.dense({ units: filters / ratio, activation: 'relu' }).apply(scale);
  scale = layers.dense({ units: filters, activation: 'sigmoid' }).apply(scale);
  return layers.multiply().apply([x, scale]);
}

function convBn(x: SymbolicTensor, filters: number, kernelSize: number, strides: number): SymbolicTensor {
  const conv = layers.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false });
  return layers.batchNormalization().apply(conv.apply(x));
}

const relu = (x: SymbolicTensor): SymbolicTensor => layers.relu().apply(x);

function seResidual(x: SymbolicTensor, filters: number, strides: number): SymbolicTensor {
  const y = convBn(relu(convBn(x, filters, 3, strides)), filters, 3, 1);
  const shortcut = strides > 1 ? convBn(x, filters, 1, strides) : x;
  return relu(layers.add().apply([squeezeExcite(y, filters), shortcut]));
}

const inputs = input({ shape: [28, 28, 1] });
let x = layers.resizing({ height: task.size, width: task.size }).apply(inputs);
x = relu(convBn(x, 64, 7, 2));
x = layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }).apply(x);
for (const filters of [64, 128, 256, 512]) {
  x = seResidual(x, filters, filters === 64 ? 1 : 2);
  x = seResidual(x, filters, 1);
}
x = layers.globalAveragePooling2d().apply(x);
const outputs = layers.dense({ units: 10, activation: 'softmax' }).apply(x);

const model = new Model({ name: 'se-resnet18', inputs, outputs });
model.summary();
await train(model, optimizers.adam(), task);
