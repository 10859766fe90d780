/**
 * 14.4.6, Xception (Chollet 2016): separable convolutions, which look at each map alone and then mix the maps. Two plain
 * ones first, since a separable convolution of three maps has little to separate.
 *
 *     node --import tsx examples/chapter/14-4-6-xception.ts
 */
import { input, layers, Model, optimizers, type SymbolicTensor } from '../../lib/index.js';
import { lesson, train } from './support.js';

const task = await lesson({ size: 71, images: 500 });

const bn = (x: SymbolicTensor): SymbolicTensor => layers.batchNormalization().apply(x);
const relu = (x: SymbolicTensor): SymbolicTensor => layers.relu().apply(x);
const conv = (x: SymbolicTensor, filters: number, kernelSize: number, strides: number): SymbolicTensor =>
  bn(layers.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false }).apply(x));
const separable = (x: SymbolicTensor, filters: number): SymbolicTensor =>
  bn(layers.separableConv2d({ filters, kernelSize: 3, padding: 'same', useBias: false }).apply(x));

/** Two separable convolutions and a pooling beside a 1x1 convolution of the same strides. */
function down(x: SymbolicTensor, filters: readonly [number, number]): SymbolicTensor {
  let y = separable(relu(x), filters[0]);
  y = separable(relu(y), filters[1]);
  y = layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }).apply(y);
  return layers.add().apply([y, conv(x, filters[1], 1, 2)]);
}

/** Three separable convolutions around which the input goes. */
function middle(x: SymbolicTensor): SymbolicTensor {
  let y = x;
  for (let i = 0; i < 3; i++) y = separable(relu(y), 728);
  return layers.add().apply([y, x]);
}

const inputs = input({ shape: [28, 28, 1] });
let x = layers.resizing({ height: task.size, width: task.size }).apply(inputs);
x = relu(conv(x, 32, 3, 2));
x = relu(conv(x, 64, 3, 1));
for (const filters of [128, 256, 728]) x = down(x, [filters, filters]);
for (let i = 0; i < 8; i++) x = middle(x);
x = down(x, [728, 1024]);
x = relu(separable(x, 1536));
x = relu(separable(x, 2048));
x = layers.globalAveragePooling2d().apply(x);
const outputs = layers.dense({ units: 10, activation: 'softmax' }).apply(x);

const model = new Model({ name: 'xception', inputs, outputs });
model.summary();
await train(model, optimizers.adam(), task);
