import { beforeAll, describe, expect, it } from 'vitest';
import { data, layers, losses, ops, optimizers, Sequential, setRandomSeed, type Tensor } from '../../lib/index.js';
import { stateOf } from '../../lib/training/trainer-state.js';
import { linear, scores, sgd, smallCnn, spots } from './support.js';

beforeAll(() => setRandomSeed(3));

function compiled(): Sequential {
  const model = smallCnn();
  model.compile({ optimizer: sgd(), loss: scores(), metrics: ['accuracy'] });
  return model;
}

const iterations = (model: Sequential): number => stateOf(model).compiled!.optimizer.iterations;
const { x, y } = spots(12);
const quiet = { verbose: 0 } as const;

describe('bad input names what is wrong, and the model stays usable', () => {
  it.each<[name: string, act: (model: Sequential) => Promise<unknown>, message: RegExp]>([
    [
      'x and y of different lengths',
      (m) => m.fit(x, y.subarray(0, 10), quiet),
      /x and y of the same length, received 12 and 10/,
    ],
    [
      'weights of another length',
      (m) => m.fit(x, y, { ...quiet, sampleWeight: [1, 2] }),
      /x and sampleWeight of the same length/,
    ],
    [
      'data without an end',
      (m) => m.fit(data.fromArrays(x, y).repeat().batch(4), quiet),
      /expected stepsPerEpoch with an infinite dataset/,
    ],
    [
      'validation without an end',
      (m) => m.fit(x, y, { ...quiet, validationData: data.fromArrays(x, y).batch(4).repeat() }),
      /expected validationSteps with an infinite dataset/,
    ],
    [
      '0 steps',
      (m) => m.evaluate(data.fromArrays(x, y).batch(4), { ...quiet, steps: 0 }),
      /steps to be a whole number/,
    ],
    ['y left out', (m) => m.fit(...([x] as unknown as [typeof x, typeof y])), /expected a dataset, or x and y/],
    [
      'images of another size',
      (m) => m.fit({ data: new Float32Array(50), shape: [2, 5, 5, 1] }, [0, 1], quiet),
      /\[.*6,6,1\].*\[2,5,5,1\]/s,
    ],
    ['a rank too few', (m) => m.fit({ data: new Float32Array(72), shape: [2, 36] }, [0, 1], quiet), /\[2,36\]/],
    ['targets of another shape', (m) => m.fit(x, { data: new Float32Array(36), shape: [12, 3] }, quiet), /\[12,3\]/],
    [
      'no data',
      (m) => m.fit({ data: new Float32Array(0), shape: [0, 6, 6, 1] }, new Int32Array(0), quiet),
      /empty dataset/,
    ],
    [
      'an empty dataset',
      (m) => m.fit(data.fromArrays(x, y).take(0).batch(4), quiet),
      /fit: expected data with at least one batch/,
    ],
    [
      'nothing to validate',
      (m) => m.fit(x, y, { ...quiet, validationData: data.fromArrays(x, y).take(0).batch(4) }),
      /validation.*empty dataset/,
    ],
    ['batches without targets', (m) => m.fit(data.fromArrays(x).batch(4), quiet), /expected batches \[x, y\]/],
    [
      'batches of texts',
      (m) =>
        m.fit(
          data.fromGenerator(() => [['a', 'b']]),
          quiet,
        ),
      /expected x to be a tensor, received the string/,
    ],
    [
      'a batch size with a dataset',
      (m) => m.fit(data.fromArrays(x, y).batch(4), { ...quiet, batchSize: 2 }),
      /batchSize with data in memory only/,
    ],
    [
      'a split of a dataset',
      (m) => m.fit(data.fromArrays(x, y).batch(4), { ...quiet, validationSplit: 0.5 }),
      /validationSplit with data in memory only/,
    ],
    ['a split of everything', (m) => m.fit(x, y, { ...quiet, validationSplit: 0.99 }), /leave something to train on/],
    ['a split above 1', (m) => m.fit(x, y, { ...quiet, validationSplit: 1.5 }), /from 0 up to 1, received 1.5/],
    [
      'a batch size of 0',
      (m) => m.fit(x, y, { ...quiet, batchSize: 0 }),
      /batchSize to be a whole number of at least 1, received 0/,
    ],
    ['NaN epochs', (m) => m.fit(x, y, { ...quiet, epochs: NaN }), /epochs.*NaN/],
    [
      'a dataset that throws',
      (m) =>
        m.fit(
          data
            .fromArrays(x, y)
            .map(() => {
              throw new Error('disk on fire');
            })
            .batch(4),
          quiet,
        ),
      /disk on fire/,
    ],
  ])('%s', async (name, act, message) => {
    const model = compiled();
    await expect(act(model)).rejects.toThrow(message);
    await expect(act(model)).rejects.toMatchObject({ name: 'FoveaError' });
    await model.fit(x, y, quiet);
    // Where training went well and validation did not, its steps count.
    expect(iterations(model)).toBe(name === 'nothing to validate' ? 3 : 1);
  });

  it('labels out of range: the kernel names row and label; the failed step counts for nothing', async () => {
    const model = compiled();
    const before = await model.getWeights();
    const bad = Int32Array.from(y);
    bad[3] = 7;
    await expect(model.fit(x, bad, { ...quiet, shuffle: false })).rejects.toThrow(/label 7.*3|3.*label 7/);
    expect(await model.getWeights()).toEqual(before);
    expect(iterations(model)).toBe(0);
    await expect(model.evaluate(x, bad, quiet)).rejects.toMatchObject({ name: 'FoveaError' });
    expect(Number.isFinite((await model.fit(x, y, quiet)).last['loss'])).toBe(true);
    expect(iterations(model)).toBe(1);
  });

  it('an error of a callback ends training; another begins as if nothing had been', async () => {
    const model = compiled();
    const { LambdaCallback } = await import('../../lib/index.js');
    const failing = new LambdaCallback({
      onTrainBatchEnd: () => {
        throw new Error('mine');
      },
    });
    await expect(model.fit(x, y, { ...quiet, callbacks: [failing] })).rejects.toThrow('mine');
    await model.fit(x, y, quiet);
  });

  it('a learning rate that is no number', async () => {
    const model = compiled();
    expect(() => optimizers.adam({ learningRate: NaN })).toThrow(/learningRate.*NaN/);
    expect(() => (stateOf(model).compiled!.optimizer.learningRate = NaN)).toThrow(/NaN/);
    await model.fit(x, y, quiet);
  });

  it('two trainings of one model at once', async () => {
    const model = compiled();
    const first = model.fit(x, y, { ...quiet, epochs: 3 });
    await expect(model.fit(x, y, quiet)).rejects.toThrow(/one training of a model at a time/);
    await first;
  });

  it('names that compile does not know', () => {
    const model = smallCnn();
    expect(() => model.compile({ optimizer: 'sgdd', loss: 'mse' })).toThrow(/sgdd/);
    expect(() => model.compile({ optimizer: 'sgd', loss: 'msee' })).toThrow(/msee/);
    expect(() => model.compile({ optimizer: 'sgd', loss: 'mse', metrics: ['acuracy'] })).toThrow(/acuracy/);
    expect(() => model.compile({} as never)).toThrow(/expected an optimizer/);
  });

  it('a loss that is no number, none at all, or a metric of another shape', async () => {
    const model = linear([1]);
    model.compile({ optimizer: 'sgd' });
    await expect(model.fit([[1]], [[1]], quiet)).rejects.toThrow(/expected a loss/);
    model.compile({ optimizer: 'sgd', loss: losses.meanSquaredError({ reduction: 'none' }) });
    await expect(model.fit([[1]], [[1]], quiet)).rejects.toThrow(/expected a loss that is one number/);
    model.compile({ optimizer: 'sgd', loss: (t: Tensor, p: Tensor) => ops.add(t, p) });
    await expect(
      model.fit(
        [[1], [2]],
        [
          [1, 2, 3],
          [1, 2, 3],
        ],
        { ...quiet, sampleWeight: [[1, 2]] as never },
      ),
    ).rejects.toThrow();
    const frozen = new Sequential([layers.dense({ units: 1, inputShape: [1], trainable: false })]);
    frozen.compile({ optimizer: 'sgd', loss: 'mse' });
    await frozen.fit([[1]], [[1]], quiet); // warns that there is nothing to train
  });
});
