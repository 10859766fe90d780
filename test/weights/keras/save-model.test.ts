import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unzipSync } from 'fflate';
import {
  input,
  layers,
  loadModel,
  Model,
  saveModel,
  saveWeights,
  Sequential,
  tensor,
  type SymbolicTensor,
  type Tensor,
} from '../../../lib/index.js';
import { Hdf5Dataset, Hdf5File } from '../../../lib/weights/hdf5/file.js';
import { fixtures, goldenFile, outputError, registerResidualUnit, wrongWeights } from './support.js';

let folder = '';
beforeAll(async () => {
  registerResidualUnit();
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-keras-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface LayerJson {
  readonly class_name: string;
  readonly module: string;
  readonly registered_name: string | null;
  readonly config: Readonly<Record<string, unknown>> & { readonly layers?: readonly LayerJson[] };
  readonly inbound_nodes?: unknown;
}

/** What Keras writes besides: numbers that differ from run to run, and options with their usual value. */
const BY_KERAS_ONLY = new Set(['shared_object_id', 'build_config', 'compile_config', 'optional', 'mask']);
const USUAL = new Set([
  ...['data_format', 'activity_regularizer', 'kernel_constraint', 'bias_constraint', 'depthwise_constraint', 'renorm'],
  ...['pointwise_constraint', 'beta_constraint', 'gamma_constraint', 'quantization_config', 'synchronized', 'groups'],
  ...['renorm_clipping', 'renorm_momentum', 'input_axes', 'output_axes'],
]);

/** The configuration without those. */
function essence(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(essence);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key, inner]) => !BY_KERAS_ONLY.has(key) && !USUAL.has(key) && !(key === 'seed' && inner === null),
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, essence(inner)]));
}

async function configOf(file: string): Promise<LayerJson> {
  const entries = unzipSync(await readFile(file));
  return JSON.parse(new TextDecoder().decode(entries['config.json'])) as LayerJson;
}

/** Datasets with their types and shapes, and the names that groups bear. */
function structure(file: Hdf5File): Record<string, unknown> {
  const objects = [...file.walk()].filter(({ path: at }) => !/optimizer/.test(at));
  return Object.fromEntries(
    objects.map((object) => [
      object.path,
      object instanceof Hdf5Dataset
        ? [object.type.name, object.shape]
        : [...object.attributes]
            .filter(([name]) => !/config|version/.test(name))
            .map(([name, { data }]) => [name, data]),
    ]),
  );
}

describe.each(fixtures.map((fixture) => [fixture.model, fixture] as const))('%s', (_, fixture) => {
  it('.keras: files, configuration and groups as Keras writes them', async () => {
    const target = path.join(folder, `${fixture.model}.keras`);
    await saveModel(await loadModel(goldenFile(fixture.files.keras)), target);
    expect(Object.keys(unzipSync(await readFile(target)))).toEqual([
      'metadata.json',
      'config.json',
      'model.weights.h5',
    ]);
    const [ours, theirs] = await Promise.all([configOf(target), configOf(goldenFile(fixture.files.keras))]);
    expect(essence(dropped(ours))).toEqual(essence(dropped(theirs)));
    const weights = (bytes: Uint8Array): Hdf5File =>
      Hdf5File.fromBytes('model.weights.h5', unzipSync(bytes)['model.weights.h5']!);
    const [a, b] = await Promise.all(
      [target, goldenFile(fixture.files.keras)].map(async (f) => weights(await readFile(f))),
    );
    expect(structure(a!)).toEqual(structure(b!));
    const again = await loadModel<Model>(target);
    expect(await wrongWeights(again, fixture)).toEqual([]);
    expect(await outputError(again, fixture)).toBeLessThan(1e-6);
  });

  it('.weights.h5 and .h5: groups as Keras writes them', async () => {
    const model = await loadModel<Model>(goldenFile(fixture.files.keras));
    const weights = path.join(folder, `${fixture.model}.weights.h5`);
    await saveWeights(model, weights);
    await using ours = await Hdf5File.open(weights);
    await using theirs = await Hdf5File.open(goldenFile(fixture.files.weights));
    expect(structure(ours)).toEqual(structure(theirs));
    const whole = path.join(folder, `${fixture.model}.h5`);
    await model.save(whole);
    const again = await loadModel<Model>(whole);
    expect(await wrongWeights(again, fixture)).toEqual([]);
    expect(await outputError(again, fixture)).toBeLessThan(1e-6);
    await using old = await Hdf5File.open(whole);
    expect([...old.root.attributes.keys()].sort()).toEqual(['backend', 'keras_version', 'model_config']);
  });
});

/** Without what does not come back from a file: where the user's layer was defined. */
function dropped(json: LayerJson): LayerJson {
  const config = json.config.layers ? { ...json.config, layers: json.config.layers.map(dropped) } : json.config;
  const module = json.registered_name?.includes('>') ? '' : json.module;
  return { ...json, config, module };
}

describe('what is not in the fixtures', () => {
  it('a model that is used twice, one in the other, nodes in inference mode, several inputs and outputs', async () => {
    const inner = new Sequential([layers.dense({ units: 4, inputShape: [4] }), layers.dropout({ rate: 0.5 })]);
    const innerInput = input({ shape: [4] });
    const sum = layers.add().apply<SymbolicTensor>([innerInput, layers.dense({ units: 4 }).apply(innerInput)]);
    const graph = new Model({ inputs: innerInput, outputs: sum });
    const [a, b] = [input({ shape: [4], name: 'a' }), input({ shape: [4], name: 'b' })];
    const twice = graph.apply(graph.apply(inner.apply(a)));
    const both = layers.concatenate().apply([twice, graph.apply(b)]);
    const outputs = { probs: layers.dense({ units: 2 }).apply(both), last: graph.apply(inner.apply(b)) };
    const model = new Model({ inputs: [a, b], outputs });
    const data = [tensor([[1, 2, 3, 4]]), tensor([[5, 6, 7, 8]])];
    const expected = (await model.predict(data)) as unknown as Record<string, Tensor>;
    for (const end of ['.keras', '.h5']) {
      const target = path.join(folder, `nested${end}`);
      await model.save(target);
      const again = await loadModel<Model>(target);
      const received = (await again.predict(data)) as unknown as Record<string, Tensor>;
      for (const name of ['probs', 'last']) expect(await received[name]!.data()).toEqual(await expected[name]!.data());
    }
  });

  it('refuses paddings that Keras has no words for, and leaves the file that was there', async () => {
    const target = path.join(folder, 'kept.keras');
    const good = new Sequential([layers.dense({ units: 1, inputShape: [1] })]);
    await good.save(target);
    const before = await readFile(target);
    const conv = layers.conv2d({
      filters: 1,
      kernelSize: 3,
      padding: [1, 0, 1, 0],
      inputShape: [5, 5, 1],
      name: 'odd',
    });
    await expect(new Sequential([conv]).save(target)).rejects.toThrow(/"odd".*no padding \[1,0,1,0\].*zeroPadding2d/);
    expect(await readFile(target)).toEqual(before);
    await expect(good.save(path.join(folder, 'x.weights.h5'))).rejects.toThrow('saveWeights');
    await expect(good.saveWeights(path.join(folder, 'x.h5'))).rejects.toThrow('.weights.h5 or .safetensors');
  });
});
