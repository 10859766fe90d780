import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compile,
  exportOnnx,
  input,
  Layer,
  layers,
  Model,
  ops,
  Sequential,
  setPolicy,
  setRandomSeed,
  tensor,
} from '../../../lib/index.js';
import type { SymbolicTensor, Tensor } from '../../../lib/index.js';
import { fillSpec } from '../../support/fill.js';
import { runExported } from '../../support/onnx.js';

// Small models of one or few layers, with padding that is not symmetric, odd sizes and strides: onnxruntime makes of the
// exported file what we make.

let folder = '';
let file = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-onnx-'));
  file = path.join(folder, 'model.onnx');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Build = (x: SymbolicTensor) => SymbolicTensor;
const SHAPE = [9, 12, 6] as const;

function modelOf(build: Build, shape: readonly (number | null)[] = SHAPE): Model {
  setRandomSeed(5);
  const x = input({ shape, name: 'image' });
  const model = new Model({ name: 'small', inputs: x, outputs: build(x) });
  // Biases and statistics that are not the neutral ones.
  model.setWeights(
    model.weights.map((weight, i) => {
      const positive = /variance|gamma/.test(weight.name);
      const kernel = weight.shape.length > 1;
      return fillSpec({
        shape: weight.shape,
        seed: 100 + i,
        lo: positive ? 0.5 : kernel ? -0.3 : -1,
        hi: kernel ? 0.3 : 1,
      });
    }),
  );
  return model;
}

async function compare(model: Model, shape: readonly number[], options = {}): Promise<void> {
  const x = fillSpec({ shape, seed: 9, lo: -2, hi: 2 });
  const exported = await runExported(model, file, x, shape, options);
  const run = compile((t: Tensor) => model.apply<Tensor>(t, { training: false }));
  const y = run(tensor(x, shape));
  const expected = (await y.data()) as Float32Array;
  expect(exported.shape).toEqual(y.shape);
  const most = expected.reduce((max, v) => Math.max(max, Math.abs(v)), 1);
  const worst = expected.reduce((max, v, i) => Math.max(max, Math.abs(v - exported.values[i]!)), 0);
  expect(worst / most).toBeLessThan(1e-5);
  run.dispose();
}

/** A layer around a function of tensors. */
class Apply extends Layer {
  constructor(
    private readonly fn: (x: Tensor) => Tensor,
    name: string,
  ) {
    super({ name });
  }

  call(x: Tensor): Tensor {
    return this.fn(x);
  }
}
const apply =
  (fn: (x: Tensor) => Tensor, name = 'applied'): Build =>
  (x) =>
    new Apply(fn, name).apply(x);

const ACTIVATIONS = [
  ...['relu', 'relu6', 'leakyRelu', 'elu', 'selu', 'gelu', 'silu', 'hardSilu', 'mish', 'sigmoid', 'hardSigmoid'],
  ...['logSigmoid', 'tanh', 'hardTanh', 'tanhShrink', 'softplus', 'softsign', 'exponential', 'softmax', 'logSoftmax'],
] as const;

