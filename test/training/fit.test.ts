import { beforeAll, describe, expect, it, vi } from 'vitest';
import {
  Callback,
  data,
  FoveaError,
  LambdaCallback,
  layers,
  Model,
  optimizers,
  ops,
  Sequential,
  setRandomSeed,
  tensor,
  input,
  type Tensor,
  callbacks,
} from '../../lib/index.js';
import { stateOf } from '../../lib/training/trainer-state.js';
import { linear, scores, sgd, smallCnn, spots, squares } from './support.js';

beforeAll(() => setRandomSeed(3));

/** Everything a callback hears, as text. */
class Recorder extends Callback {
  readonly calls: string[] = [];
  override onTrainBegin = (): void => void this.calls.push('trainBegin');
  override onTrainEnd = (): void => void this.calls.push('trainEnd');
  override onEpochBegin = (epoch: number): void => void this.calls.push(`epochBegin ${epoch}`);
  override onEpochEnd = (epoch: number): void => void this.calls.push(`epochEnd ${epoch}`);
  override onTrainBatchBegin = (batch: number): void => void this.calls.push(`batchBegin ${batch}`);
  override onTrainBatchEnd = (batch: number): void => void this.calls.push(`batchEnd ${batch}`);
  override onTestBegin = (): void => void this.calls.push('testBegin');
  override onTestEnd = (): void => void this.calls.push('testEnd');
  override onTestBatchEnd = (batch: number): void => void this.calls.push(`testBatchEnd ${batch}`);
}

