import { beforeEach, describe, expect, test } from 'vitest';
import { setDevice } from '../../lib/backends/registry.js';
import { compile } from '../../lib/graph/compile.js';
import { valueAndGrad } from '../../lib/autograd/grad.js';
import * as layers from '../../lib/layers/index.js';
import { Layer, UnaryLayer, type Nest, type SymbolicShape } from '../../lib/layers/index.js';
import { messageOf } from '../support/message-of.js';
import { suggestion } from '../../lib/layers/suggest.js';
import * as ops from '../../lib/ops/index.js';
import { ones, tensor, zeros } from '../../lib/tensor/create.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { Variable } from '../../lib/tensor/variable.js';

beforeEach(() => {
  setDevice('reference');
  layers.resetLayerNames();
});

/** The chapter's unit: lists of layers in fields. */
class ResidualUnit extends Layer {
  readonly mainLayers: Layer[];
  readonly skipLayers: Layer[] = [];

  constructor(
    readonly filters: number,
    strides = 1,
    options: layers.LayerOptions = {},
  ) {
    super(options);
    const conv = (kernelSize: number, s: number): Layer =>
      layers.conv2d({ filters, kernelSize, strides: s, padding: 'same', useBias: false });
    const bn = (): Layer => layers.batchNormalization();
    this.mainLayers = [conv(3, strides), bn(), layers.activation('relu'), conv(3, 1), bn()];
    if (strides > 1) this.skipLayers = [conv(1, strides), bn()];
  }

  call(x: Tensor): Tensor {
    const run = (list: Layer[]): Tensor => list.reduce((y, layer) => layer.apply(y), x);
    return ops.relu(ops.add(run(this.mainLayers), run(this.skipLayers)));
  }
}

describe('names', () => {
  test('count up for each class, as in Keras', () => {
    const names = [
      layers.conv2d({ filters: 1, kernelSize: 1 }),
      layers.conv2d({ filters: 1, kernelSize: 1 }),
      layers.conv2dTranspose({ filters: 1, kernelSize: 1 }),
      layers.maxPooling2d(),
      layers.globalAveragePooling2d(),
      layers.batchNormalization(),
      layers.relu(),
      layers.leakyReLU(),
      layers.elu(),
      layers.prelu(),
      layers.zeroPadding2d(),
      layers.spatialDropout2d({ rate: 0 }),
      layers.upSampling2d(),
      new ResidualUnit(1),
    ].map(({ name }) => name);
    expect(names).toEqual([
      'conv2d',
      'conv2d_1',
      'conv2d_transpose',
      'max_pooling2d',
      'global_average_pooling2d',
      'batch_normalization',
      're_lu',
      'leaky_re_lu',
      'elu',
      'p_re_lu',
      'zero_padding2d',
      'spatial_dropout2d',
      'up_sampling2d',
      'residual_unit',
    ]);
  });

  test('begin again when they are reset; a given name counts nothing', () => {
    layers.dense({ units: 1, name: 'dense_7' });
    expect(layers.dense({ units: 1 }).name).toBe('dense');
    layers.resetLayerNames();
    expect(layers.dense({ units: 1 }).name).toBe('dense');
  });

  test('are not paths', () => {
    expect(messageOf(() => layers.dense({ units: 1, name: 'a/b' }))).toBe(
      `dense: expected name to be text without '/', received 'a/b'`,
    );
  });
});

describe('a layer of layers', () => {
  test('finds its layers in its fields; weights carry the path, in Keras order', () => {
    const unit = new ResidualUnit(4, 2, { name: 'unit' });
    const y = unit.apply(zeros([2, 6, 6, 3]));
    expect(y.shape).toEqual([2, 3, 3, 4]);
    expect(unit.weights.map(({ name }) => name)).toEqual([
      'unit/conv2d/kernel',
      ...['gamma', 'beta', 'moving_mean', 'moving_variance'].map((w) => `unit/batch_normalization/${w}`),
      'unit/conv2d_1/kernel',
      ...['gamma', 'beta', 'moving_mean', 'moving_variance'].map((w) => `unit/batch_normalization_1/${w}`),
      'unit/conv2d_2/kernel',
      ...['gamma', 'beta', 'moving_mean', 'moving_variance'].map((w) => `unit/batch_normalization_2/${w}`),
    ]);
    expect(unit.trainableWeights).toHaveLength(9);
    expect(unit.nonTrainableWeights).toHaveLength(6);
    expect(unit.countParams()).toBe(3 * 3 * 3 * 4 + 3 * 3 * 4 * 4 + 3 * 4 + 3 * 4 * 4);
  });

  test('takes part in functional models without a shape rule of its own', () => {
    const y = new ResidualUnit(4, 2).apply(layers.input({ shape: [null, 6, 3] }));
    expect(y.shape).toEqual([null, null, 3, 4]);
  });

  test('hands training on to its layers', async () => {
    class Wrapped extends Layer {
      readonly inner = { drop: layers.dropout({ rate: 0.5, seed: 1 }) };
      call(x: Tensor): Tensor {
        return this.inner.drop.apply(x);
      }
    }
    const layer = new Wrapped();
    expect([...(await layer.apply(ones([4])).data())]).toEqual([1, 1, 1, 1]);
    expect([...(await layer.apply(ones([40]), { training: true }).data())]).toContain(0);
    expect(layer.seedGenerators).toEqual([layer.inner.drop.seedGenerator]);
  });

  test('freezing goes down, thawing leaves state untrained', () => {
    const unit = new ResidualUnit(4);
    unit.apply(zeros([1, 4, 4, 4]));
    unit.trainable = false;
    expect(unit.mainLayers.every(({ trainable }) => !trainable)).toBe(true);
    expect(unit.trainableWeights).toEqual([]);
    expect(unit.nonTrainableWeights).toHaveLength(10);
    expect(unit.weights.every(({ trainable }) => !trainable)).toBe(true);
    unit.trainable = true;
    expect(unit.trainableWeights).toHaveLength(6);
    unit.mainLayers[0]!.trainable = false;
    expect(unit.trainableWeights).toHaveLength(5);
    expect(unit.weights.map((w) => w.name)[0]).toBe('residual_unit/conv2d/kernel');
  });

  test('frozen before it is built: its weights come frozen', () => {
    const unit = new ResidualUnit(4, 1, { trainable: false });
    unit.apply(zeros([1, 4, 4, 4]));
    expect(unit.trainableWeights).toEqual([]);
    const { grads } = valueAndGrad(() => ops.sum(unit.apply(ones([1, 4, 4, 4]), { training: true })));
    expect(grads.size).toBe(0);
  });
});

