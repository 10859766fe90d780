import { layers, losses, optimizers, ops, Sequential, type Tensor } from '../../lib/index.js';
import { unit } from '../support/fill.js';

/** Images of `classes` kinds that a small net can learn: a bright spot whose place tells the class. */
export function spots(
  count: number,
  classes = 3,
  size = 6,
): { x: { data: Float32Array; shape: number[] }; y: Int32Array } {
  const y = Int32Array.from({ length: count }, (_, i) => Math.floor(unit(1, i) * classes));
  const data = Float32Array.from({ length: count * size * size }, (_, i) => 0.2 * unit(2, i));
  y.forEach((label, i) => (data[i * size * size + label * (size + 1)]! += 1));
  return { x: { data, shape: [count, size, size, 1] }, y };
}

/** A small CNN with batch normalization and dropout. */
export function smallCnn(options: { dropout?: number; seed?: number; classes?: number } = {}): Sequential {
  const { dropout = 0.25, seed = 7, classes = 3 } = options;
  return new Sequential([
    layers.input({ shape: [6, 6, 1] }),
    layers.conv2d({ name: 'conv', filters: 4, kernelSize: 3, activation: 'relu' }),
    layers.batchNormalization({ name: 'bn' }),
    layers.flatten({ name: 'flatten' }),
    layers.dropout({ name: 'drop', rate: dropout, seed }),
    layers.dense({ name: 'scores', units: classes }),
  ]);
}

/** y = x · kernel, with the kernel given: what losses are can be told by hand. */
export function linear(kernel: readonly number[]): Sequential {
  const model = new Sequential([
    layers.input({ shape: [kernel.length] }),
    layers.dense({ name: 'dense', units: 1, useBias: false }),
  ]);
  model.setWeights([kernel.map((k) => [k])]);
  return model;
}

export const scores = () => losses.sparseCategoricalCrossentropy({ fromLogits: true });
/** Mean of squares, by hand. */
export const squares = (yTrue: Tensor, yPred: Tensor): Tensor =>
  ops.mean(ops.square(ops.sub(yTrue, yPred)), { axes: -1 });
export const sgd = (learningRate = 0.1): optimizers.Optimizer => optimizers.sgd({ learningRate });
