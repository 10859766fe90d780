import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backendOf } from '../../lib/backends/registry.js';
import { layers, loadModel, saveModel, Sequential, zeros, type Tensor } from '../../lib/index.js';
import { assignWeights, loadWeights, saveWeights } from '../../lib/weights/model-weights.js';
import { ShardedSafetensors, writeShardedSafetensors } from '../../lib/weights/safetensors-shards.js';
import { SafetensorsWeights } from '../../lib/weights/safetensors-weights.js';
import { SafetensorsFile, writeSafetensors, type NamedArray } from '../../lib/weights/safetensors.js';
import { describeEachDevice } from '../support/each-device.js';

const LARGE = 300_001; // More than one page, and no whole number of them.
const tensors = new Map<string, NamedArray>([
  ['large', { dtype: 'float32', shape: [LARGE], data: Float32Array.from({ length: LARGE }, (_, i) => i / 7) }],
  ['special', { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1.5, -0, NaN, Infinity) }],
  ['scalar', { dtype: 'float32', shape: [], data: Float32Array.of(Math.PI) }],
  ['empty', { dtype: 'float32', shape: [0, 3], data: new Float32Array() }],
  ['integers', { dtype: 'int32', shape: [2], data: Int32Array.of(-(2 ** 31), 7) }],
  ['bytes', { dtype: 'uint8', shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ['narrow', { dtype: 'bfloat16', shape: [1], data: Float32Array.of(2) }],
  ['truths', { dtype: 'bool', shape: [1], data: Uint8Array.of(1) }],
]);
const AS_STORED = ['large', 'special', 'scalar', 'empty', 'integers', 'bytes'];

let folder = '';
let file = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-load-'));
  file = path.join(folder, 'all.safetensors');
  await writeSafetensors(file, tensors);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Lets what waits for the engine and its messages happen. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 1));
}

describeEachDevice('tensors of a file that the device reads itself', (device) => {
  const reads = backendOf(device).loadBuffer !== undefined;
  const bytes = (): number => backendOf(device).memory().bytes;

  it.runIf(device === 'reference')('are none where it does not: the host reads', async () => {
    await using opened = await SafetensorsFile.open(file);
    opened.loadAhead(device);
    expect(opened.load('large', 'float32', device)).toBeUndefined();
    expect((await opened.read('large')).data).toEqual(tensors.get('large')!.data);
  });

  describe.runIf(reads)('where it does', () => {
    it.each([false, true])('are those that the host reads, ahead: %s', async (ahead) => {
      await using opened = await SafetensorsFile.open(file);
      if (ahead) opened.loadAhead(device);
      // The second time it is not there yet.
      for (const name of [...AS_STORED, ...AS_STORED]) {
        const { dtype, shape, data } = tensors.get(name)!;
        using tensor = (await opened.load(name, dtype, device))!;
        expect([tensor.dtype, tensor.shape, tensor.device], name).toEqual([dtype, shape, device]);
        expect(await tensor.data(), name).toEqual(data);
        expect(await opened.read(name), name).toEqual({ dtype, shape, data });
      }
    });

    it('are left to the host in other types, and where there is none of the name', async () => {
      await using opened = await SafetensorsFile.open(file);
      expect(opened.load('narrow', 'float32', device)).toBeUndefined();
      expect(opened.load('truths', 'bool', device)).toBeUndefined();
      expect(opened.load('large', 'int32', device)).toBeUndefined();
      expect(opened.load('nothing', 'float32', device)).toBeUndefined();
    });

    it('come from the file of several that has them', async () => {
      const index = await writeShardedSafetensors(path.join(folder, 'shards.safetensors'), tensors, 1000);
      await using opened = await ShardedSafetensors.open(index);
      using tensor = (await opened.load('special', 'float32', device))!;
      expect(await tensor.data()).toEqual(tensors.get('special')!.data);
      expect(opened.load('nothing', 'float32', device)).toBeUndefined();
    });

    it('are given back when nobody asks for them, with the file closed at once', async () => {
      const before = bytes();
      const opened = await SafetensorsFile.open(file);
      opened.loadAhead(device);
      await opened.close();
      await settle();
      expect(bytes()).toBe(before);
    });

    it('that the file no longer has are an error for who asks: it names file and tensor, and nothing is kept', async () => {
      const short = path.join(folder, 'short.safetensors');
      await writeSafetensors(short, tensors);
      await using opened = await SafetensorsFile.open(short);
      await truncate(short, 8192);
      const before = bytes();
      opened.loadAhead(device);
      await settle(); // An unhandled rejection would fail the test here.
      for (let i = 0; i < 2; i++) {
        const error: unknown = await opened.load('large', 'float32', device)!.catch((reason: unknown) => reason);
        expect(error).toMatchObject({ code: 'ERR_FILE' });
        expect((error as Error).message).toMatch(
          /short\.safetensors: tensor "large": expected \d+ bytes at \d+, received/,
        );
      }
      await opened.close();
      await settle();
      expect(bytes()).toBe(before);
    });
  });

  it('are the weights of a model that is loaded, and leave nothing behind', async () => {
    const make = (): Sequential =>
      new Sequential([
        layers.input({ shape: [50] }),
        layers.dense({ units: 40, name: 'a' }),
        layers.dense({ units: 3, name: 'b' }),
      ]);
    const model = make();
    const target = path.join(folder, `model-${device.replace(':', '-')}`);
    await saveModel(model, target);
    await saveWeights(model, path.join(folder, 'own.safetensors'));
    const values = await Promise.all(model.weights.map((weight) => weight.data()));

    const loaded = await loadModel<Sequential>(target);
    expect(await Promise.all(loaded.weights.map((weight) => weight.data()))).toEqual(values);
    expect(loaded.weights.map((weight) => weight.device)).toEqual(values.map(() => device));
    using predicted = (await loaded.predict(zeros([1, 50]))) as Tensor;
    expect(predicted.shape).toEqual([1, 3]);

    const other = make();
    await loadWeights(other, path.join(folder, 'own.safetensors'));
    const before = bytes();
    for (let i = 0; i < 3; i++) await loadWeights(other, path.join(folder, 'own.safetensors'));
    expect(await Promise.all(other.weights.map((weight) => weight.data()))).toEqual(values);
    expect(bytes()).toBe(before);
  });

  it('change no weight of a model when one of them cannot be read', async () => {
    const model = new Sequential([
      layers.input({ shape: [50] }),
      layers.dense({ units: 400 }),
      layers.dense({ units: 3 }),
    ]);
    const short = path.join(folder, 'cut.safetensors');
    await saveWeights(model, short);
    const values = await Promise.all(model.weights.map((weight) => weight.data()));
    for (const weight of model.weights) weight.assign(zeros(weight.shape));
    const before = bytes();
    await using opened = await SafetensorsFile.open(short);
    await truncate(short, 60_000);
    await expect(assignWeights(new SafetensorsWeights(opened), model)).rejects.toMatchObject({ code: 'ERR_FILE' });
    for (const weight of model.weights) expect((await weight.data()).every((value) => value === 0)).toBe(true);
    expect(values[0]!.some((value) => value !== 0)).toBe(true);
    await settle();
    if (device !== 'reference') expect(bytes()).toBe(before);
  });
});
