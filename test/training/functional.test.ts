import { beforeEach, describe, expect, test } from 'vitest';
import { setDevice } from '../../lib/backends/registry.js';
import { valueAndGrad } from '../../lib/autograd/grad.js';
import * as layers from '../../lib/layers/index.js';
import { input, Layer, type SymbolicTensor } from '../../lib/layers/index.js';
import * as ops from '../../lib/ops/index.js';
import { ones, tensor, zeros } from '../../lib/tensor/create.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { cloneModel, modelFromJSON } from '../../lib/training/clone.js';
import { Model } from '../../lib/training/model.js';
import { Sequential } from '../../lib/training/sequential.js';
import { fillSpec, type FillSpec } from '../support/fill.js';
import { readGolden } from '../support/golden.js';
import { messageOf } from '../support/message-of.js';

beforeEach(() => {
  setDevice('reference');
  layers.resetLayerNames();
});

/** The net of the fixture `mixed_net`. */
function mixedNet(): Model {
  const conv = (name: string, filters: number, kernelSize: number, activation: string): Layer =>
    layers.conv2d({ name, filters, kernelSize, padding: 'same', activation });
  const x = input({ shape: [16, 16, 3] });
  const stem = conv('stem', 8, 3, 'relu').apply(x);
  const a = conv('branch_a', 8, 1, 'relu').apply(stem);
  let b = layers
    .separableConv2d({ name: 'branch_b', filters: 8, kernelSize: 3, padding: 'same', useBias: false })
    .apply(stem);
  b = layers.activation('relu').apply(layers.batchNormalization({ name: 'branch_b_bn' }).apply(b));
  let y = layers.concatenate().apply([a, b]);
  y = layers.localResponseNormalization({ depthRadius: 2, bias: 1, alpha: 0.05, beta: 0.75 }).apply(y);
  const squeezed = layers.globalAveragePooling2d({ keepDims: true }).apply(y);
  const excited = conv('se_expand', 16, 1, 'sigmoid').apply(conv('se_reduce', 4, 1, 'relu').apply(squeezed));
  y = layers.maxPooling2d({ padding: 'same' }).apply(layers.multiply().apply([y, excited]));
  const depthwise = layers.depthwiseConv2d({ name: 'depthwise', kernelSize: 3, padding: 'same' }).apply(y);
  y = layers.globalAveragePooling2d().apply(layers.activation('relu').apply(layers.add().apply([y, depthwise])));
  return new Model({ name: 'mixed_net', inputs: x, outputs: layers.dense({ name: 'head', units: 5 }).apply(y) });
}

interface MixedCase {
  readonly id: string;
  readonly weights: readonly (FillSpec & { readonly path: string; readonly trainable: boolean })[];
  readonly params: { readonly total: number; readonly trainable: number; readonly nonTrainable: number };
}

describe('a graph of layers', () => {
  test("has Keras's order of layers and weights", () => {
    const model = mixedNet();
    const { cases } = readGolden<{ cases: MixedCase[] }>('training.json.gz');
    const { weights, params } = cases.find(({ id }) => id === 'mixed_net/adam')!;
    expect(model.weights.map(({ name, shape, trainable }) => ({ path: name, shape, trainable }))).toEqual(
      weights.map(({ path, shape, trainable }) => ({ path, shape, trainable })),
    );
    expect(model.countParams()).toBe(params.total);
    expect(model.trainableWeights.reduce((sum, { size }) => sum + size, 0)).toBe(params.trainable);
    model.setWeights(weights.map((spec) => fillSpec(spec)));
  });

  test('knows its shapes, inputs and layers', () => {
    const model = mixedNet();
    expect(model.inputShape).toEqual([null, 16, 16, 3]);
    expect(model.outputShape).toEqual([null, 5]);
    expect(model.inputNames).toEqual(['input_layer']);
    expect(model.outputNames).toEqual(['head']);
    expect(model.getLayer('stem').className).toBe('Conv2D');
    expect(model.getLayer(-1).name).toBe('head');
    expect(model.getLayer('head').output).toBe(model.outputs[0]);
    expect(messageOf(() => model.getLayer('heads'))).toBe(
      `functional "mixed_net": expected the name of one of 18 layers, received 'heads'; did you mean 'head'?`,
    );
  });

  test('gives back the same from its JSON', async () => {
    const model = mixedNet();
    const again = modelFromJSON(JSON.stringify(model));
    expect(JSON.stringify(again)).toBe(JSON.stringify(model));
    again.setWeights(await model.getWeights());
    const x = ones([2, 16, 16, 3]);
    expect([...(await again.apply(x).data())]).toEqual([...(await model.apply(x).data())]);
  });

  test('takes other sizes where shapes are open', () => {
    const x = input({ shape: [null, null, 3] });
    const y = layers.globalMaxPooling2d().apply(layers.conv2d({ filters: 2, kernelSize: 3 }).apply(x));
    const model = new Model({ inputs: x, outputs: y });
    expect(model.outputShape).toEqual([null, 2]);
    expect(model.apply(zeros([1, 9, 5, 3])).shape).toEqual([1, 2]);
    expect(model.apply(input({ batchShape: [4, 8, 8, 3] })).shape).toEqual([4, 2]);
  });
});

