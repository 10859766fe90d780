import { describe, expect, it } from 'vitest';
import { compile } from '../../lib/graph/compile.js';
import * as metrics from '../../lib/metrics/index.js';
import '../../lib/ops/index.js';
import { tensor } from '../../lib/tensor/create.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { describeEachDevice } from '../support/each-device.js';

const int32 = (values: number[], shape?: number[]): Tensor => tensor(values, shape, { dtype: 'int32' });
const SCORES = [
  [0.1, 0.7, 0.2],
  [0.5, 0.3, 0.2],
  [0.2, 0.3, 0.5],
  [0.6, 0.3, 0.1],
];

function value(
  metric: metrics.Metric,
  yTrue: Tensor | number[] | number[][],
  yPred: number[] | number[][],
  weights?: number[],
): number {
  metric.updateState(yTrue, yPred, weights);
  return metric.result().itemSync();
}

describeEachDevice('metrics', () => {
  it('counts hits of class numbers, over batches and with weights', () => {
    const metric = metrics.sparseCategoricalAccuracy();
    expect(metric.result().itemSync()).toBe(0);
    expect(value(metric, int32([1, 0, 0, 2]), SCORES)).toBe(0.5);
    expect(value(metric, int32([2], [1, 1]), [[0, 0, 1]])).toBeCloseTo(3 / 5, 6);
    metric.reset();
    expect(value(metric, int32([1, 0, 0, 2]), SCORES, [3, 1, 1, 1])).toBeCloseTo(4 / 6, 6);
    expect(metric.variables.map((v) => v.name)).toEqual([
      'sparseCategoricalAccuracy/total',
      'sparseCategoricalAccuracy/count',
    ]);
  });

  it('accuracy finds out by shapes what it counts', () => {
    const scores3 = SCORES.slice(0, 2);
    expect(value(metrics.get('accuracy'), int32([1, 1]), scores3)).toBe(0.5);
    expect(value(metrics.get('accuracy'), int32([1, 1], [2, 1]), scores3)).toBe(0.5);
    expect(value(metrics.get('accuracy'), tensor([1, 1]), scores3)).toBe(0.5); // float class numbers
    expect(value(metrics.get('acc'), [[0, 1, 0], [0, 0, 1]], scores3)).toBe(0.5); // prettier-ignore
    expect(value(metrics.get('accuracy'), [1, 0, 1], [[0.6], [0.7], [0.9]])).toBeCloseTo(2 / 3, 6);
    expect(value(metrics.get('accuracy'), [1, 0, 1], [0.6, 0.7, 0.9])).toBeCloseTo(2 / 3, 6);
  });

  it('counts pixels of maps', () => {
    const metric = metrics.accuracy();
    metric.updateState(int32([1, 0, 0, 2], [1, 2, 2]), tensor(SCORES.flat(), [1, 2, 2, 3]));
    expect(metric.result().itemSync()).toBe(0.5);
  });

  it('looks at the k largest scores; ties count', () => {
    expect(value(metrics.sparseTopKCategoricalAccuracy({ k: 2 }), int32([0, 1, 1, 2]), SCORES)).toBe(0.5);
    expect(value(metrics.topKCategoricalAccuracy({ k: 2 }), [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]], SCORES)).toBe(0.5); // prettier-ignore
    expect(value(metrics.sparseTopKCategoricalAccuracy({ k: 1 }), int32([1]), [[0.5, 0.5]])).toBe(1);
    expect(value(metrics.sparseTopKCategoricalAccuracy(), int32([0]), SCORES.slice(0, 1))).toBe(1);
  });

  it('has thresholds for yes and no', () => {
    expect(value(metrics.binaryAccuracy({ threshold: 0.65 }), [1, 0, 1], [[0.6], [0.7], [0.9]])).toBeCloseTo(1 / 3, 6);
    expect(value(metrics.precision(), [1, 0, 1, 1], [0.6, 0.7, 0.9, 0.2])).toBeCloseTo(2 / 3, 6);
    expect(value(metrics.recall(), [1, 0, 1, 1], [0.6, 0.7, 0.9, 0.2], [1, 1, 1, 2])).toBeCloseTo(2 / 4, 6);
    const recall = metrics.recall({ thresholds: [0.1, 0.65, 0.95] });
    recall.updateState([1, 0, 1, 1], [0.6, 0.7, 0.9, 0.2]);
    recall.updateState([1], [0.05]);
    expect([...recall.result().dataSync()].map((v) => v.toFixed(3))).toEqual(['0.750', '0.250', '0.000']);
    recall.reset();
    expect([...recall.result().dataSync()]).toEqual([0, 0, 0]);
  });

  it('averages errors', () => {
    const [t, p] = [[[1, 2], [3, 4]], [[1, 4], [3, 0]]]; // prettier-ignore
    expect(value(metrics.meanSquaredError(), t, p)).toBe(5);
    expect(value(metrics.meanAbsoluteError(), t, p)).toBe(1.5);
    expect(value(metrics.rootMeanSquaredError(), t, p)).toBeCloseTo(Math.sqrt(5), 5);
    expect(value(metrics.get('mse'), t, p, [0, 1])).toBe(8);
    expect(value(metrics.get('sparse_categorical_crossentropy'), int32([1]), [[0.5, 0.5]])).toBeCloseTo(Math.LN2, 5);
  });

  it('mean and sum take any values', () => {
    const [mean, sum] = [metrics.mean({ name: 'loss' }), metrics.sum()];
    mean.updateState([1, 3]);
    mean.updateState(8, 0.5);
    sum.updateState(int32([1, 3]));
    sum.updateState([1, 1], [2, 0]);
    expect(mean.result().itemSync()).toBeCloseTo((1 + 3 + 4) / 2.5, 6);
    expect(sum.result().itemSync()).toBe(6);
  });

  it('works in traced functions; a reset does not disturb runs that are pending', () => {
    const metric = metrics.accuracy();
    const step = compile((t: Tensor, p: Tensor) => {
      metric.updateState(t, p);
      return metric.result();
    });
    const [t, p] = [int32([1, 0, 0, 2]), tensor(SCORES)];
    const first = step(t, p);
    const second = step(int32([1, 0, 2, 0]), p);
    const between = metric.result();
    metric.reset();
    const third = step(t, p);
    expect([first, second, between, third].map((r) => r.itemSync())).toEqual([0.5, 0.75, 0.75, 0.5]);
    expect(step.statistics.traces).toBe(1);
  });

  it('a reset in a traced function is part of it', () => {
    const sum = metrics.sum();
    const run = compile((x: Tensor) => {
      sum.reset();
      sum.updateState(x);
      return sum.result();
    });
    expect([1, 2, 3].map((x) => run(tensor([x])).itemSync())).toEqual([1, 2, 3]);
  });

  it('makes a confusion matrix', async () => {
    const matrix = metrics.confusionMatrix([0, 1, 2, 2, 2], [0, 2, 2, 2, 1], { numClasses: 3 });
    expect(matrix.dtype).toBe('int32');
    expect(await matrix.array()).toEqual([[1, 0, 0], [0, 0, 1], [0, 1, 2]]); // prettier-ignore
    const weighed = metrics.confusionMatrix([0, 1], [0, 0], { numClasses: 2, weights: [0.5, 2] });
    expect(await weighed.array()).toEqual([[0.5, 0], [2, 0]]); // prettier-ignore
  });

  it('takes functions', () => {
    const metric = metrics.get((t: Tensor, p: Tensor) => t.sub(p).abs());
    expect(value(metric, [1, 2], [2, 4])).toBe(1.5);
    expect(() => metric.getConfig()).toThrow(/a metric with a name/);
  });

  it.each<[string, () => unknown, string]>([
    [
      'labels of another length',
      () => metrics.accuracy().updateState(int32([1]), SCORES),
      'accuracy: expected labels of shape [4] for predictions of shape [4,3], received [1]',
    ],
    [
      'whole predictions',
      () => metrics.accuracy().updateState([1], int32([1])),
      'accuracy: expected predictions of dtype float32, received int32',
    ],
    [
      'weights',
      () => metrics.accuracy().updateState(int32([1, 0, 0, 2]), SCORES, [1, 2]),
      'accuracy: expected sample weights for values of shape [4], received [2]',
    ],
    [
      'targets of another shape',
      () => metrics.categoricalAccuracy().updateState([[1, 0]], SCORES),
      "categoricalAccuracy: expected targets of the predictions' shape [4,3], received [1,2]",
    ],
    [
      'k',
      () => metrics.topKCategoricalAccuracy({ k: 0 }),
      'topKCategoricalAccuracy: expected k to be a whole number of at least 1, received 0',
    ],
    [
      'thresholds',
      () => metrics.recall({ thresholds: [0.5, 2] }),
      'recall: expected thresholds[1] to be a finite number of at least 0 and of at most 1, received 2',
    ],
    [
      'float classes',
      () => metrics.confusionMatrix(tensor([1.5]), [1], { numClasses: 2 }),
      'confusionMatrix: expected class numbers of dtype int32, received float32',
    ],
    [
      'lengths',
      () => metrics.confusionMatrix([1, 1], [1], { numClasses: 2 }),
      'confusionMatrix: expected labels and predictions of one length, received [2] and [1]',
    ],
    ['an unknown name', () => metrics.get('accuracies'), 'metric: unknown name accuracies; there are: '],
    ['an aggregate of values', () => metrics.get('mean'), 'metric: Mean is not a metric of targets and predictions'],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ name: 'FoveaError' }));
  });
});

describe('metric configurations', () => {
  const { names: all } = metrics.metricRegistry;
  const names = all.filter((n) => n !== 'Mean' && n !== 'Sum');
  it.each([...names, 'MeanSquaredError', 'CategoricalCrossentropy'])('%s survives a round trip', (className) => {
    const made = metrics.get({ className, config: { name: 'mine' } });
    expect(made.name).toBe('mine');
    const again = metrics.get(JSON.parse(JSON.stringify(metrics.serialize(made))) as never);
    expect(again.className).toBe(className);
    expect(again.getConfig()).toEqual(made.getConfig());
  });

  it('shows a metric by the name it was asked for', () => {
    expect(metrics.get('acc').name).toBe('acc');
    expect(metrics.get('mse').name).toBe('mse');
    expect(metrics.accuracy().name).toBe('accuracy');
  });
});
