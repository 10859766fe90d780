import { describe, expect, test } from 'vitest';
import { FoveaError, layers, Model } from '../../lib/index.js';
import type { TypedArray } from '../../lib/index.js';
import {
  bookResNet34,
  fromStateDict,
  googLeNetTorchvision,
  resNet18,
  torchWeights,
  type TorchTensor,
} from '../../models/index.js';

/** A convolution, a depthwise one, a normalization and two dense layers, the first behind `Flatten`. */
function small(): Model {
  const inputs = layers.input({ shape: [4, 4, 2] });
  let x = layers.conv2d({ name: 'a.conv', filters: 3, kernelSize: [1, 2] }).apply(inputs);
  x = layers.depthwiseConv2d({ name: 'a.depth', kernelSize: 3, depthMultiplier: 2, useBias: false }).apply(x);
  x = layers.batchNormalization({ name: 'a.bn' }).apply(x);
  x = layers.flatten({ name: 'flat' }).apply(x);
  x = layers.dropout({ name: 'drop', rate: 0.5 }).apply(x);
  x = layers.dense({ name: 'fc.0', units: 5 }).apply(x);
  return new Model({ inputs, outputs: layers.dense({ name: 'fc.1', units: 2 }).apply(x) });
}

/** Numbers that say where they are: 0, 1, 2, ... in PyTorch's order. */
function counted(model: Model): Map<string, TorchTensor> {
  return new Map(
    torchWeights(model).map(({ name, shape }) => {
      const size = shape.reduce((product, d) => product * d, 1);
      return [name, { shape, data: Float32Array.from({ length: size }, (_, i) => i) }];
    }),
  );
}

/** Index of an element in a row-major tensor. */
const at = (shape: readonly number[], ...index: number[]): number =>
  shape.reduce((flat, size, axis) => flat * size + index[axis]!, 0);

describe('names and layouts of PyTorch', () => {
  test('follow from the layers', () => {
    expect(torchWeights(small()).map(({ name, shape }) => `${name} ${shape.join('x')}`)).toEqual([
      'a.conv.weight 3x2x1x2',
      'a.conv.bias 3',
      'a.depth.weight 6x1x3x3',
      'a.bn.weight 6',
      'a.bn.bias 6',
      'a.bn.running_mean 6',
      'a.bn.running_var 6',
      'fc.0.weight 5x12',
      'fc.0.bias 5',
      'fc.1.weight 2x5',
      'fc.1.bias 2',
    ]);
  });

  test('of layers in layers join the path', () => {
    const names = torchWeights(bookResNet34({ inputShape: [32, 32, 3] })).map(({ name }) => name);
    expect(names).toContain('unit7.skip_conv.weight');
    expect(names).toContain('unit0.bn1.running_var');
  });

  test('every element goes where its indices say', () => {
    const model = small();
    const state = counted(model);
    const values = new Map(fromStateDict(model, state).map((value, i) => [model.weights[i]!.name, value]));
    const conv = values.get('a.conv/kernel')!;
    for (const [h, w, i, o] of [
      [0, 1, 1, 2],
      [0, 0, 1, 0],
      [0, 1, 0, 1],
    ] as const) {
      expect(conv[at([1, 2, 2, 3], h, w, i, o)]).toBe(at([3, 2, 1, 2], o, i, h, w));
    }
    const depth = values.get('a.depth/kernel')!;
    for (const [h, w, c, m] of [
      [2, 1, 2, 1],
      [0, 2, 1, 0],
    ] as const) {
      expect(depth[at([3, 3, 3, 2], h, w, c, m)]).toBe(at([6, 1, 3, 3], c * 2 + m, 0, h, w));
    }
    // The image that is flattened is 2 x 1 x 6 here and 6 x 2 x 1 there.
    const first = values.get('fc.0/kernel')!;
    for (const [h, c, unit] of [
      [1, 4, 3],
      [0, 5, 0],
      [1, 0, 4],
    ] as const) {
      expect(first[at([2, 1, 6, 5], h, 0, c, unit)]).toBe(at([5, 6, 2, 1], unit, c, h, 0));
    }
    const second = values.get('fc.1/kernel')!;
    expect(second[at([5, 2], 3, 1)]).toBe(at([2, 5], 1, 3));
  });

  test('numbers keep their type', () => {
    const model = small();
    const state = new Map(
      [...counted(model)].map(([name, { shape, data }]): [string, TorchTensor] => [
        name,
        { shape, data: Int32Array.from(data as Float32Array) },
      ]),
    );
    expect(fromStateDict(model, state).every((value: TypedArray) => value instanceof Int32Array)).toBe(true);
  });
});

describe('fromStateDict', () => {
  test('counters of batches are not weights, and what is to be ignored is', () => {
    const model = googLeNetTorchvision({ inputShape: [32, 32, 3], classes: 3 });
    const state = counted(model);
    state.set('conv1.bn.num_batches_tracked', { shape: [], data: new Int32Array(1) });
    state.set('aux1.fc2.bias', { shape: [3], data: new Float32Array(3) });
    expect(() => fromStateDict(model, state)).toThrow(/aux1\.fc2\.bias: no weight of the model has this name/);
    expect(fromStateDict(model, state, { ignore: /^aux/ })).toHaveLength(model.weights.length);
  });

  test('all that does not fit is listed at once', () => {
    const model = resNet18({ inputShape: [32, 32, 3], classes: 7 });
    const state = counted(model);
    state.delete('bn1.weight');
    state.set('fc.weight', { shape: [1000, 512], data: new Float32Array(512_000) });
    state.set('fc2.weight', { shape: [1], data: new Float32Array(1) });
    expect(() => fromStateDict(model, state)).toThrow(FoveaError);
    expect(() => fromStateDict(model, state)).toThrow(
      /^fromStateDict "resnet18": the weights do not fit:\n {2}bn1\.weight: missing \(for bn1\/gamma\)\n {2}fc\.weight: expected \[7,512\], received \[1000,512\]\n {2}fc2\.weight: no weight of the model has this name$/,
    );
  });
});
