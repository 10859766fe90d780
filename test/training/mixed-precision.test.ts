import { afterEach, describe, expect, it } from 'vitest';
import {
  compile,
  layers,
  losses,
  ops,
  optimizers,
  policy,
  resetLayerNames,
  Sequential,
  setPolicy,
  tensor,
  valueAndGrad,
  withDevice,
  type PolicyName,
  type Tensor,
} from '../../lib/index.js';
import { testDevices } from '../support/devices.js';

afterEach(() => setPolicy('float32'));

/** The chapter's CNN made small: convolutions, normalization, pooling, dense layers. */
function smallNet(name: PolicyName): Sequential {
  resetLayerNames();
  setPolicy(name);
  try {
    const model = new Sequential([
      layers.input({ shape: [12, 12, 1] }),
      layers.conv2d({ filters: 8, kernelSize: 5, padding: 'same', activation: 'relu' }),
      layers.maxPooling2d(),
      layers.conv2d({ filters: 16, kernelSize: 3, padding: 'same' }),
      layers.batchNormalization(),
      layers.activation({ activation: 'relu' }),
      layers.maxPooling2d(),
      layers.flatten(),
      layers.dense({ units: 32, activation: 'relu' }),
      layers.dense({ units: 4, activation: 'softmax', dtype: 'float32' }),
    ]);
    return model;
  } finally {
    setPolicy('float32');
  }
}

/** Images of a bright quarter, which is their class. */
function data(): { x: Tensor; y: Tensor } {
  const n = 32;
  const x = new Float32Array(n * 144);
  const y = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const c = (y[i] = i % 4);
    for (let p = 0; p < 144; p++) {
      const quarter = 2 * Number(p >= 72) + Number(p % 12 >= 6);
      x[i * 144 + p] = 0.3 * Math.sin(i * 7.1 + p * 3.7) + (quarter === c ? 0.5 : 0);
    }
  }
  return { x: tensor(x, [n, 12, 12, 1]), y: tensor(y) };
}

describe.each(testDevices().filter((d) => d !== 'reference'))('on %s', (device) => {
  it('reaches about the loss of float32', async () => {
    await withDevice(device, async () => {
      const { x, y } = data();
      const start = smallNet('float32');
      start.build([null, 12, 12, 1]);
      const weights = await start.getWeights();
      const run = async (name: PolicyName): Promise<number[]> => {
        const model = smallNet(name);
        model.build([null, 12, 12, 1]);
        model.setWeights(weights);
        model.compile({ optimizer: optimizers.adam({ learningRate: 3e-3 }), loss: 'sparseCategoricalCrossentropy' });
        const history: number[] = [];
        for (let i = 0; i < 20; i++) history.push((await model.trainOnBatch(x, y)).loss!);
        return history;
      };
      const [full, mixed] = [await run('float32'), await run('mixed_bfloat16')];
      expect(full.at(-1)!).toBeLessThan(0.5 * full[0]!);
      full.forEach((loss, i) => expect(Math.abs(mixed[i]! - loss), `step ${i}`).toBeLessThan(0.03 + 0.1 * loss));
    });
  });
});

describe('policies', () => {
  it('keeps weights, gradients and statistics in float32, activations in bfloat16', () => {
    const model = smallNet('mixed_bfloat16');
    const { x, y } = data();
    const { grads } = valueAndGrad(() =>
      losses.sparseCategoricalCrossentropy().apply(y, model.apply(x, { training: true })),
    );
    expect(new Set(model.weights.map((w) => w.dtype))).toEqual(new Set(['float32']));
    expect(new Set([...grads.values()].map((g) => g.dtype))).toEqual(new Set(['float32']));
    expect(grads.size).toBe(model.trainableWeights.length);
    expect(layers.conv2d({ filters: 2, kernelSize: 3, dtype: 'mixed_bfloat16' }).apply(x).dtype).toBe('bfloat16');
    expect(model.apply(x).dtype).toBe('float32');
  });

  it('is written down where it is not the usual one', () => {
    expect(policy()).toBe('float32');
    expect(layers.flatten().getConfig()).not.toHaveProperty('dtype');
    setPolicy('mixed_bfloat16');
    const layer = layers.flatten();
    expect(layer.dtypePolicy).toBe('mixed_bfloat16');
    expect(layer.getConfig()).toHaveProperty('dtype', 'mixed_bfloat16');
    setPolicy('float32');
    expect(layers.Flatten.fromConfig(layer.getConfig()).dtypePolicy).toBe('mixed_bfloat16');
  });

  it('refuses names it does not know', () => {
    expect(() => setPolicy('bfloat16' as PolicyName)).toThrow(
      "setPolicy: expected a policy among 'float32', 'mixed_bfloat16', received 'bfloat16'",
    );
    expect(() => layers.flatten({ dtype: 'int8' as PolicyName })).toThrow(/dtype among 'float32', 'mixed_bfloat16'/);
  });

  it('reads a weight once a step, however often the layer does', async () => {
    setPolicy('mixed_bfloat16');
    const layer = layers.dense({ units: 4 });
    const step = compile((x: Tensor) => ops.add(layer.apply(x), layer.apply(ops.mul(x, 2))));
    const steps = await step.profile(ops.randomNormal([2, 4], 1));
    expect(steps.filter((s) => s.op.startsWith('cast')).length).toBeLessThanOrEqual(3);
  });
});
