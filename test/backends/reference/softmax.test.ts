import { describe, expect, test } from 'vitest';
import { RandomValues } from '../../support/random-values.js';
import { dot, expectClose, numericGradient } from './gradients.js';
import { f64, i32, runFloat } from './run-kernel.js';

describe('softmax and logSoftmax', () => {
  test('are the normalised exponentials of each row', () => {
    const x = f64([2, 2], [0, Math.log(3), 5, 5]);
    expectClose(runFloat('softmax', {}, [x], [2, 2]), [0.25, 0.75, 0.5, 0.5]);
    expectClose(runFloat('logSoftmax', {}, [x], [2, 2]), [0.25, 0.75, 0.5, 0.5].map(Math.log));
  });

  test('are stable: only differences count', () => {
    expectClose(runFloat('softmax', {}, [f64([2], [1e30, 1e30])], [2]), [0.5, 0.5]);
    expectClose(runFloat('softmax', {}, [f64([3], [1000, 0, -1000])], [3]), [1, 0, 0]);
    expectClose(runFloat('logSoftmax', {}, [f64([3], [1000, 0, -1000])], [3]), [0, -1000, -2000]);
    expectClose(runFloat('softmax', {}, [f64([2], [-Infinity, 3])], [2]), [0, 1]);
  });

  test('NaN passes through its row only', () => {
    expect(runFloat('softmax', {}, [f64([2, 2], [NaN, 1, 2, 2])], [2, 2])).toEqual([NaN, NaN, 0.5, 0.5]);
  });

  test.each(['softmax', 'logSoftmax'])('%s: the gradient agrees with differences', (kernel) => {
    const random = new RandomValues(3);
    const shape = [3, 4];
    const [x, dy] = [f64(shape, random.doubles(shape, -2, 2)), f64(shape, random.doubles(shape))];
    const y = f64(shape, runFloat(kernel, {}, [x], shape));
    const loss = (v: Float64Array): number => dot(dy.data, runFloat(kernel, {}, [f64(shape, v)], shape));
    expectClose(runFloat(`${kernel}Backward`, {}, [y, dy], shape), numericGradient(loss, x.data), 1e-8);
  });

  test('refuses a scalar and other shapes', () => {
    expect(() => runFloat('softmax', {}, [f64([], [1])], [])).toThrow(/rank 1/);
    expect(() => runFloat('softmax', {}, [f64([2], [1, 2])], [1, 2])).toThrow(/shape/);
  });
});

describe('cross-entropies', () => {
  const random = new RandomValues(11);
  const [n, c] = [4, 5];
  const logits = f64([n, c], random.doubles([n, c], -3, 3));
  const labels = i32([n], [0, 4, 2, 2]);
  const targets = f64([n, c], random.doubles([n, c], 0, 1));
  const dloss = f64([n], random.doubles([n]));

  test('the loss of a label is minus the log of its probability', () => {
    const p = runFloat('softmax', {}, [logits], [n, c]);
    const expected = [0, 4, 2, 2].map((label, row) => -Math.log(p[row * c + label]!));
    expectClose(runFloat('sparseSoftmaxCrossEntropy', {}, [logits, labels], [n]), expected);
  });

  test('targets of one 1 a row are labels', () => {
    const onehot = f64(
      [n, c],
      Array.from({ length: n * c }, (_, i) => (labels.data[Math.floor(i / c)] === i % c ? 1 : 0)),
    );
    const sparse = runFloat('sparseSoftmaxCrossEntropy', {}, [logits, labels], [n]);
    expectClose(runFloat('softmaxCrossEntropy', {}, [logits, onehot], [n]), sparse);
  });

  test.each([
    ['sparseSoftmaxCrossEntropy', labels],
    ['softmaxCrossEntropy', targets],
  ])('%s: the gradient agrees with differences', (kernel, truth) => {
    const loss = (v: Float64Array): number => dot(dloss.data, runFloat(kernel, {}, [f64([n, c], v), truth], [n]));
    const dlogits = runFloat(`${kernel}Backward`, {}, [logits, truth, dloss], [n, c]);
    expectClose(dlogits, numericGradient(loss, logits.data), 1e-8);
  });

  test('large logits cost no accuracy', () => {
    expectClose(runFloat('sparseSoftmaxCrossEntropy', {}, [f64([1, 2], [800, -800]), i32([1], [1])], [1]), [1600]);
  });

  test.each([
    ['sparseSoftmaxCrossEntropy', [f64([2, 3], [1, 2, 3, 4, 5, 6]), i32([2], [0, 3])], [2], 'label 3 in row 1'],
    ['sparseSoftmaxCrossEntropy', [f64([2, 3], [1, 2, 3, 4, 5, 6]), i32([2], [-1, 0])], [2], 'label -1 in row 0'],
    [
      'sparseSoftmaxCrossEntropyBackward',
      [f64([2, 3], [1, 2, 3, 4, 5, 6]), i32([2], [0, 7]), f64([2], [1, 1])],
      [2, 3],
      'label 7 in row 1',
    ],
  ])('%s: a label out of range is an execution error that names it', (kernel, inputs, shape, text) => {
    expect(() => runFloat(kernel, {}, inputs, shape)).toThrow(
      expect.objectContaining({
        code: 'ERR_EXECUTION',
        op: kernel,
        layer: 'test',
        message: expect.stringContaining(text) as string,
      }),
    );
  });

  test('refuse labels that are not int32 or not one a row', () => {
    expect(() => runFloat('sparseSoftmaxCrossEntropy', {}, [logits, f64([n], [0, 0, 0, 0])], [n])).toThrow(/int32/);
    expect(() => runFloat('sparseSoftmaxCrossEntropy', {}, [logits, i32([1], [0])], [n])).toThrow(/labels/);
    expect(() => runFloat('softmaxCrossEntropy', {}, [logits, f64([n], [0, 0, 0, 0])], [n])).toThrow(/targets/);
  });
});
