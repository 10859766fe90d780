import { beforeEach, describe, expect, test } from 'vitest';
import { setDevice } from '../../lib/backends/registry.js';
import { valueAndGrad } from '../../lib/autograd/grad.js';
import * as layers from '../../lib/layers/index.js';
import type { Layer } from '../../lib/layers/index.js';
import { input, type CallContext } from '../../lib/layers/index.js';
import * as ops from '../../lib/ops/index.js';
import { ones, tensor, zeros } from '../../lib/tensor/create.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { modelFromJSON } from '../../lib/training/clone.js';
import { Model } from '../../lib/training/model.js';
import { Sequential } from '../../lib/training/sequential.js';
import { describeEachDevice } from '../support/each-device.js';
import { fillSpec, type FillSpec } from '../support/fill.js';
import { expectTapClose, expectTensorClose, readGolden, type ExpectedTensor, type Tap } from '../support/golden.js';
import { messageOf } from '../support/message-of.js';

beforeEach(() => {
  layers.resetLayerNames();
});

/** The chapter's Fashion-MNIST CNN, with logits. */
export function fashionCnn(width = 64): Sequential {
  const conv = (filters: number, kernelSize = 3): Layer =>
    layers.conv2d({ filters, kernelSize, padding: 'same', activation: 'relu', kernelInitializer: 'heNormal' });
  const dense = (units: number): Layer => layers.dense({ units, activation: 'relu', kernelInitializer: 'heNormal' });
  return new Sequential([
    layers.inputLayer({ shape: [28, 28, 1] }),
    conv(width, 7),
    layers.maxPooling2d(),
    conv(2 * width),
    conv(2 * width),
    layers.maxPooling2d(),
    conv(4 * width),
    conv(4 * width),
    layers.maxPooling2d(),
    layers.flatten(),
    dense(2 * width),
    layers.dropout({ rate: 0.5 }),
    dense(width),
    layers.dropout({ rate: 0.5 }),
    layers.dense({ units: 10 }),
  ]);
}

function lenet5(): Sequential {
  const conv = (name: string, filters: number): Layer =>
    layers.conv2d({ name, filters, kernelSize: 5, activation: 'tanh' });
  return new Sequential([
    layers.inputLayer({ shape: [32, 32, 1] }),
    conv('c1', 6),
    layers.averagePooling2d({ name: 's2' }),
    conv('c3', 16),
    layers.averagePooling2d({ name: 's4' }),
    conv('c5', 120),
    layers.flatten(),
    layers.dense({ name: 'f6', units: 84, activation: 'tanh' }),
    layers.dense({ name: 'out', units: 10 }),
  ]);
}

interface SeedModel {
  readonly model: string;
  readonly weights: readonly (FillSpec & { readonly path: string; readonly trainable: boolean })[];
  readonly params: { readonly total: number };
  readonly input: FillSpec;
  readonly logits: ExpectedTensor;
  readonly taps: readonly Tap[];
}

describeEachDevice('the fixtures of models-seed', () => {
  const { models } = readGolden<{ models: SeedModel[] }>('models-seed.json');
  test.each([
    ['fashion_cnn', fashionCnn],
    ['lenet5', lenet5],
  ] as const)('%s', async (name, make) => {
    const golden = models.find(({ model }) => model === name)!;
    const model = make();
    const own = (path: string): string => path.replace(`${name}/`, '');
    expect(model.weights.map((w) => [w.name, w.shape])).toEqual(golden.weights.map((w) => [own(w.path), w.shape]));
    expect(model.countParams()).toBe(golden.params.total);
    model.setWeights(golden.weights.map((spec) => fillSpec(spec)));
    const names = golden.taps.map((tap) => tap.name).filter((tap) => model.layers.some((layer) => layer.name === tap));
    const tapped = new Model({
      inputs: model.inputs[0]!,
      outputs: [model.outputs[0]!, ...names.map((tap) => model.getLayer(tap).output as layers.SymbolicTensor)],
    });
    const x = tensor(fillSpec(golden.input), golden.input.shape);
    const [logits, ...taps] = tapped.apply<readonly [Tensor, ...Tensor[]]>(x);
    expectTensorClose(await logits.data(), logits.shape, golden.logits, {
      absolute: 1e-4,
      relative: 0,
      label: 'logits',
    });
    expect(names.length).toBeGreaterThan(3);
    for (const [i, tap] of names.entries()) {
      expectTapClose(
        await taps[i]!.data(),
        taps[i]!.shape,
        golden.taps.find((t) => t.name === tap)!,
      );
    }
  });
});

