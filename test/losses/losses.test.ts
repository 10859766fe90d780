import { describe, expect, it } from 'vitest';
import { grad, valueAndGrad } from '../../lib/autograd/grad.js';
import { compile } from '../../lib/graph/compile.js';
import * as losses from '../../lib/losses/index.js';
import { sigmoid, softmax } from '../../lib/ops/index.js';
import { tensor } from '../../lib/tensor/create.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { Variable } from '../../lib/tensor/variable.js';
import { describeEachDevice } from '../support/each-device.js';
import { fillSpec } from '../support/fill.js';
import { expectTensorClose, opTolerance, readGolden, type OpCases } from '../support/golden.js';

const NAMES = ['sparse_categorical_crossentropy', 'categorical_crossentropy', 'binary_crossentropy', 'mse'];
const cases = readGolden<OpCases>('ops.json.gz').cases.filter((c) => NAMES.includes(c.op));
const near = (x: number, digits = 5): number => expect.closeTo(x, digits) as number;
const int32 = (values: number[], shape?: number[]): Tensor => tensor(values, shape, { dtype: 'int32' });

const X = [
  [1, -2, 0.5],
  [0.25, 3, -1],
];
const P = X.map((row) => {
  const e = row.map(Math.exp);
  const total = e.reduce((a, b) => a + b);
  return e.map((v) => v / total);
});