const CASES: Readonly<Record<string, Build>> = {
  'same, strides 2': (x) => layers.conv2d({ filters: 4, kernelSize: [3, 4], strides: 2, padding: 'same' }).apply(x),
  'explicit padding, dilated': (x) =>
    layers.conv2d({ filters: 4, kernelSize: 3, dilationRate: 2, padding: [2, 1, 0, 3] }).apply(x),
  'groups, relu': (x) => layers.conv2d({ filters: 9, kernelSize: 2, groups: 3, activation: 'relu' }).apply(x),
  depthwise: (x) => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same', strides: 2 }).apply(x),
  separable: (x) => layers.separableConv2d({ filters: 5, kernelSize: 3, padding: 'same' }).apply(x),
  transposed: (x) => layers.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: 'same' }).apply(x),
  'convolution, norm, relu': (x) =>
    layers
      .activation({ activation: 'relu' })
      .apply(layers.batchNormalization().apply(layers.conv2d({ filters: 4, kernelSize: 3, useBias: false }).apply(x))),
  'norm before a convolution': (x) =>
    layers.conv2d({ filters: 3, kernelSize: 1 }).apply(layers.batchNormalization().apply(x)),
  'max pool, same': (x) => layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }).apply(x),
  'average pool, same': (x) => layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' }).apply(x),
  'zeros, then max pool': (x) =>
    layers.maxPooling2d({ poolSize: 3, strides: 2 }).apply(
      layers
        .zeroPadding2d({
          padding: [
            [1, 2],
            [0, 1],
          ],
        })
        .apply(apply((t) => ops.sub(ops.neg(ops.abs(t)), 1))(x)),
    ),
  lrn: (x) => layers.localResponseNormalization({ depthRadius: 2, alpha: 0.3, beta: 0.75, bias: 1 }).apply(x),
  'global pools side by side': (x) =>
    layers.concatenate().apply([layers.globalAveragePooling2d().apply(x), layers.globalMaxPooling2d().apply(x)]),
  'squeeze and excitation': (x) => {
    const y = layers.conv2d({ filters: 6, kernelSize: 3, padding: 'same' }).apply(x);
    const mean = layers.globalAveragePooling2d({ keepDims: true }).apply(y);
    return layers
      .multiply()
      .apply([y, layers.conv2d({ filters: 6, kernelSize: 1, activation: 'sigmoid' }).apply(mean)]);
  },
  'flatten, dense, dropout': (x) => {
    const y = layers.flatten().apply(layers.conv2d({ filters: 2, kernelSize: 3 }).apply(x));
    return layers.dense({ units: 3 }).apply(layers.dropout({ rate: 0.5 }).apply(y));
  },
  'concatenated channels and rows': (x) => {
    const y = layers.conv2d({ filters: 6, kernelSize: 1 }).apply(x);
    return layers
      .concatenate({ axis: 1 })
      .apply([layers.concatenate().apply([x, y]), layers.concatenate().apply([y, x])]);
  },
  'cropped, permuted, reshaped': (x) => {
    const y = layers
      .cropping2d({
        cropping: [
          [1, 2],
          [0, 3],
        ],
      })
      .apply(layers.conv2d({ filters: 4, kernelSize: 1 }).apply(x));
    return layers.reshape({ targetShape: [-1, 6] }).apply(layers.permute({ dims: [3, 1, 2] }).apply(y));
  },
  'resized, bilinear': (x) => layers.resizing({ height: 7, width: 30, interpolation: 'bilinear' }).apply(x),
  'resized, nearest': (x) => layers.resizing({ height: 18, width: 5, interpolation: 'nearest' }).apply(x),
  'resized, bicubic with antialias': apply((x) => ops.resize(x, [5, 20], { method: 'bicubic', antialias: true })),
  upsampled: (x) => layers.upSampling2d({ size: 2 }).apply(layers.conv2d({ filters: 2, kernelSize: 3 }).apply(x)),
  prelu: (x) => layers.prelu({ sharedAxes: [1, 2] }).apply(layers.conv2d({ filters: 4, kernelSize: 3 }).apply(x)),
  rescaled: (x) =>
    layers.conv2d({ filters: 2, kernelSize: 3 }).apply(layers.rescaling({ scale: 1 / 127, offset: -1 }).apply(x)),
  'a variance over the image': apply((x) => {
    const mean = ops.mean(x, { axes: [1, 2], keepDims: true });
    return ops.sqrt(ops.mean(ops.square(ops.sub(x, mean)), { axes: [3] }));
  }),
  'comparisons and choices': apply((x) =>
    ops.select(ops.and(ops.greater(x, 0), ops.less(x, 1)), ops.minimum(ops.mul(x, 3), 1), ops.floor(x)),
  ),
  'a matrix product with a constant': apply((x) => {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    return ops.matmul(
      tensor(fillSpec({ shape: [4, h], seed: 3, lo: -1, hi: 1 }), [4, h]),
      ops.reshape(x, [n, h, w * c]),
    );
  }),
};

describe('exported layers', () => {
  it.each(Object.entries(CASES))('%s', async (_, build) => {
    const model = modelOf(build);
    await compare(model, [2, ...SHAPE]);
  });

  it.each(ACTIVATIONS)('%s', async (activation) => {
    await compare(
      modelOf((x) => layers.conv2d({ filters: 4, kernelSize: 3, activation }).apply(x)),
      [2, ...SHAPE],
    );
  });

  it.each([13, 17, 18, 21])('with the operators of opset %i', async (opset) => {
    const net: Build = (x) => {
      const y = layers
        .batchNormalization()
        .apply(layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }).apply(x));
      const pooled = layers.globalAveragePooling2d().apply(layers.resizing({ height: 5, width: 5 }).apply(y));
      return layers.dense({ units: 3, activation: 'softmax' }).apply(pooled);
    };
    await compare(modelOf(net), [3, ...SHAPE], { opset });
  });
});