describe('shared layers', () => {
  const siamese = (): { model: Model; shared: Layer } => {
    const shared = layers.dense({ units: 3, name: 'shared', kernelInitializer: 'ones' });
    const [a, b] = [input({ shape: [2], name: 'a' }), input({ shape: [2], name: 'b' })];
    const difference = layers.subtract().apply([shared.apply(a), shared.apply(b)]);
    return { model: new Model({ inputs: [a, b], outputs: difference }), shared };
  };

  test('have one set of weights and as many uses as were made', async () => {
    const { model, shared } = siamese();
    expect(model.weights).toHaveLength(2);
    expect(shared.inboundNodes).toHaveLength(2);
    const y = model.apply([tensor([[5, 1]]), tensor([[2, 2]])]);
    expect([...(await y.data())]).toEqual([2, 2, 2]);
    expect(messageOf(() => shared.output)).toBe(
      'dense "shared": expected one use in a functional model, to have an output, received 2 uses',
    );
  });

  test('get the gradients of all their uses', async () => {
    const { model, shared } = siamese();
    const { grads } = valueAndGrad(() => ops.sum(model.apply([tensor([[5, 1]]), tensor([[2, 2]])])));
    expect([...(await grads.get(shared.weights[0]!)!.data())]).toEqual([3, 3, 3, -1, -1, -1]);
  });

  test('are written down once', () => {
    const { model } = siamese();
    const again = modelFromJSON(model.toJSON());
    expect(again.weights).toHaveLength(2);
    expect(again.toJSON()).toEqual(model.toJSON());
  });
});

describe('several inputs and outputs', () => {
  const build = (): { image: SymbolicTensor; size: SymbolicTensor; label: SymbolicTensor; box: SymbolicTensor } => {
    const [image, size] = [input({ shape: [4, 4, 1], name: 'image' }), input({ shape: [2], name: 'size' })];
    const features = layers.concatenate().apply([layers.flatten().apply(image), size]);
    const label = layers.dense({ units: 3, name: 'label' }).apply(features);
    const box = layers.dense({ units: 4, name: 'box' }).apply(features);
    return { image, size, label, box };
  };

  test('as lists', () => {
    const { image, size, label, box } = build();
    const model = new Model({ inputs: [image, size], outputs: [label, box] });
    const [y, z] = model.apply<readonly [Tensor, Tensor]>([zeros([2, 4, 4, 1]), zeros([2, 2])]);
    expect([y.shape, z.shape]).toEqual([
      [2, 3],
      [2, 4],
    ]);
    expect(model.apply<readonly Tensor[]>({ size: zeros([2, 2]), image: zeros([2, 4, 4, 1]) })).toHaveLength(2);
    expect(model.outputNames).toEqual(['label', 'box']);
    expect(model.outputShape).toEqual([
      [null, 3],
      [null, 4],
    ]);
  });

  test('as records', () => {
    const { image, size, label, box } = build();
    const model = new Model({ inputs: { picture: image, scale: size }, outputs: { what: label, where: box } });
    expect(model.inputNames).toEqual(['picture', 'scale']);
    const made = model.apply<Record<string, Tensor>>({ scale: zeros([2, 2]), picture: zeros([2, 4, 4, 1]) });
    expect(Object.keys(made)).toEqual(['what', 'where']);
    const again = modelFromJSON(JSON.stringify(model));
    expect(again.outputNames).toEqual(['what', 'where']);
    const nested = model.apply<Record<string, SymbolicTensor>>({
      picture: input({ batchShape: [5, 4, 4, 1] }),
      scale: input({ batchShape: [5, 2] }),
    });
    expect(nested['where']!.shape).toEqual([5, 4]);
  });

  test('that are missing or do not fit', () => {
    const { image, size, label } = build();
    const model = new Model({ name: 'm', inputs: [image, size], outputs: label });
    const picture = zeros([2, 4, 4, 1]);
    const wrong: [() => unknown, string][] = [
      [() => model.apply(picture), 'functional "m": expected 2 inputs (image, size), received 1'],
      [
        () => model.apply({ image: picture, scale: picture }),
        'functional "m": expected inputs named image, size, received a record of image, scale',
      ],
      [
        () => model.apply([picture, zeros([2, 3])]),
        'functional "m": expected input "size" of shape [null,2], received [2,3]',
      ],
    ];
    for (const [use, message] of wrong) expect(messageOf(use)).toBe(message);
  });
});

