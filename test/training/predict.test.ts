import { beforeAll, describe, expect, it } from 'vitest';
import { data, input, LambdaCallback, layers, Model, setRandomSeed, tensor, type Tensor } from '../../lib/index.js';
import { linear, scores, sgd, smallCnn, spots } from './support.js';

beforeAll(() => setRandomSeed(3));

const values = (tree: unknown): number[] => Array.from((tree as Tensor).dataSync());

describe('predict', () => {
  it('puts the outputs of batches together, whatever the data comes as', async () => {
    const model = linear([2, 1]);
    const rows = [
      [1, 0],
      [2, 0],
      [3, 1],
      [4, 1],
      [5, 2],
    ];
    const wanted = [2, 4, 7, 9, 12];
    const flat = Float32Array.from(rows.flat());
    for (const x of [rows, tensor(rows), { data: flat, shape: [5, 2] }, data.fromArrays(rows).batch(2)]) {
      const out = (await model.predict(x, { ...(x instanceof data.Dataset ? {} : { batchSize: 2 }) })) as Tensor;
      expect(out.shape).toEqual([5, 1]);
      expect(values(out)).toEqual(wanted);
    }
    const labelled = data.fromArrays(rows, [0, 0, 0, 0, 0]).batch(3);
    expect(values(await model.predict(labelled))).toEqual(wanted);
    expect(values(await model.predict(labelled, { steps: 1 }))).toEqual(wanted.slice(0, 3));
    expect(values(await model.predictOnBatch(rows))).toEqual(wanted);
  });

  it('is inference: no dropout, moving statistics, no compile, nothing changed', async () => {
    const model = smallCnn({ dropout: 0.9 });
    const { x } = spots(7);
    const before = await model.getWeights();
    const [once, twice] = [await model.predict(x, { batchSize: 3 }), await model.predict(x)];
    // Batches of another size may be computed in another order.
    values(twice).forEach((value, i) => expect(values(once)[i]).toBeCloseTo(value, 5));
    expect(values(await model.predict(x))).toEqual(values(twice));
    expect(await model.getWeights()).toEqual(before);
  });

  it('keeps the structure of several inputs and outputs', async () => {
    const [a, b] = [input({ shape: [1], name: 'a' }), input({ shape: [1], name: 'b' })];
    const model = new Model({
      inputs: { a, b },
      outputs: { sum: layers.add().apply([a, b]), product: layers.multiply().apply([a, b]) },
    });
    const parts = { a: [[1], [2], [3]], b: [[10], [20], [30]] };
    const out = (await model.predict(parts, { batchSize: 2 })) as { sum: Tensor; product: Tensor };
    expect(values(out.sum)).toEqual([11, 22, 33]);
    expect(values(out.product)).toEqual([10, 40, 90]);
    const list = new Model({ inputs: [a, b], outputs: layers.subtract().apply([a, b]) });
    expect(
      values(await list.predict([Float32Array.of(1, 2), Float32Array.of(5, 5)].map((d) => tensor(d, [2, 1])))),
    ).toEqual([-4, -3]);
  });

  it('refuses an empty dataset and what does not fit, and says so', async () => {
    const model = linear([2, 1]);
    await expect(
      model.predict(
        data
          .fromArrays([[1, 2]])
          .take(0)
          .batch(1),
      ),
    ).rejects.toThrow('predict: expected data with at least one batch');
    await expect(model.predict([[1, 2, 3]])).rejects.toThrow(/\[.*2\].*\[1,3\]/s);
    expect(values(await model.predict([[1, 2]]))).toEqual([4]);
  });
});

describe('evaluate', () => {
  it('measures without training, the same over batches of any size', async () => {
    const model = smallCnn();
    model.compile({ optimizer: sgd(), loss: scores(), metrics: ['accuracy'] });
    const { x, y } = spots(30);
    const before = await model.getWeights();
    const whole = await model.evaluate(x, y, { batchSize: 30, verbose: 0 });
    const parts = await model.evaluate(data.fromArrays(x, y).batch(7), { verbose: 0 });
    expect(parts['loss']).toBeCloseTo(whole['loss']!, 5);
    expect(parts['accuracy']).toBeCloseTo(whole['accuracy']!, 6);
    expect(await model.getWeights()).toEqual(before);
  });

  it('takes sample weights from a dataset, calls callbacks, and can be called by one while training', async () => {
    const model = linear([0]);
    model.compile({ optimizer: sgd(0), loss: 'mse' });
    const weighted = data.fromArrays([[1], [1]], [[1], [3]], [1, 0]).batch(2);
    const seen: number[] = [];
    const watch = new LambdaCallback({ onTestBatchEnd: (_, logs) => void seen.push(logs['loss']!) });
    expect(await model.evaluate(weighted, { verbose: 0, callbacks: [watch] })).toEqual({ loss: 0.5 });
    expect(seen).toEqual([0.5]);
    const inside = new LambdaCallback({
      onEpochEnd: async () => void seen.push((await model.evaluate(weighted, { verbose: 0 }))['loss']!),
    });
    const history = await model.fit(weighted, { epochs: 2, verbose: 0, callbacks: [inside] });
    expect(history.history['loss']).toEqual([0.5, 0.5]);
    expect(seen).toEqual([0.5, 0.5, 0.5]);
  });
});
