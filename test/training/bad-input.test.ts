import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  compile,
  data,
  FoveaError,
  layers,
  loadModel,
  ops,
  optimizers,
  Sequential,
  setDevice,
  tensor,
  writeSafetensors,
  zeros,
  type Tensor,
} from '../../lib/index.js';
import { testDevices } from '../support/devices.js';

/**
 * Bad input of every kind ends in a FoveaError that names the op or layer, what was expected and what was received, and
 * leaves process and model as they were: after each case the same model trains a step and predicts.
 */
const present = testDevices();

describe.each(present)('bad input on %s', (device) => {
  let folder: string;
  let model: Sequential;
  const x = { data: new Float32Array(8 * 36).fill(0.5), shape: [8, 6, 6, 1] };
  const y = { data: Int32Array.from([0, 1, 2, 0, 1, 2, 0, 1]), shape: [8] };

  beforeAll(async () => {
    setDevice(device);
    folder = await mkdtemp(path.join(os.tmpdir(), 'fovea-bad-'));
    model = new Sequential([
      layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [6, 6, 1], name: 'stem' }),
      layers.flatten(),
      layers.dense({ units: 3, activation: 'softmax', name: 'head' }),
    ]);
    model.compile({
      optimizer: optimizers.sgd({ learningRate: 0.1 }),
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy'],
    });
    await model.save(path.join(folder, 'good'));
  });
  afterAll(async () => {
    setDevice('reference');
    await rm(folder, { recursive: true, force: true });
  });

  /** Saves the model and changes one of its files. */
  async function damaged(name: string, file: string, change: (target: string) => Promise<void>): Promise<string> {
    const target = path.join(folder, name);
    await model.save(target);
    // model.json counts where the weights do not hold the architecture themselves.
    if (file === 'model.json') await writeSafetensors(path.join(target, 'weights.safetensors'), new Map());
    await change(path.join(target, file));
    return target;
  }

  const cases: [string, () => unknown, RegExp][] = [
    ['a wrong shape', () => model.predict(zeros([2, 6, 5, 1])), /received .*6,5,1/s],
    ['a wrong rank', () => model.predict(zeros([2, 36])), /received .*2,36/s],
    [
      'channels that do not fit the kernel',
      () => ops.conv2d(zeros([1, 4, 4, 3]), zeros([3, 3, 4, 8])),
      /conv2d.*4 channels.*received \[1,4,4,3\]/s,
    ],
    [
      'a window larger than the image',
      () => ops.maxPool2d(zeros([1, 2, 2, 1]), { poolSize: 3 }),
      /maxPool2d.*expected.*received 2x2/s,
    ],
    [
      'shapes that do not broadcast',
      () => ops.add(zeros([2]), zeros([3])),
      /add.*expected shapes that broadcast, received \[2\] and \[3\]/s,
    ],
    [
      'a wrong dtype',
      () => ops.matmul(zeros([2, 2], { dtype: 'int32' }), zeros([2, 2])),
      /matmul.*float32, received int32/s,
    ],
    [
      'labels that are not whole',
      () => tensor([0.5], [1], { dtype: 'int32' }),
      /expected whole numbers.*received 0.5/s,
    ],
    [
      'an unknown option',
      () => layers.conv2d({ filters: 4, kernelSize: 3, pading: 'same' } as never),
      /conv2d.*'pading'/s,
    ],
    ['no filters', () => layers.conv2d({ filters: 0, kernelSize: 3 }), /conv2d.*filters.*received 0/s],
    ['a dropout rate of 1.5', () => layers.dropout({ rate: 1.5 }), /dropout.*rate.*received 1.5/s],
    ['an unknown loss', () => model.compile({ optimizer: 'sgd', loss: 'crossentropy' }), /crossentropy/],
    ['an unknown optimizer', () => model.compile({ optimizer: 'sdg', loss: 'meanSquaredError' }), /sdg/],
    ['a NaN learning rate', () => optimizers.adam({ learningRate: NaN }), /learningRate.*received NaN/s],
    ['a negative learning rate', () => optimizers.sgd({ learningRate: -1 }), /learningRate.*received -1/s],
    [
      'a label out of range',
      () => model.trainOnBatch(x, { data: Int32Array.from([0, 1, 2, 3, 0, 1, 2, 0]), shape: [8] }),
      /label 3 in row 3/,
    ],
    [
      'x and y of different lengths',
      () => model.fit(x, { data: y.data.slice(0, 7), shape: [7] }, { verbose: 0 }),
      /8.*7|7.*8/s,
    ],
    [
      'an empty dataset',
      () =>
        model.fit(
          data.fromGenerator(() => []),
          { verbose: 0 },
        ),
      /empty|no batch|none/i,
    ],
    [
      'a generator that throws',
      () =>
        model.fit(
          data.fromGenerator(() => {
            throw new Error('disk on fire');
          }),
          { verbose: 0 },
        ),
      /disk on fire/,
    ],
    [
      'a disposed tensor',
      () => {
        const t = zeros([2]);
        t.dispose();
        return t.add(1);
      },
      /disposed/,
    ],
    ['a tensor that does not fit memory', () => zeros([2 ** 20, 2 ** 20]), /./],
    [
      'a batch that does not fit memory',
      () => compile((t: Tensor) => ops.softmax(ops.broadcastTo(t, [2 ** 20, 2 ** 21])))(zeros([1, 1])).data(),
      /./,
    ],
    ['a file that is not there', () => loadModel(path.join(folder, 'missing')), /missing/],
    [
      'weights cut short',
      async () => loadModel(await damaged('short', 'weights.safetensors', (f) => truncate(f, 100))),
      /weights\.safetensors/,
    ],
    [
      'weights that are no safetensors',
      async () => loadModel(await damaged('junk', 'weights.safetensors', (f) => writeFile(f, 'not weights at all'))),
      /weights\.safetensors/,
    ],
    [
      'an architecture that is no JSON',
      async () => loadModel(await damaged('json', 'model.json', (f) => writeFile(f, '{"className":'))),
      /model\.json/,
    ],
    [
      'a layer nobody knows',
      async () =>
        loadModel(
          await damaged('layer', 'model.json', async (f) =>
            writeFile(f, (await readFile(f, 'utf8')).replaceAll('Conv2D', 'Conv9D')),
          ),
        ),
      /Conv9D/,
    ],
    [
      'an IDX file that is cut short',
      async () => {
        const f = path.join(folder, 'a.idx');
        await writeFile(f, Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 9, 1]));
        return data.readIdx(f);
      },
      /a\.idx/,
    ],
  ];

  test.each(cases)('%s', async (_name, act, message) => {
    let error: unknown;
    try {
      await act();
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(FoveaError);
    const { message: text, code } = error as FoveaError;
    expect(text).toMatch(message);
    expect(code).toMatch(/^ERR_/);
    // The model goes on; a failed step does not count.
    await new Promise((resolve) => setImmediate(resolve));
    const before = model.optimizer?.iterations;
    const { loss } = await model.trainOnBatch(x, y);
    expect(loss).toBeGreaterThan(0);
    expect(model.optimizer?.iterations).toBe(before! + 1);
  });
});