describe('Sequential', () => {
  beforeEach(() => setDevice('reference'));

  test('is built at once when the first layer says its input shape', () => {
    const model = new Sequential([layers.dense({ units: 3, inputShape: [4] }), layers.dense({ units: 2 })]);
    expect(model.built).toBe(true);
    expect(model.inputShape).toEqual([null, 4]);
    expect(model.outputShape).toEqual([null, 2]);
    expect(model.weights.map(({ name }) => name)).toEqual([
      'dense/kernel',
      'dense/bias',
      'dense_1/kernel',
      'dense_1/bias',
    ]);
    expect(model.inputNames).toEqual(['input_layer']);
    expect(model.outputNames).toEqual(['dense_1']);
  });

  test('is built at its first use otherwise', () => {
    const model = new Sequential([layers.flatten(), layers.dense({ units: 2 })]);
    expect(model.built).toBe(false);
    expect(model.weights).toEqual([]);
    expect(model.inputShape).toBeUndefined();
    expect(model.apply(zeros([3, 2, 2], { dtype: 'uint8' })).shape).toEqual([3, 2]);
    expect(model.inputShape).toEqual([null, 2, 2]);
    expect(model.outputShape).toEqual([null, 2]);
  });

  test('or by build', () => {
    const model = new Sequential([layers.dense({ units: 2 })]);
    model.build([null, 5]);
    expect(model.countParams()).toBe(12);
    expect(messageOf(() => model.apply(zeros([1, 4])))).toBe(
      'dense "dense": expected inputs with 5 features (kernel is [5,2]), received [1,4]',
    );
  });

  test('grows and shrinks', () => {
    const model = new Sequential();
    model.add(input({ shape: [4] }));
    model.add(layers.dense({ units: 3 }));
    model.add(layers.dense({ units: 2 }));
    expect(model.outputShape).toEqual([null, 2]);
    expect(model.pop().name).toBe('dense_1');
    expect(model.outputShape).toEqual([null, 3]);
    model.add(layers.dense({ units: 7 }));
    expect(model.apply(zeros([1, 4])).shape).toEqual([1, 7]);
    expect(model.layers).toHaveLength(2);
    expect(model.weights).toHaveLength(4);
  });

  test('round trip through JSON, built or not', async () => {
    for (const shape of [undefined, [4, 4, 1]]) {
      const model = new Sequential(
        [
          layers.conv2d({ filters: 2, kernelSize: 3, inputShape: shape }),
          new Sequential([layers.flatten(), layers.dense({ units: 2 })], { name: 'top' }),
        ],
        { name: 'whole' },
      );
      const early = modelFromJSON(JSON.stringify(model));
      expect(JSON.stringify(early)).toBe(JSON.stringify(model));
      const y = await model.apply(ones([1, 4, 4, 1])).data();
      const again = modelFromJSON(JSON.stringify(model));
      expect(again.built).toBe(true);
      expect(again).toBeInstanceOf(Sequential);
      again.setWeights(await model.getWeights());
      expect([...(await again.apply(ones([1, 4, 4, 1])).data())]).toEqual([...y]);
    }
  });

  test('refuses what is no list of layers', () => {
    const make = (list: unknown): string => messageOf(() => new Sequential(list as Layer[], { name: 's' }));
    expect(make([layers.flatten(), 'dense'])).toBe(`sequential "s": expected a layer at position 1, received 'dense'`);
    expect(make(layers.flatten())).toBe('sequential "s": expected a list of layers, received Flatten');
    expect(make([layers.flatten({ name: 'f' }), layers.flatten({ name: 'f' })])).toBe(
      'sequential "s": expected layers with different names, received two layers named "f"',
    );
    expect(make([layers.flatten(), input({ shape: [1], name: 'i' })])).toBe(
      'sequential "s": expected an input layer in front only, received "i" behind others',
    );
    expect(messageOf(() => new Sequential([], { name: 's' }).apply(zeros([1])))).toBe(
      'sequential "s": expected at least one layer, received none',
    );
    expect(messageOf(() => new Sequential([], { name: 's' }).pop())).toBe(
      'sequential "s": expected at least one layer, received none',
    );
    expect(
      messageOf(() => new Sequential([layers.flatten({ inputShape: [2, 2] })], { name: 's' }).apply(zeros([1, 3, 2]))),
    ).toBe('sequential "s": expected input "input_layer" of shape [null,2,2], received [1,3,2]');
  });

  test('an error carries the path of the layer', () => {
    const inner = new Sequential([layers.conv2d({ name: 'conv1', filters: 2, kernelSize: 9 })], { name: 'block' });
    const model = new Sequential([layers.rescaling({ scale: 1 }), inner]);
    expect(messageOf(() => model.apply(zeros([1, 4, 4, 1])))).toContain(
      'conv2d "block/conv1": expected an input at least',
    );
  });
});

describe('subclassed models', () => {
  beforeEach(() => setDevice('reference'));

  class Classifier extends Model {
    readonly blocks = [layers.dense({ units: 8, activation: 'relu' }), layers.dropout({ rate: 0.5, seed: 2 })];
    readonly head: Layer;

    constructor(readonly classes = 3) {
      super();
      this.head = layers.dense({ units: classes });
    }

    override call(x: Tensor, { training }: CallContext): Tensor {
      const hidden = this.blocks.reduce((y, layer) => layer.apply(y, { training }), x);
      return this.head.apply(hidden);
    }
  }

  test('find their layers in their fields', () => {
    const model = new Classifier();
    expect(model.name).toBe('classifier');
    expect(model.layers.map(({ name }) => name)).toEqual(['dense', 'dropout', 'dense_1']);
    expect(model.apply(zeros([2, 4])).shape).toEqual([2, 3]);
    expect(model.weights.map(({ name }) => name)).toEqual([
      'dense/kernel',
      'dense/bias',
      'dense_1/kernel',
      'dense_1/bias',
    ]);
    expect(model.inputShape).toEqual([null, 4]);
    expect(model.outputShape).toEqual([null, 3]);
    expect(model.inputNames).toBeUndefined();
  });

  test('learn, and take part in other models', () => {
    const inner = new Classifier();
    const model = new Sequential([layers.inputLayer({ shape: [4] }), inner, layers.softmax()]);
    expect(inner.weights[0]!.name).toBe('classifier/dense/kernel');
    const { grads } = valueAndGrad(() => ops.sum(ops.square(model.apply(ones([2, 4]), { training: true }))));
    expect(grads.size).toBe(4);
  });

  test('say what is missing', () => {
    class Empty extends Model {}
    expect(messageOf(() => new Empty({ name: 'e' }).apply(zeros([1])))).toBe(
      'empty "e": expected a call method in the subclass, or inputs and outputs, received neither',
    );
    expect(messageOf(() => new Classifier().countParams())).toContain('expected a layer that is built');
  });
});
