import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  input,
  Layer,
  layers,
  loadModel,
  loadWeights,
  Model,
  saveModel,
  saveWeights,
  Sequential,
  type Tensor,
} from '../../lib/index.js';
import { smallCnn, spots } from '../training/support.js';

let folder = '';
beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'fovea-model-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A layer that only its user knows. */
class Halve extends Layer {
  call(x: Tensor): Tensor {
    return x.mul(0.5);
  }
}

describe('saveModel and loadModel', () => {
  it.each(['folder', 'file.safetensors'])('a model in a %s predicts the same', async (name) => {
    const model = smallCnn();
    const target = path.join(folder, 'deep', name);
    await saveModel(model, target);
    const loaded = await loadModel(target);
    expect(loaded).toBeInstanceOf(Sequential);
    expect(loaded.weights.map((w) => w.name)).toEqual(model.weights.map((w) => w.name));
    const { x } = spots(5);
    const both = (await Promise.all([model, loaded as Sequential].map((m) => m.predict(x)))) as Tensor[];
    expect(both[1]!.dataSync()).toEqual(both[0]!.dataSync());
  });

  it('writes a folder of two files, and over an older model', async () => {
    const target = path.join(folder, 'twice');
    await saveModel(smallCnn({ seed: 1 }), target);
    const second = smallCnn({ seed: 2, classes: 5 });
    await saveModel(second, target);
    expect((await readdir(target)).sort()).toEqual(['model.json', 'weights.safetensors']);
    const loaded = await loadModel(target);
    expect(await loaded.getWeights()).toEqual(await second.getWeights());
    expect(JSON.parse(await readFile(path.join(target, 'model.json'), 'utf8'))).toMatchObject({
      model: { className: 'Sequential' },
    });
  });

  it('a functional model, nested, with a layer of its user', async () => {
    const inner = new Sequential([layers.dense({ units: 3, inputShape: [4], name: 'inside' })], { name: 'inner' });
    const x = input({ shape: [4] });
    const y = layers.add({ name: 'sum' }).apply([inner.apply(x), new Halve({ name: 'half' }).apply(inner.apply(x))]);
    const model = new Model({ inputs: x, outputs: y as never });
    const target = path.join(folder, 'functional');
    await saveModel(model, target);
    const loaded = await loadModel<Model>(target, { Halve });
    const data = [[1, 2, 3, 4]];
    expect(((await loaded.predict(data)) as Tensor).dataSync()).toEqual(
      ((await model.predict(data)) as Tensor).dataSync(),
    );
    await expect(loadModel(target)).rejects.toThrow(/Halve/);
  });

  it('says what is wrong with a path or a file', async () => {
    await expect(loadModel(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    const weights = path.join(folder, 'only.safetensors');
    await saveWeights(smallCnn(), weights);
    await expect(loadModel(weights)).rejects.toThrow('weights without an architecture');
    const broken = path.join(folder, 'broken.safetensors');
    await writeFile(broken, '{"not": "a model"}');
    await expect(loadModel(broken)).rejects.toMatchObject({ code: 'ERR_FILE' });
  });
});

describe('saveWeights and loadWeights', () => {
  it('match by name and shape, and list every mismatch', async () => {
    const file = path.join(folder, 'w.safetensors');
    const model = smallCnn({ seed: 1 });
    await saveWeights(model, file);
    const same = smallCnn({ seed: 2 });
    await loadWeights(same, file);
    expect(await same.getWeights()).toEqual(await model.getWeights());
    const other = new Sequential([
      layers.conv2d({ name: 'conv', filters: 8, kernelSize: 3, inputShape: [6, 6, 1] }),
      layers.flatten(),
      layers.dense({ name: 'top', units: 3 }),
    ]);
    const before = await other.getWeights();
    const error = await loadWeights(other, file).catch((e: Error) => e);
    expect(error).toMatchObject({ code: 'ERR_SHAPE' });
    const text = (error as Error).message;
    for (const part of [
      'conv/kernel: expected [3,3,1,8], received [3,3,1,4]',
      'top/kernel',
      'bn/gamma [4]: not in the model',
    ]) {
      expect(text).toContain(part);
    }
    expect(await other.getWeights()).toEqual(before);
  });

  it('match by order where names differ', async () => {
    const make = (...names: string[]): Sequential =>
      new Sequential([
        layers.dense({ name: names[0]!, units: 2, inputShape: [2] }),
        layers.dense({ name: names[1]!, units: 2 }),
      ]);
    const [a, b] = [make('z', 'a'), make('one', 'two')];
    const file = path.join(folder, 'order.safetensors');
    await saveWeights(a, file);
    await expect(loadWeights(b, file)).rejects.toThrow('not in the file');
    await loadWeights(b, file, { byOrder: true });
    expect(await b.getWeights()).toEqual(await a.getWeights());
  });

  it('a model that is not built says so', async () => {
    const file = path.join(folder, 'unbuilt.safetensors');
    await saveWeights(smallCnn(), file);
    const unbuilt = new Sequential([layers.dense({ units: 2 })]);
    await expect(loadWeights(unbuilt, file)).rejects.toThrow('no weights before it is built');
  });
});