describeEachDevice('losses', () => {
  it.each(cases)('$id against TensorFlow', (golden) => {
    const { label_smoothing: labelSmoothing, from_logits: fromLogits } = golden.attrs as Record<string, never>;
    const config =
      golden.op === 'mse' ? {} : { fromLogits, ...(labelSmoothing === undefined ? {} : { labelSmoothing }) };
    const loss = losses.get({ className: golden.op, config });
    const [[predicted, x], [, y]] = Object.entries(golden.inputs) as [[string, never], [string, never]];
    const made = (spec: Parameters<typeof fillSpec>[0]): Tensor => tensor(fillSpec(spec), spec.shape);
    const w = new Variable(made(x));
    const upstream = fillSpec(golden.upstream)[0]!;
    const { value, grads } = valueAndGrad(() => loss.apply(made(y), w.value).mul(upstream));
    const tolerance = { ...opTolerance(golden.id), label: golden.id };
    expectTensorClose([value.itemSync() / upstream], [], golden.expected.y!, tolerance);
    const gradient = grads.get(w)!;
    expectTensorClose(gradient.dataSync(), gradient.shape, golden.expected[`d_${predicted}`]!, tolerance);
  });

  it('takes class numbers as [n] and [n, 1], and predictions of any rank', () => {
    const expected = [-Math.log(P[0]![2]!), -Math.log(P[1]![1]!)];
    const none = losses.sparseCategoricalCrossentropy({ reduction: 'none' });
    expect([...none.apply(int32([2, 1]), P).dataSync()]).toEqual(expected.map((v) => near(v)));
    expect([...none.apply(int32([2, 1], [2, 1]), P).dataSync()]).toEqual(expected.map((v) => near(v)));
    const map = none.apply(int32([2, 1], [1, 2]), tensor([P]));
    expect(map.shape).toEqual([1, 2]);
    expect([...map.dataSync()]).toEqual(expected.map((v) => near(v)));
  });

  it('weighs samples: the sum of weighted losses by their number', () => {
    const [a, b] = [-Math.log(P[0]![2]!), -Math.log(P[1]![1]!)];
    const apply = (reduction: losses.Reduction, weights: Tensor): number[] => [
      ...losses
        .sparseCategoricalCrossentropy({ reduction })
        .apply(int32([2, 1]), P, weights)
        .dataSync(),
    ];
    const weights = tensor([0.5, 3]);
    expect(apply('sumOverBatchSize', weights)).toEqual([near((0.5 * a + 3 * b) / 2)]);
    expect(apply('sumOverBatchSize', tensor([0.5, 3], [2, 1]))).toEqual([near((0.5 * a + 3 * b) / 2)]);
    expect(apply('sum', weights)).toEqual([near(0.5 * a + 3 * b)]);
    expect(apply('meanWithSampleWeight', weights)).toEqual([near((0.5 * a + 3 * b) / 3.5)]);
    expect(apply('none', weights)).toEqual([near(0.5 * a), near(3 * b)]);
    expect(apply('meanWithSampleWeight', tensor([0, 0]))).toEqual([0]);
  });

  it('weighs maps of values by sample and by value', () => {
    const mae = losses.meanAbsoluteError({ reduction: 'none' });
    const [t, p] = [tensor(new Float32Array(8), [2, 2, 2]), tensor([1, 1, 2, 2, 3, 3, 4, 4], [2, 2, 2])];
    expect([...mae.apply(t, p, [1, 10]).dataSync()]).toEqual([1, 2, 30, 40]);
    expect([...mae.apply(t, p, tensor([1, 0, 0, 1], [2, 2])).dataSync()]).toEqual([1, 0, 0, 4]);
    expect(() => mae.apply(t, p, [1, 2, 3])).toThrow(
      /meanAbsoluteError: expected sample weights for values of shape \[2,2\], received \[3\]/,
    );
  });

  it('treats vectors as samples of one number each', () => {
    expect(losses.meanSquaredError().apply([1, 2], [3, 5]).itemSync()).toBeCloseTo(6.5, 6);
    expect(
      losses
        .meanSquaredError()
        .apply([1, 2], [[3], [5]], [1, 0])
        .itemSync(),
    ).toBeCloseTo(2, 6);
    expect(losses.binaryCrossentropy().apply([1, 0], [0.8, 0.3]).itemSync()).toBeCloseTo(
      -(Math.log(0.8) + Math.log(0.7)) / 2,
      6,
    );
  });

  const T = [
    [0, 1, 0.5],
    [1, 0, 0],
  ];
  const each = (f: (t: number, p: number) => number): number =>
    T.flatMap((row, i) => row.map((t, j) => f(t, X[i]![j]!))).reduce((a, b) => a + b) / 6;
  const dot = (a: number[], b: number[]): number => a.reduce((s, v, i) => s + v * b[i]!, 0);
  it.each<[string, losses.Loss, () => number]>([
    ['mse', losses.meanSquaredError(), () => each((t, p) => (t - p) ** 2)],
    ['mae', losses.meanAbsoluteError(), () => each((t, p) => Math.abs(t - p))],
    [
      'huber',
      losses.huber({ delta: 0.75 }),
      () => each((t, p) => (Math.abs(t - p) <= 0.75 ? (t - p) ** 2 / 2 : 0.75 * Math.abs(t - p) - 0.75 ** 2 / 2)),
    ],
    ['logCosh', losses.logCosh(), () => each((t, p) => Math.log(Math.cosh(p - t)))],
    ['hinge', losses.hinge(), () => each((t, p) => Math.max(0, 1 - (t === 0 ? -1 : t) * p))],
    ['squaredHinge', losses.squaredHinge(), () => each((t, p) => Math.max(0, 1 - (t === 0 ? -1 : t) * p) ** 2)],
    [
      'cosineSimilarity',
      losses.cosineSimilarity(),
      () => -T.reduce((s, t, i) => s + dot(t, X[i]!) / Math.sqrt(dot(t, t) * dot(X[i]!, X[i]!)), 0) / 2,
    ],
  ])('%s is its formula', (_, loss, formula) => {
    expect(loss.apply(T, X).itemSync()).toBeCloseTo(formula(), 5);
  });

  it('has the formulas of probabilities', () => {
    const t = [
      [0.2, 0.3, 0.5],
      [0.1, 0.8, 0.1],
    ];
    const all = (f: (t: number, p: number) => number): number =>
      t.flatMap((r, i) => r.map((v, j) => f(v, P[i]![j]!))).reduce((a, b) => a + b);
    expect(losses.kullbackLeiblerDivergence().apply(t, P).itemSync()).toBeCloseTo(
      all((a, b) => a * Math.log(a / b)) / 2,
      5,
    );
    expect(losses.poisson().apply(t, P).itemSync()).toBeCloseTo(all((a, b) => b - a * Math.log(b)) / 6, 5);
    expect(losses.categoricalCrossentropy().apply(t, P).itemSync()).toBeCloseTo(all((a, b) => -a * Math.log(b)) / 2, 5);
    const smooth = all((a, b) => -(0.7 * a + 0.1) * Math.log(b)) / 2;
    expect(losses.categoricalCrossentropy({ labelSmoothing: 0.3 }).apply(t, P).itemSync()).toBeCloseTo(smooth, 5);
    expect(
      losses
        .categoricalCrossentropy({ axis: 0 })
        .apply([[1], [0]], [[0.25], [0.75]])
        .itemSync(),
    ).toBeCloseTo(Math.log(4), 5);
    expect(losses.meanSquaredLogarithmicError().apply(t, P).itemSync()).toBeCloseTo(
      all((a, b) => (Math.log1p(a) - Math.log1p(b)) ** 2) / 6,
      5,
    );
    expect(losses.meanAbsolutePercentageError().apply(t, P).itemSync()).toBeCloseTo(
      all((a, b) => (100 * Math.abs(a - b)) / a) / 6,
      3,
    );
  });

  it('normalizes probabilities and keeps them from 0', () => {
    const loss = losses.sparseCategoricalCrossentropy();
    expect(loss.apply(int32([0]), [[2, 6]]).itemSync()).toBeCloseTo(Math.log(4), 5);
    expect(loss.apply(int32([0]), [[0, 1]]).itemSync()).toBeCloseTo(-Math.log(1e-7), 4);
    expect(
      losses
        .binaryCrossentropy()
        .apply([[1]], [[0]])
        .itemSync(),
    ).toBeCloseTo(-Math.log(1e-7), 4);
  });

  it.each([0, 0.2])('smooths the targets of yes and no by %f', (labelSmoothing) => {
    const t = 1 - labelSmoothing / 2;
    const expected = -(t * Math.log(0.7) + (1 - t) * Math.log(0.3));
    expect(
      losses
        .binaryCrossentropy({ labelSmoothing })
        .apply([[1]], [[0.7]])
        .itemSync(),
    ).toBeCloseTo(expected, 5);
    const logit = Math.log(0.7 / 0.3);
    const ofLogits = losses.binaryCrossentropy({ labelSmoothing, fromLogits: true });
    expect(ofLogits.apply([[1]], [[logit]]).itemSync()).toBeCloseTo(expected, 5);
  });

  it('uses the logits of predictions made by softmax and sigmoid', () => {
    const far = new Variable(tensor([[100, -100]]));
    const sparse = valueAndGrad(() => losses.sparseCategoricalCrossentropy().apply(int32([1]), softmax(far.value)));
    expect(sparse.value.itemSync()).toBeCloseTo(200, 3); // the clipped probability would give 16.1
    expect([...sparse.grads.get(far)!.dataSync()]).toEqual([1, -1]);
    const dense = valueAndGrad(() => losses.categoricalCrossentropy().apply([[0, 1]], softmax(far.value)));
    expect(dense.value.itemSync()).toBeCloseTo(200, 3);
    const binary = valueAndGrad(() => losses.binaryCrossentropy().apply([[0, 1]], sigmoid(far.value)));
    expect(binary.value.itemSync()).toBeCloseTo(100, 3);
    expect([...binary.grads.get(far)!.dataSync()]).toEqual([0.5, -0.5]);
  });

  it('has gradients by probabilities that softmax made', () => {
    const p = softmax(tensor([[0, Math.log(3)]]));
    const slope = grad((q) => losses.sparseCategoricalCrossentropy().apply(int32([1]), q));
    expect([...slope(p).dataSync()]).toEqual([near(1), near(1 - 4 / 3)]);
  });

  it('has the gradient sigmoid(x) - t where logits are 0', () => {
    const x = new Variable(tensor([[0]]));
    const { grads } = valueAndGrad(() => losses.binaryCrossentropy({ fromLogits: true }).apply([[1]], x.value));
    expect(grads.get(x)!.itemSync()).toBeCloseTo(-0.5, 6);
  });

  it('works in traced functions, and takes functions for losses', () => {
    const own = losses.get((t: Tensor, p: Tensor) => t.sub(p).abs().mean({ axes: -1 }));
    const run = compile((t: Tensor, p: Tensor, w: Tensor) => own.apply(t, p, w));
    expect(run(tensor(T), tensor(X), tensor([1, 0])).itemSync()).toBeCloseTo((1 + 3 + 0) / 3 / 2, 5);
    expect(() => own.getConfig()).toThrow(/a loss with a name/);
    expect(() => losses.get(() => 1 as never).apply(T, X)).toThrow(/the function to return a tensor, received 1/);
  });

  it.each<[string, () => unknown, string]>([
    [
      'one-hot targets for class numbers',
      () => losses.get('sparse_categorical_crossentropy').apply(T, X),
      'sparseCategoricalCrossentropy: expected labels of shape [2] for predictions of shape [2,3], received [2,3]',
    ],
    [
      'float class numbers',
      () => losses.sparseCategoricalCrossentropy().apply([0, 1], X),
      'sparseCategoricalCrossentropy: expected class numbers of dtype int32, received float32',
    ],
    [
      'too many labels',
      () => losses.sparseCategoricalCrossentropy().apply(int32([0, 1, 2]), X),
      'labels of shape [2] for predictions of shape [2,3], received [3]',
    ],
    [
      'class numbers for targets',
      () => losses.categoricalCrossentropy().apply(int32([0, 1]), X),
      "categoricalCrossentropy: expected targets of the predictions' shape [2,3], received [2]; class numbers need sparseCategoricalCrossentropy",
    ],
    [
      'other shapes',
      () => losses.meanSquaredError().apply([[1, 2]], X),
      "meanSquaredError: expected targets of the predictions' shape [2,3], received [1,2]",
    ],
    [
      'whole predictions',
      () => losses.huber().apply(T, tensor([[1]], [1, 1], { dtype: 'int32' })),
      'huber: expected predictions of dtype float32, received int32',
    ],
    [
      'scalars',
      () => losses.meanSquaredError().apply(1, 1),
      'meanSquaredError: expected predictions with a batch axis, received []',
    ],
    [
      'a reduction',
      () => losses.huber({ reduction: 'average' as never }),
      'huber: expected reduction to be one of sumOverBatchSize, sum, meanWithSampleWeight, mean, none, received "average"',
    ],
    [
      'smoothing',
      () => losses.categoricalCrossentropy({ labelSmoothing: 2 }),
      'categoricalCrossentropy: expected labelSmoothing to be a finite number of at least 0 and of at most 1, received 2',
    ],
    ['delta', () => losses.huber({ delta: NaN }), 'huber: expected delta to be a finite number above 0, received NaN'],
    [
      'an unknown option',
      () => losses.poisson({ fromLogits: true } as never),
      'poisson: unknown option fromLogits; expected name, reduction',
    ],
    [
      'an unknown name',
      () => losses.get('crossentropie'),
      'loss: unknown name crossentropie; there are: SparseCategoricalCrossentropy',
    ],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ name: 'FoveaError' }));
  });

  it('refuses a label out of range when it runs, and stays usable', async () => {
    const loss = losses.sparseCategoricalCrossentropy();
    await expect(loss.apply(int32([7]), [[0.5, 0.5]]).item()).rejects.toThrow(/7/);
    expect(await loss.apply(int32([1]), [[0.5, 0.5]]).item()).toBeCloseTo(Math.LN2, 5);
  });
});

describe('loss configurations', () => {
  it.each(losses.lossRegistry.names)('%s survives a round trip', (className) => {
    const made = losses.get({ className, config: { reduction: 'sum_over_batch_size', name: 'mine' } });
    expect(made.getConfig()).toMatchObject({ reduction: 'sumOverBatchSize', name: 'mine' });
    const again = losses.get(JSON.parse(JSON.stringify(losses.serialize(made))) as never);
    expect(again.className).toBe(className);
    expect(again.getConfig()).toEqual(made.getConfig());
  });

  it('knows the short names', () => {
    const names = {
      mse: 'MeanSquaredError',
      mae: 'MeanAbsoluteError',
      bce: 'BinaryCrossentropy',
      kld: 'KLDivergence',
      sparseCategoricalCrossentropy: 'SparseCategoricalCrossentropy',
    };
    for (const [name, className] of Object.entries(names)) expect(losses.get(name).className).toBe(className);
  });
});