describe('inputs', () => {
  const model = (): Model => {
    const x = input({ shape: [4, 4, 1], name: 'x' });
    return new Model({ inputs: x, outputs: layers.flatten().apply(x) });
  };

  test('of whole numbers are cast to what the model declared', () => {
    expect(model().apply(zeros([2, 4, 4, 1], { dtype: 'uint8' })).dtype).toBe('float32');
  });

  test('without the last axis of length 1 get it', () => {
    expect(model().apply(zeros([2, 4, 4])).shape).toEqual([2, 16]);
    expect(model().apply(zeros([2, 4, 4, 1, 1])).shape).toEqual([2, 16]);
    expect(messageOf(() => model().apply(zeros([2, 16])))).toContain(
      'expected input "x" of shape [null,4,4,1], received [2,16]',
    );
  });
});

describe('models in models', () => {
  const base = (): Model => {
    const x = input({ shape: [8, 8, 3], name: 'base_input' });
    const y = layers.conv2d({ name: 'conv1', filters: 4, kernelSize: 3 }).apply(x);
    const z = layers.dropout({ rate: 0.9, seed: 1 }).apply(layers.batchNormalization({ name: 'bn1' }).apply(y));
    return new Model({ name: 'base', inputs: x, outputs: layers.globalAveragePooling2d().apply(z) });
  };

  test('count as one layer, with their weights', () => {
    const inner = base();
    const x = input({ shape: [8, 8, 3] });
    const model = new Model({ inputs: x, outputs: layers.dense({ units: 2, name: 'head' }).apply(inner.apply(x)) });
    expect(model.layers.map(({ name }) => name)).toEqual(['input_layer', 'base', 'head']);
    expect(model.weights.map(({ name }) => name).slice(0, 3)).toEqual(['conv1/kernel', 'conv1/bias', 'bn1/gamma']);
    const again = modelFromJSON(JSON.stringify(model));
    expect(JSON.stringify(again)).toBe(JSON.stringify(model));
    expect(again.weights).toHaveLength(8);
    inner.trainable = false;
    expect(model.trainableWeights.map(({ name }) => name)).toEqual(['head/kernel', 'head/bias']);
    expect(model.nonTrainableWeights).toHaveLength(6);
  });

  test('frozen ones do not move their statistics in training', async () => {
    const inner = base();
    const model = new Sequential([inner, layers.dense({ units: 2 })]);
    expect(model.inputShape).toEqual([null, 8, 8, 3]);
    inner.trainable = false;
    model.apply(ones([2, 8, 8, 3]), { training: true });
    const bn = inner.getLayer('bn1') as layers.BatchNormalization;
    expect([...(await bn.movingMean!.data())]).toEqual([0, 0, 0, 0]);
    inner.trainable = true;
    model.apply(ones([2, 8, 8, 3]), { training: true });
    expect([...(await bn.movingMean!.data())]).not.toEqual([0, 0, 0, 0]);
  });

  test('keep the training they were applied with', async () => {
    const inner = base();
    const x = input({ shape: [8, 8, 3] });
    const model = new Model({ inputs: x, outputs: inner.apply(x, { training: false }) });
    const again = modelFromJSON(JSON.stringify(model));
    again.setWeights(await model.getWeights());
    const value = tensor(
      Float32Array.from({ length: 192 }, (_, i) => Math.sin(i)),
      [1, 8, 8, 3],
    );
    const inference = [...(await model.apply(value).data())];
    expect([...(await model.apply(value, { training: true }).data())]).toEqual(inference);
    expect([...(await again.apply(value, { training: true }).data())]).toEqual(inference);
  });

  test('parts of a model are models', async () => {
    const whole = mixedNet();
    const middle = whole.getLayer('concatenate').output as SymbolicTensor;
    const front = new Model({ inputs: whole.inputs[0]!, outputs: [middle, whole.outputs[0]!] });
    const back = new Model({ inputs: middle, outputs: whole.outputs[0]! });
    const x = ones([1, 16, 16, 3]);
    const [features, scores] = front.apply<readonly [Tensor, Tensor]>(x);
    expect([...(await back.apply(features).data())]).toEqual([...(await scores.data())]);
    expect(JSON.stringify(modelFromJSON(JSON.stringify(back)))).toBe(JSON.stringify(back));
  });

  test('clones have weights of their own', async () => {
    class Twice extends Layer {
      call(x: Tensor): Tensor {
        return ops.mul(x, 2);
      }
    }
    const x = input({ shape: [2] });
    const model = new Model({ inputs: x, outputs: new Twice().apply(layers.dense({ units: 1 }).apply(x)) });
    const clone = cloneModel(model);
    expect(clone.weights[0]).not.toBe(model.weights[0]);
    clone.setWeights(await model.getWeights());
    expect([...(await clone.apply(ones([1, 2])).data())]).toEqual([...(await model.apply(ones([1, 2])).data())]);
    expect(messageOf(() => modelFromJSON(model.toJSON()))).toContain(`received 'Twice'`);
    expect(modelFromJSON(model.toJSON(), { Twice }).layers).toHaveLength(3);
  });
});