describe('batch normalization', () => {
  test('moves its statistics by the batch in training only, and not when frozen', async () => {
    const bn = layers.batchNormalization({ momentum: 0.75 });
    const x = tensor([1, 2, 3, 6], [4, 1]);
    await bn.apply(x).data();
    expect([...(await bn.movingMean!.data())]).toEqual([0]);
    bn.apply(x, { training: true });
    expect([...(await bn.movingMean!.data())]).toEqual([0.75]);
    expect([...(await bn.movingVariance!.data())]).toEqual([0.75 + 3.5 / 4]);
    bn.trainable = false;
    const frozen = await bn.apply(x, { training: true }).data();
    expect([...frozen]).toEqual([...(await bn.apply(x).data())]);
    expect([...(await bn.movingMean!.data())]).toEqual([0.75]);
  });

  test('moves them in compiled functions too', async () => {
    const bn = layers.batchNormalization({ momentum: 0.5 });
    const step = compile((x: Tensor) => bn.apply(x, { training: true }));
    for (let i = 0; i < 3; i++) step(tensor([1, 3], [2, 1]));
    expect([...(await bn.movingMean!.data())]).toEqual([1.75]);
    expect(bn.weights.map(({ name }) => name)[2]).toBe('batch_normalization/moving_mean');
  });
});

