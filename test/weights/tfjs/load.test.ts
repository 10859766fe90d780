import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel, loadWeights, type Model, type Tensor } from '../../../lib/index.js';

let folder = '';
beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'fovea-tfjs-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const input = { batch_input_shape: [null, 4, 4, 1], dtype: 'float32', sparse: false, name: 'in' };
const conv = (name: string, more: object): object => ({
  class_name: 'DepthwiseConv2D',
  name,
  config: {
    ...{ name, trainable: true, dtype: 'float32', kernel_size: [1, 1], strides: [1, 1], padding: 'same' },
    ...{
      data_format: 'channels_last',
      depth_multiplier: 2,
      activation: 'linear',
      use_bias: true,
      bias_constraint: null,
    },
    depthwise_initializer: { class_name: 'GlorotUniform', config: { seed: null, dtype: 'float32' } },
    bias_initializer: { class_name: 'Zeros', config: { dtype: 'float32' } },
    ...more,
  },
  inbound_nodes: [[['in', 0, 0, {}]]],
});
const dense = (name: string, units: number, nodes: unknown): object => ({
  class_name: 'Dense',
  name,
  config: { name, units, activation: 'relu', use_bias: true, kernel_constraint: null, activity_regularizer: null },
  inbound_nodes: nodes,
});

/** A model of Keras 2: its first use of a model is use 1. */
const TOPOLOGY = {
  keras_version: '2.2.4',
  backend: 'tensorflow',
  model_config: {
    class_name: 'Model',
    config: {
      name: 'net',
      layers: [
        { class_name: 'InputLayer', name: 'in', config: input, inbound_nodes: [] },
        conv('dw', {}),
        {
          class_name: 'GlobalAveragePooling2D',
          name: 'gap',
          config: { name: 'gap' },
          inbound_nodes: [[['dw', 0, 0, {}]]],
        },
        {
          class_name: 'Sequential',
          name: 'head',
          config: {
            name: 'head',
            layers: [
              {
                class_name: 'Dense',
                config: { name: 'd1', units: 3, batch_input_shape: [null, 2], activation: 'linear' },
              },
              { class_name: 'LeakyReLU', config: { name: 'leaky', alpha: 0.5 } },
            ],
          },
          inbound_nodes: [[['gap', 0, 0, {}]]],
        },
        dense('d2', 2, [[['head', 1, 0, {}]]]),
      ],
      input_layers: [['in', 0, 0]],
      output_layers: [['d2', 0, 0]],
    },
  },
};

/** Half precision of 1, -2, 0.5. */
const HALVES = Uint8Array.of(0x00, 0x3c, 0x00, 0xc0, 0x00, 0x38);
const f32 = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const u16 = (...values: number[]): Uint8Array => new Uint8Array(Uint16Array.from(values).buffer);
const weight = (name: string, shape: number[], quantization?: object): object => ({
  ...{ name, shape, dtype: 'float32' },
  ...(quantization ? { quantization } : {}),
});
const MANIFEST = [
  {
    paths: ['group1-shard1of2.bin', 'group1-shard2of2.bin'],
    weights: [
      weight('dw/depthwise_kernel', [1, 1, 1, 2], { dtype: 'uint8', scale: 0.5, min: -1, original_dtype: 'float32' }),
      weight('dw/bias', [2]),
      weight('d1/kernel', [2, 3], { dtype: 'uint16', scale: 0.001, min: -2, original_dtype: 'float32' }),
    ],
  },
  {
    paths: ['group2-shard1of1.bin'],
    weights: [
      weight('d1/bias', [3], { dtype: 'float16', original_dtype: 'float32' }),
      weight('d2/kernel', [3, 2]),
      weight('d2/bias', [2]),
    ],
  },
];
const GROUP1 = Buffer.concat([Uint8Array.of(4, 0), f32(0.25, 4), u16(3000, 1000, 2000, 2500, 0, 4000)]);
const GROUP2 = Buffer.concat([HALVES, f32(1, 2, 3, 4, 5, 6, 0.5, -100)]);