describe('graphs that make no model', () => {
  const x = (): SymbolicTensor => input({ shape: [2], name: 'x' });
  const wrong: [name: string, make: () => unknown, message: string][] = [
    [
      'an input that is missing',
      () => {
        const a = x();
        const sum = layers.add({ name: 'sum' }).apply([a, input({ shape: [2], name: 'y' })]);
        return new Model({ name: 'm', inputs: a, outputs: sum });
      },
      'functional "m": expected outputs that follow from the inputs, received layer "sum" that needs "y", which is not one of them',
    ],
    [
      'two layers of one name',
      () => {
        const a = x();
        const d = (): Layer => layers.dense({ units: 2, name: 'd' });
        return new Model({ name: 'm', inputs: a, outputs: d().apply(d().apply(a)) });
      },
      'functional "m": expected layers with different names, received two layers named "d"',
    ],
    [
      'inputs only',
      () => new Model({ name: 'm', inputs: x() }),
      'functional "m": expected inputs and outputs, or neither in a subclass, received inputs only',
    ],
    [
      'tensors with values',
      () => new Model({ name: 'm', inputs: x(), outputs: zeros([1]) as never }),
      'functional "m": expected outputs made by input() and layers, received a tensor with a value',
    ],
    [
      'one input twice',
      () => {
        const a = x();
        return new Model({ name: 'm', inputs: [a, a], outputs: layers.flatten().apply(a) });
      },
      'functional "m": expected each input once, received one twice',
    ],
    ['broken JSON', () => modelFromJSON('{'), 'modelFromJSON: expected JSON, received text that is not'],
    [
      'JSON of a layer',
      () => modelFromJSON(layers.serializeLayer(layers.flatten())),
      'modelFromJSON: expected a model, received Flatten',
    ],
    [
      'JSON with a layer that waits for ever',
      () => {
        const json = JSON.stringify(mixedNet()).replace('"tensor":["stem",0,0]', '"tensor":["stalk",0,0]');
        return modelFromJSON(json);
      },
      'modelFromJSON: expected inputs that some layer makes, received none for "branch_b"',
    ],
  ];
  test.each(wrong)('%s', (_, make, message) => {
    expect(messageOf(make)).toContain(message);
  });
});
