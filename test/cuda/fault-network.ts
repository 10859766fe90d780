import { layers, optimizers, Sequential, setRandomSeed, tensor, type Tensor } from '../../lib/index.js';

/** The small network into whose training faults are injected, compiled; the same weights each time. */
export function faultNetwork(filters: number): Sequential {
  setRandomSeed(1);
  const model = new Sequential([
    layers.input({ shape: [8, 8, 3] }),
    layers.conv2d({ name: 'conv', filters, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
    layers.batchNormalization({ name: 'bn' }),
    layers.flatten(),
    layers.dense({ name: 'dense', units: 3, activation: 'softmax' }),
  ]);
  model.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: 'sparseCategoricalCrossentropy' });
  return model;
}

/** Its batch, made anew: images `[6,8,8,3]` and class numbers `[6]`. */
export function faultBatch(): [x: Tensor, y: Tensor] {
  const pixels = Float32Array.from({ length: 6 * 192 }, (_, i) => Math.sin(i));
  return [tensor(pixels, [6, 8, 8, 3]), tensor(Int32Array.from([0, 1, 2, 0, 1, 2]))];
}