async function write(name: string, changes: object = {}): Promise<string> {
  const target = path.join(folder, `${name}.json`);
  const json = { format: 'layers-model', modelTopology: TOPOLOGY, weightsManifest: MANIFEST, ...changes };
  await writeFile(target, JSON.stringify(json));
  // The border between the shards lies inside a number.
  await writeFile(path.join(folder, 'group1-shard1of2.bin'), GROUP1.subarray(0, 5));
  await writeFile(path.join(folder, 'group1-shard2of2.bin'), GROUP1.subarray(5));
  await writeFile(path.join(folder, 'group2-shard1of1.bin'), GROUP2);
  return target;
}

describe('a tfjs layers-model', () => {
  it('of Keras 2.2.4, with shards and quantised weights', async () => {
    const model = await loadModel<Model>(await write('model'));
    const values = new Map(model.weights.map((w) => [w.name, Array.from(w.dataSync(), (v) => Math.fround(v))]));
    expect(values.get('dw/kernel')).toEqual([1, -1]);
    expect(values.get('dw/bias')).toEqual([0.25, 4]);
    expect(values.get('d1/kernel')).toEqual([1, -1, 0, 0.5, -2, 2].map(Math.fround));
    expect(values.get('d1/bias')).toEqual([1, -2, 0.5]);
    // Mean m of the image: features m + 0.25 and 4 - m; the head by hand for m = 1.
    const [f, g] = [1.25, 3];
    const h = [f + g * 0.5 + 1, -f - 2 * g - 2, 2 * g + 0.5].map((v) => (v > 0 ? v : 0.5 * v));
    const y = [h[0]! + 3 * h[1]! + 5 * h[2]! + 0.5, 2 * h[0]! + 4 * h[1]! + 6 * h[2]! - 100].map((v) => Math.max(0, v));
    const x = [Array.from({ length: 4 }, () => Array.from({ length: 4 }, () => [1]))];
    const received = await ((await model.predict(x)) as Tensor).data();
    received.forEach((v, i) => expect(v).toBeCloseTo(y[i]!, 4));
  });

  it('weights alone, into a model', async () => {
    const file = await write('model');
    const model = await loadModel<Model>(file);
    const before = await model.getWeights();
    model.setWeights(before.map((w) => w.map((v) => v + 1)));
    expect((await loadWeights(model, file)).matched.length).toBe(6);
    expect(await model.getWeights()).toEqual(before);
  });

  const changed = (weights: object[]): object => ({ weightsManifest: [{ ...MANIFEST[0], weights }, MANIFEST[1]] });
  it.each<[string, object, RegExp]>([
    ['missing bytes', changed([...MANIFEST[0]!.weights, weight('x', [1])]), /expected 26 bytes .* received 22/],
    ['an absurd size', changed([weight('x', [2 ** 40, 2 ** 40])]), /absurd/],
    ['a size beyond the files', changed([weight('x', [2 ** 40])]), /truncated/],
    ['text', changed([{ name: 'x', shape: [1], dtype: 'string' }]), /"x".*"string"/],
    [
      'a shard elsewhere',
      { weightsManifest: [{ paths: ['../../etc/passwd'], weights: [] }] },
      /expected shards beside it/,
    ],
    [
      'a shard on the net',
      { weightsManifest: [{ paths: ['http://host/x.bin'], weights: [] }] },
      /expected shards beside it/,
    ],
    [
      'a shard that is not there',
      { weightsManifest: [{ paths: ['none.bin'], weights: [] }] },
      /cannot read its weights/,
    ],
    ['no manifest', { weightsManifest: null }, /expected a weightsManifest/],
    ['a graph-model', { format: 'graph-model' }, /received a graph-model/],
    ['no topology', { modelTopology: null }, /expected a modelTopology/],
    ['weights of another model', changed([weight('dw/bias', [22])]), /ERR|expected/],
  ])('refuses %s', async (_, changes, message) => {
    await expect(loadModel(await write('broken', changes))).rejects.toThrow(message);
  });

  it('lists all layers that it does not know', async () => {
    const layersOf = TOPOLOGY.model_config.config.layers.map((layer) =>
      'name' in layer && layer.name === 'dw' ? { ...layer, class_name: 'Swirl' } : layer,
    );
    const more = { class_name: 'Twist', name: 't', config: { name: 't' }, inbound_nodes: [[['d2', 0, 0]]] };
    const config = { ...TOPOLOGY.model_config.config, layers: [...layersOf, more] };
    const file = await write('unknown', { modelTopology: { class_name: 'Model', config } });
    await expect(loadModel(file)).rejects.toThrow(/Swirl \("dw"\), Twist \("t"\)/);
  });
});
