import { describe, expect, test } from 'vitest';
import {
  FoveaError,
  layers,
  Model,
  Sequential,
  tensor,
  withDevice,
  type MemoryReportOptions,
} from '../../lib/index.js';
import { stateOf } from '../../lib/training/trainer-state.js';
import { resNet50 } from '../../models/index.js';

const quiet: MemoryReportOptions = { printFn: () => undefined };

const dense = (units: number, activation?: string) => layers.dense({ units, ...(activation ? { activation } : {}) });
const classifier = (): Sequential =>
  new Sequential([layers.input({ shape: [8] }), dense(64, 'relu'), dense(32, 'relu'), dense(4, 'softmax')]);

describe('memoryReport', () => {
  test('ResNet-50 on one image fits into 1.3 times its two largest consecutive activations', () => {
    const model = resNet50();
    const report = model.memoryReport(quiet);
    // [56, 56, 256], into the first block's sum and out of it.
    expect(report.largestPairBytes).toBe(2 * 56 * 56 * 256 * 4);
    expect(report.arenaBytes).toBeGreaterThanOrEqual(report.largestPairBytes);
    expect(report.arenaBytes).toBeLessThanOrEqual(1.3 * report.largestPairBytes);
    expect(report.weightBytes).toBe((25_557_032 + 53_120) * 4);
    expect(report.inputBytes).toBe(224 * 224 * 3 * 4);
    expect(report.workspaceBytes).toBeGreaterThan(0);
    for (const weight of model.weights) weight.dispose();
  });

  test('counts weights, inputs and activations of a prediction', () => {
    const report = classifier().memoryReport({ ...quiet, batchSize: 10 });
    expect(report).toMatchObject({ batchSize: 10, training: false, optimizerBytes: 0, inputBytes: 320 });
    expect(report.weightBytes).toBe(4 * (8 * 64 + 64 + 64 * 32 + 32 + 32 * 4 + 4));
    expect(report.largestPair?.map(({ shape }) => shape)).toEqual([
      [10, 64],
      [10, 32],
    ]);
    expect(report.largestPairBytes).toBe(4 * 10 * 96);
    expect(report.arenaBytes).toBeGreaterThanOrEqual(report.largestPairBytes);
    const { arenaBytes, workspaceBytes, preparedBytes, weightBytes, inputBytes, totalBytes } = report;
    expect(totalBytes).toBe(arenaBytes + workspaceBytes + preparedBytes + weightBytes + inputBytes);
  });

  test('prints a line for each number', () => {
    const lines: string[] = [];
    const model = classifier();
    model.memoryReport({ batchSize: 1000, printFn: (line) => lines.push(line) });
    expect(lines[0]).toBe(`Memory of a prediction, "${model.name}", batch of 1000`);
    expect(lines.find((line) => line.startsWith('  largest two consecutive'))).toMatch(
      /0\.38 MB {2}\S+ \[1000, 64\] -> \S+ \[1000, 32\]$/,
    );
    expect(lines).toHaveLength(9);
  });

  test('plans what predict and fit then run, and changes no weight', async () => {
    const model = classifier();
    model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
    const before = await Promise.all(model.weights.map((weight) => weight.data()));
    const report = model.memoryReport({ ...quiet, batchSize: 4, training: true });
    model.memoryReport({ ...quiet, batchSize: 4 });
    const trained = 8 * 64 + 64 + 64 * 32 + 32 + 32 * 4 + 4;
    expect(report.optimizerBytes).toBeGreaterThanOrEqual(4 * 2 * trained);
    expect(report.optimizerBytes).toBeLessThanOrEqual(4 * 2 * trained + 64);
    expect(await Promise.all(model.weights.map((weight) => weight.data()))).toEqual(before);
    const x = tensor(new Float32Array(32).fill(1), [4, 8]);
    await model.trainOnBatch(x, tensor(Int32Array.of(0, 1, 2, 3)));
    await model.predictOnBatch(x);
    const { compiled, predict } = stateOf(model);
    expect(compiled!.statistics.train).toMatchObject({ traces: 1, runs: 1 });
    expect(predict!.statistics).toMatchObject({ traces: 1, runs: 1 });
  });

  test('several inputs and outputs, other targets', () => {
    const [a, b] = [layers.input({ shape: [8], name: 'a' }), layers.input({ shape: [4], name: 'b' })];
    const both = layers.concatenate().apply([a, b]);
    const model = new Model({ inputs: { a, b }, outputs: { p: dense(3).apply(both), q: dense(5).apply(both) } });
    model.compile({ optimizer: 'sgd', loss: { p: 'mse', q: 'sparseCategoricalCrossentropy' } });
    expect(model.memoryReport({ ...quiet, batchSize: 2 }).inputBytes).toBe(2 * 12 * 4);
    expect(model.memoryReport({ ...quiet, batchSize: 2, training: true }).arenaBytes).toBeGreaterThan(0);
    expect(() => model.memoryReport({ ...quiet, training: true, targetShapes: [[7], []] })).toThrow(FoveaError);
  });

  test('open sizes are given, and refused where they are not', () => {
    const image = layers.input({ shape: [null, null, 3] });
    const conv = layers.conv2d({ filters: 4, kernelSize: 3 }).apply(image);
    const model = new Model({ name: 'open', inputs: image, outputs: layers.globalAveragePooling2d().apply(conv) });
    expect(() => model.memoryReport(quiet)).toThrow(
      'memoryReport "open": expected inputShapes of known sizes, received',
    );
    const small = model.memoryReport({ ...quiet, inputShapes: [[8, 8, 3]] });
    const large = model.memoryReport({ ...quiet, inputShapes: [[32, 32, 3]] });
    expect(large.arenaBytes).toBeGreaterThan(small.arenaBytes);
    expect(() => model.memoryReport({ ...quiet, batchSize: 0 })).toThrow(/expected batchSize to be a whole number/);
    expect(() => model.memoryReport({ ...quiet, training: true, inputShapes: [[8, 8, 3]] })).toThrow(/compile\(/);
  });

  test('also on the reference, which needs no workspace', () => {
    withDevice('reference', () => {
      const report = classifier().memoryReport({ ...quiet, batchSize: 10 });
      expect(report.workspaceBytes).toBe(0);
      expect(report.largestPairBytes).toBe(4 * 10 * 96);
    });
  });
});