describe('exportOnnx', () => {
  const net: Build = (x) =>
    layers.globalAveragePooling2d().apply(layers.conv2d({ name: 'scores', filters: 4, kernelSize: 3 }).apply(x));

  it('takes any batch, or the one it was told', async () => {
    const model = modelOf(net);
    for (const n of [1, 7]) await compare(model, [n, ...SHAPE]);
    await compare(model, [4, ...SHAPE], { batch: 4 });
    await expect(
      runExported(model, file, new Float32Array(3 * 9 * 12 * 6), [3, ...SHAPE], { batch: 4 }),
    ).rejects.toThrow();
  });

  it('turns images once on the way in, and not at all between', async () => {
    const model = modelOf((x) => {
      let y = x;
      for (let i = 0; i < 3; i++) {
        const z = layers.conv2d({ filters: 6, kernelSize: 3, padding: 'same' }).apply(y);
        y = layers
          .add()
          .apply([layers.batchNormalization().apply(layers.activation({ activation: 'relu' }).apply(z)), z]);
      }
      return layers.globalAveragePooling2d().apply(layers.maxPooling2d().apply(y));
    });
    await compare(model, [2, ...SHAPE]);
    const text = (await readFile(file)).toString('latin1');
    // A node's operator: field 4, nine letters.
    expect(text.split('\x22\x09Transpose')).toHaveLength(2);
  });

  it('names inputs and outputs as here, several too', async () => {
    const a = input({ shape: [5], name: 'a' });
    const b = input({ shape: [5], name: 'b' });
    const outputs = { sum: layers.add().apply([a, b]), same: a };
    const model = new Model({ inputs: [a, b], outputs });
    await exportOnnx(model, file);
    const session = await InferenceSession.create(file, { intraOpNumThreads: 1 });
    expect([session.inputNames, session.outputNames]).toEqual([
      ['a', 'b'],
      ['sum', 'same'],
    ]);
    const of = (...values: number[]): OrtTensor => new OrtTensor('float32', Float32Array.from(values), [1, 5]);
    const result = await session.run({ a: of(1, 2, 3, 4, 5), b: of(1, 1, 1, 1, 1) });
    expect([...(result['sum']!.data as Float32Array)]).toEqual([2, 3, 4, 5, 6]);
    expect([...(result['same']!.data as Float32Array)]).toEqual([1, 2, 3, 4, 5]);
    await session.release();
  });

  it('takes Sequential models, and open sizes with an inputShape', async () => {
    setRandomSeed(3);
    const model = new Sequential([
      layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [null, null, 3] }),
      layers.globalMaxPooling2d(),
    ]);
    await expect(exportOnnx(model, file)).rejects.toThrow(/expected an inputShape of known sizes for \[.*3\]/);
    await compare(model, [2, 6, 7, 3], { inputShape: [6, 7, 3] });
    await expect(exportOnnx(model, file, { inputShape: [6, 7, 4] })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  });

  it('names the layer it cannot export, and leaves no file', async () => {
    const target = path.join(folder, 'never.onnx');
    for (const dtype of ['bfloat16', 'float16'] as const) {
      const model = modelOf(apply((x) => ops.relu(ops.cast(x, dtype)), 'narrow'));
      await expect(exportOnnx(model, target)).rejects.toThrow(
        new RegExp(`layer "(.*/)?narrow" cannot be exported: ONNX has no ${dtype} here`),
      );
    }
    setPolicy('mixed_bfloat16');
    try {
      await expect(exportOnnx(modelOf(net), target)).rejects.toThrow(/layer ".*scores" cannot be exported/);
    } finally {
      setPolicy('float32');
    }
    expect(await readdir(folder)).not.toContain('never.onnx');
  });

  it('refuses options that are none', async () => {
    const model = modelOf(net);
    for (const options of [{ opset: 12 }, { opset: 22 }, { batch: 0 }, { batch: 1.5 }]) {
      await expect(exportOnnx(model, file, options)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    }
    await expect(exportOnnx(model, path.join(file, 'x'))).rejects.toMatchObject({ code: 'ERR_FILE' });
  });
});
