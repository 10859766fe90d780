/**
 * 14.5, a ResNet-34 CNN: a layer of one's own, and a model stacked from a list of filters, as in the book.
 *
 *     node --import tsx examples/chapter/14-5-resnet34.ts
 */
import { Layer, layers, ops, optimizers, Sequential, type CallContext, type Tensor } from '../../lib/index.js';
import { lesson, train } from './support.js';

const task = await lesson({ size: 64, images: 500 });

const conv = (filters: number, kernelSize = 3, strides = 1): Layer =>
  layers.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false, kernelInitializer: 'heNormal' });

class ResidualUnit extends Layer {
  readonly main: Layer[];
  readonly skip: Layer[];

  constructor(filters: number, strides = 1) {
    super();
    this.main = [
      conv(filters, 3, strides),
      layers.batchNormalization(),
      layers.relu(),
      conv(filters),
      layers.batchNormalization(),
    ];
    this.skip = strides > 1 ? [conv(filters, 1, strides), layers.batchNormalization()] : [];
  }

  call(inputs: Tensor, _context: CallContext): Tensor {
    let z = inputs;
    for (const layer of this.main) z = layer.apply(z);
    let skip = inputs;
    for (const layer of this.skip) skip = layer.apply(skip);
    return ops.relu(ops.add(z, skip));
  }
}

const model = new Sequential(
  [
    layers.input({ shape: [28, 28, 1] }),
    layers.resizing({ height: task.size, width: task.size }),
    conv(64, 7, 2),
    layers.batchNormalization(),
    layers.relu(),
    layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
  ],
  { name: 'resnet34' },
);
// How many units with how many filters; the first unit of a stage halves the image, but for the first stage.
const STAGES = [
  [3, 64],
  [4, 128],
  [6, 256],
  [3, 512],
] as const;
for (const [units, filters] of STAGES) {
  for (let unit = 0; unit < units; unit++) {
    model.add(new ResidualUnit(filters, unit === 0 && filters > 64 ? 2 : 1));
  }
}
model.add(layers.globalAveragePooling2d());
model.add(layers.flatten());
model.add(layers.dense({ units: 10, activation: 'softmax' }));

model.summary();
await train(model, optimizers.adam(), task);