describe('fit', () => {
  it('learns, from arrays and from a dataset', async () => {
    const { x, y } = spots(200);
    const model = smallCnn();
    model.compile({ optimizer: optimizers.adam({ learningRate: 0.01 }), loss: scores(), metrics: ['accuracy'] });
    const history = await model.fit(x, y, { epochs: 6, verbose: 0, validationSplit: 0.2 });
    expect(Object.keys(history.history).sort()).toEqual(['accuracy', 'loss', 'val_accuracy', 'val_loss']);
    expect(history.epoch).toEqual([0, 1, 2, 3, 4, 5]);
    expect(history.last['accuracy']).toBeGreaterThan(0.9);
    const more = await model.fit(data.fromArrays(x, y).shuffle(200).batch(25), { epochs: 1, verbose: 0 });
    expect(more.last['loss']).toBeLessThan(history.history['loss']![0]!);
  });

  it("reports the samples' mean over uneven batches, and trains once a batch", async () => {
    const model = linear([0]);
    const optimizer = sgd(0);
    model.compile({ optimizer, loss: squares });
    // Five samples in batches of two: losses 1, 4, 9, 16, 25.
    const history = await model.fit([[1], [1], [1], [1], [1]], [[1], [2], [3], [4], [5]], {
      ...{ batchSize: 2, shuffle: false, verbose: 0 },
    });
    expect(history.last['loss']).toBeCloseTo(55 / 5, 5);
    expect(optimizer.iterations).toBe(3);
  });

  it('divides weighted losses by the number of samples; metrics see weights only if asked to', async () => {
    const model = linear([0]);
    model.compile({ optimizer: sgd(0), loss: 'mse', metrics: ['mse'], weightedMetrics: ['mse'] });
    const logs = await model.evaluate([[1], [1]], [[1], [3]], { sampleWeight: [1, 3], verbose: 0 });
    expect(logs['loss']).toBeCloseTo((1 + 27) / 2, 5);
    expect(logs['mse']).toBeCloseTo((1 + 9) / 2, 5);
    expect(logs['mse_1']).toBeCloseTo((1 + 27) / 4, 5);
  });

  it('weighs classes, times sample weights, by number and one-hot', async () => {
    const model = smallCnn({ dropout: 0 });
    const { x, y } = spots(6);
    const classWeight = { 0: 2, 2: 0.5 };
    const weight = Float32Array.from(y, (label) => classWeight[label as 0 | 2] ?? 1);
    model.compile({ optimizer: sgd(0), loss: scores() });
    const byHand = await model.testOnBatch(x, y, { sampleWeight: weight });
    const byClass = await model.trainOnBatch(x, y, { classWeight, sampleWeight: new Float32Array(6).fill(2) });
    const plain = await model.trainOnBatch(x, y, { sampleWeight: weight.map((w) => 2 * w) });
    expect(byClass['loss']).toBeCloseTo(plain['loss']!, 5);
    expect(byHand['loss']).toBeGreaterThan(0);
    model.compile({ optimizer: sgd(0), loss: (t, p) => ops.softmaxCrossEntropy(p, t) });
    const oneHot = ops.oneHot(tensor(y), 3);
    const rows = await model.trainOnBatch(x, oneHot, { classWeight });
    model.compile({ optimizer: sgd(0), loss: scores() });
    const numbers = await model.trainOnBatch(x, y, { classWeight });
    expect(rows['loss']).toBeCloseTo(numbers['loss']!, 5);
  });

  it('adds the penalties of weights to the loss', async () => {
    const kernelRegularizer = { className: 'L2', config: { l2: 0.5 } };
    const model = new Sequential([layers.dense({ units: 1, useBias: false, kernelRegularizer, inputShape: [1] })]);
    model.setWeights([[[3]]]);
    model.compile({ optimizer: sgd(0), loss: 'mse' });
    expect((await model.trainOnBatch([[1]], [[3]]))['loss']).toBeCloseTo(4.5, 5);
    expect((await model.testOnBatch([[1]], [[3]]))['loss']).toBeCloseTo(4.5, 5);
  });

  it("calls callbacks in Keras's order", async () => {
    const { x, y } = spots(8);
    const model = smallCnn();
    model.compile({ optimizer: 'sgd', loss: scores() });
    const recorder = new Recorder();
    await model.fit(x, y, { batchSize: 4, epochs: 1, validationData: [x, y], verbose: 0, callbacks: [recorder] });
    expect(recorder.calls).toEqual(
      ['trainBegin', 'epochBegin 0', 'batchBegin 0', 'batchEnd 0', 'batchBegin 1', 'batchEnd 1'].concat(
        ...['testBegin', 'testBatchEnd 0', 'testBatchEnd 1', 'testEnd', 'epochEnd 0', 'trainEnd'],
      ),
    );
  });

  it('shows exactly the weights after a batch to a callback that looks at them', async () => {
    const model = linear([0]);
    model.compile({ optimizer: sgd(1), loss: (t, p) => ops.neg(ops.mean(p, { axes: -1 })) }); // the kernel grows by x
    const seen: number[] = [];
    const watch = new LambdaCallback({
      onTrainBatchEnd: async () => void seen.push((await model.weights[0]!.data())[0]!),
    });
    await model.fit([[1], [1], [1], [1]], [[0], [0], [0], [0]], { batchSize: 1, verbose: 0, callbacks: [watch] });
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it('stops after the batch in which a callback says so', async () => {
    const { x, y } = spots(40);
    const model = smallCnn();
    model.compile({ optimizer: 'sgd', loss: scores() });
    const stop = new LambdaCallback({ onTrainBatchEnd: (batch) => void (model.stopTraining = batch === 2) });
    await model.fit(x, y, { batchSize: 4, epochs: 5, verbose: 0, callbacks: [stop] });
    expect(stateOf(model).compiled!.optimizer.iterations).toBe(3);
    await model.fit(x, y, { batchSize: 4, verbose: 0 });
    expect(stateOf(model).compiled!.optimizer.iterations).toBe(13);
  });

  it('ends by an AbortSignal with its reason; the model stays usable', async () => {
    const { x, y } = spots(40);
    const model = smallCnn();
    model.compile({ optimizer: 'sgd', loss: scores() });
    const controller = new AbortController();
    const reason = new Error('enough');
    const abort = new LambdaCallback({ onTrainBatchEnd: (batch) => void (batch === 1 && controller.abort(reason)) });
    const running = model.fit(x, y, {
      batchSize: 4,
      epochs: 3,
      verbose: 0,
      callbacks: [abort],
      signal: controller.signal,
    });
    await expect(running).rejects.toBe(reason);
    expect(stateOf(model).compiled!.optimizer.iterations).toBe(2);
    await model.fit(x, y, { verbose: 0 });
  });

  it('goes on through an infinite dataset by stepsPerEpoch, and through a finite one from its beginning', async () => {
    const model = linear([0]);
    model.compile({ optimizer: sgd(0), loss: squares });
    const rows = data.fromArrays([[1], [1], [1]], [[1], [2], [3]]).batch(1);
    const endless = await model.fit(rows.repeat(), { epochs: 3, stepsPerEpoch: 2, verbose: 0 });
    expect(endless.history['loss']!.map((v) => Math.round(v * 10) / 10)).toEqual([2.5, 5, 6.5]);
    const finite = await model.fit(rows, { epochs: 2, stepsPerEpoch: 4, verbose: 0 });
    expect(finite.history['loss']!.map((v) => Math.round(v * 100) / 100)).toEqual([3.75, 4.5]);
  });

  it('trains several outputs by name and by order', async () => {
    const x = input({ shape: [2], name: 'x' });
    const a = layers.dense({ name: 'a', units: 1, useBias: false, kernelInitializer: 'ones' }).apply(x);
    const b = layers.dense({ name: 'b', units: 1, useBias: false, kernelInitializer: 'zeros' }).apply(x);
    const model = new Model({ inputs: x, outputs: [a, b] });
    const xs = [[1, 1]];
    const [ya, yb] = [tensor([[0]]), tensor([[3]])];
    model.compile({
      optimizer: sgd(0),
      loss: { a: 'mse', b: 'mae' },
      lossWeights: { a: 10, b: 1 },
      metrics: { b: ['mse'] },
    });
    const [outA, outB] = model.outputNames as [string, string];
    const byOrder = await model.testOnBatch(xs, [ya, yb]);
    expect(byOrder).toEqual({ loss: 43, [`${outA}_loss`]: 4, [`${outB}_loss`]: 3, [`${outB}_mse`]: 9 });
    expect(await model.trainOnBatch(xs, { [outA]: ya, [outB]: yb })).toEqual(byOrder);
    const parts = (await model.predict(xs)) as Tensor[];
    expect(parts.map((t) => t.dataSync()[0])).toEqual([2, 0]);
    await expect(model.testOnBatch(xs, [ya])).rejects.toThrow('expected targets for the outputs');
  });

  it('takes a changed learning rate without tracing anew, a changed trainable with the next compile', async () => {
    const { x, y } = spots(8);
    const model = smallCnn({ dropout: 0 });
    const optimizer = sgd(0);
    model.compile({ optimizer, loss: scores() });
    await model.trainOnBatch(x, y);
    const kernel = model.getLayer('conv').weights[0]!;
    const before = await kernel.data();
    optimizer.learningRate = 0.5;
    await model.trainOnBatch(x, y);
    const after = await kernel.data();
    expect(after).not.toEqual(before);
    expect(stateOf(model).compiled!.statistics.train!.traces).toBe(1);
    model.getLayer('conv').trainable = false;
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    await model.fit(x, y, { verbose: 0 });
    expect(warn.mock.calls[0]![0]).toContain('trainable was changed');
    expect(await kernel.data()).not.toEqual(after);
    model.compile({ optimizer: sgd(0.5), loss: scores() });
    const frozen = await kernel.data();
    await model.fit(x, y, { verbose: 0 });
    expect(await kernel.data()).toEqual(frozen);
    expect(warn.mock.calls.length).toBe(1);
    warn.mockRestore();
  });

  it('shuffles data in memory anew for each epoch', async () => {
    const model = linear([0]);
    const order: number[] = [];
    model.compile({ optimizer: sgd(0), loss: squares });
    const watch = new LambdaCallback({ onTrainBatchEnd: (_, logs) => void order.push(logs['loss']!) });
    const x = Array.from({ length: 8 }, () => [1]);
    const y = Array.from({ length: 8 }, (_, i) => [i]);
    await model.fit(x, y, { batchSize: 1, epochs: 2, shuffleSeed: 5, verbose: 0, callbacks: [watch] });
    expect(order.slice(0, 8)).not.toEqual(order.slice(8));
    expect(order[7]).toBeCloseTo(140 / 8, 4);
  });

  it('TerminateOnNaN ends a training that diverged', async () => {
    const model = linear([1]);
    model.compile({ optimizer: sgd(1e30), loss: 'mse' });
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const xs = Array.from({ length: 50 }, () => [1e6]);
    const history = await model.fit(
      xs,
      xs.map(() => [0]),
      {
        ...{ epochs: 10, batchSize: 1, verbose: 0, callbacks: [new callbacks.TerminateOnNaN()] },
      },
    );
    expect(history.epoch).toEqual([0]);
    expect(warn).toHaveBeenCalledOnce();
    warn.mockRestore();
  });

  it('EarlyStopping gives the best weights back', async () => {
    const model = linear([0]);
    model.compile({ optimizer: sgd(1), loss: (t, p) => ops.neg(ops.mean(p, { axes: -1 })) }); // the kernel grows by 1
    const stopping = new callbacks.EarlyStopping({ monitor: 'val_loss', patience: 2, restoreBestWeights: true });
    const history = await model.fit([[1]], [[0]], {
      ...{ epochs: 20, verbose: 0, callbacks: [stopping] },
      validationData: [[[1]], [[0]]],
    });
    expect(history.epoch.length).toBe(20); // it improves for ever
    model.compile({ optimizer: sgd(1), loss: (_, p) => ops.mean(ops.square(ops.sub(p, 23)), { axes: -1 }) });
    const second = new callbacks.EarlyStopping({ monitor: 'loss', patience: 1, restoreBestWeights: true });
    const rest = await model.fit([[1]], [[0]], { epochs: 50, verbose: 0, callbacks: [second] });
    expect(rest.epoch.length).toBeLessThan(50);
  });
});

describe('FoveaError', () => {
  it('is thrown for use without compile', async () => {
    await expect(smallCnn().fit([[1]], [[1]])).rejects.toThrow(/expected compile\(/);
    await expect(smallCnn().evaluate([[1]], [[1]])).rejects.toThrow(FoveaError);
  });
});