describe('weights', () => {
  test('are made once, however the layer is first met', () => {
    const dense = layers.dense({ units: 2 });
    dense.build([null, 3]);
    dense.build([null, 3]);
    dense.apply(zeros([1, 3]));
    expect(dense.weights.map(({ name }) => name)).toEqual(['dense/kernel', 'dense/bias']);
  });

  test('made while a function is traced outlive the trace', async () => {
    const dense = layers.dense({ units: 2, kernelInitializer: 'ones' });
    const run = compile((x: Tensor) => dense.apply(x));
    expect([...(await run(ones([1, 3])).data())]).toEqual([3, 3]);
    expect([...(await dense.kernel!.data())]).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test('are none after a build that failed', () => {
    class Half extends UnaryLayer {
      fails = true;
      override build(shape: SymbolicShape): void {
        this.addWeight({ name: 'first', shape: [shape[1]!] });
        if (this.fails) throw new Error('half way');
      }
      override call(x: Tensor): Tensor {
        return x;
      }
      override computeOutputShape(shape: SymbolicShape): SymbolicShape {
        return shape;
      }
    }
    const layer = new Half();
    expect(messageOf(() => layer.apply(zeros([1, 2])))).toBe('half way');
    expect(layer.built).toBe(false);
    layer.fails = false;
    layer.apply(zeros([1, 2]));
    expect(layer.weights).toHaveLength(1);
  });

  test('in fields count without addWeight', () => {
    class Scale extends Layer {
      readonly factor = new Variable(ones([2]), { name: 'factor' });
      readonly seen = new Variable(zeros([2]), { name: 'seen', trainable: false });
      call(x: Tensor): Tensor {
        return ops.mul(x, this.factor.value);
      }
    }
    const layer = new Scale();
    expect(layer.weights.map(({ name }) => name)).toEqual(['factor', 'seen']);
    layer.trainable = false;
    layer.trainable = true;
    expect(layer.trainableWeights).toEqual([layer.factor]);
  });

  test('setWeights lists all that does not fit, and changes nothing then', async () => {
    const dense = layers.dense({ units: 2, name: 'head', kernelInitializer: 'ones' });
    dense.apply(zeros([1, 3]));
    expect(messageOf(() => dense.setWeights([new Float32Array(6)]))).toBe(
      'setWeights "head": expected 2 values, received 1',
    );
    expect(messageOf(() => dense.setWeights([zeros([2, 3]), [1, 2, 3]]))).toBe(
      'setWeights "head": 2 of 2 values do not fit:\n' +
        '  head/kernel: expected [3,2] float32, received [2,3] float32\n' +
        '  head/bias: expected [2] float32, received [3] float32',
    );
    expect(messageOf(() => dense.setWeights([new Float32Array(5), [1, 2]]))).toContain(
      '1 of 2 values does not fit:\n  head/kernel: expected [3,2] float32, received 5 elements',
    );
    expect([...(await dense.kernel!.data())]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(messageOf(() => layers.dense({ units: 2, name: 'new' }).setWeights([[1]]))).toBe(
      'setWeights "new": expected 0 values, received 1 (the layer has no weights before it is built)',
    );
  });

  test('losses are the penalties of the weights that are trained', async () => {
    const dense = layers.dense({
      units: 1,
      kernelInitializer: 'ones',
      kernelRegularizer: { className: 'L2', config: { l2: 0.5 } },
      biasRegularizer: 'l1',
      biasInitializer: { className: 'Constant', config: { value: 2 } },
    });
    dense.apply(zeros([1, 3]));
    expect(await Promise.all(dense.losses.map((loss) => loss.item()))).toEqual([1.5, expect.closeTo(0.02, 6)]);
    dense.trainable = false;
    expect(dense.losses).toEqual([]);
  });
});

describe('normalization', () => {
  test('adapts to data, in batches too', async () => {
    const normalization = layers.normalization();
    async function* batches(): AsyncGenerator<Tensor> {
      yield tensor([1, 10, 2, 20], [2, 2]);
      yield tensor([3, 60], [1, 2]);
    }
    await normalization.adapt(batches());
    const y = await normalization.apply(tensor([2, 30], [1, 2])).data();
    expect([...y]).toEqual([0, 0]);
    expect([...(await normalization.variance!.data())][0]).toBeCloseTo(2 / 3, 6);
    expect([...(await normalization.count!.data())]).toEqual([3]);
  });

  test('refuses to adapt to nothing, or where all is given', async () => {
    await expect(layers.normalization({ name: 'n' }).adapt([])).rejects.toThrow(
      'normalization "n": expected data with at least one element, received none',
    );
    await expect(layers.normalization({ mean: 0, variance: 1 }).adapt(ones([1, 1]))).rejects.toThrow('no adapt');
    expect(messageOf(() => layers.normalization({ name: 'n', mean: 1 }))).toBe(
      'normalization "n": expected variance to be given together with the other, received nothing',
    );
  });
});

describe('configurations', () => {
  test('of unknown and of registered classes', () => {
    expect(messageOf(() => layers.deserializeLayer({ className: 'Conv2d', config: {} }))).toBe(
      `deserializeLayer: expected a known layer class, received 'Conv2d'; did you mean 'Conv2D'? (your own classes need registerLayer)`,
    );
    class Mine extends Layer {
      call(x: Tensor): Tensor {
        return x;
      }
    }
    layers.registerLayer(Mine, 'test');
    const json = layers.serializeLayer(new Mine({ name: 'mine' }));
    expect(json).toEqual({ className: 'Mine', config: { name: 'mine', trainable: true }, registeredName: 'test>Mine' });
    expect(layers.deserializeLayer(json)).toBeInstanceOf(Mine);
    expect(
      messageOf(() =>
        layers.registerLayer(
          class Mine extends Layer {
            call = (x: Nest<Tensor>) => x;
          },
          'test',
        ),
      ),
    ).toBe('registerLayer: expected a new name, received test>Mine, which another class has');
  });

  test('need activations with names', () => {
    const layer = layers.activation({ name: 'a', activation: (x) => ops.mul(x, 2) });
    expect(layer.apply(ones([1])).shape).toEqual([1]);
    expect(messageOf(() => layer.getConfig())).toBe(
      'activation "a": expected an activation with a name, to be written down, received a function',
    );
  });
});

test('a layer in one line', () => {
  const conv = layers.conv2d({ filters: 2, kernelSize: 3, name: 'c' });
  expect(String(conv)).toBe('Conv2D "c" (not built)');
  const y = conv.apply(layers.input({ shape: [5, 5, 1], name: 'i' }));
  expect(String(conv)).toBe('Conv2D "c" [null,5,5,1] -> [null,3,3,2], 20 parameters');
  expect(String(y)).toBe('SymbolicTensor float32 [null,3,3,2] of layer "c"');
  conv.trainable = false;
  expect(String(conv)).toContain(', frozen');
});

test('suggestions', () => {
  expect(suggestion('kernel_size', ['kernelSize'])).toBe(`; did you mean 'kernelSize'?`);
  expect(suggestion('pading', ['strides', 'padding'])).toBe(`; did you mean 'padding'?`);
  expect(suggestion('quite different', ['padding'])).toBe('');
});
