import { describe, expect, it } from 'vitest';
import { ops, tensor, withDevice, type Tensor } from '../../lib/index.js';
import { testDevices } from '../support/devices.js';

const NAN = Number.NaN;
const INF = Infinity;
const SPECIAL = [NAN, INF, -INF, 0, -0, 1, -1, 1e30, -1e30, 1e-30, 88, -88, 104, -104, 1e38, -1e38, 0.5, 2.5, -2.5, 3];

/** NaN, infinities and extremes: the reference is held to the contract, the others to the reference. */
const device = testDevices();
const reading = (name: string, fn: () => Tensor): number[] => withDevice(name, () => Array.from(fn().dataSync()));
const on = (name: string, values: readonly number[], fn: (x: Tensor) => Tensor, shape?: number[]): number[] =>
  reading(name, () => fn(tensor([...values], shape)));

describe.each(device)('special values on %s', (name) => {
  const UNARY = {
    ...Object.fromEntries(
      (
        [
          ...['neg', 'abs', 'sign', 'exp', 'expm1', 'log', 'log1p', 'sqrt', 'rsqrt', 'square', 'reciprocal', 'floor'],
          ...['ceil', 'round', 'erf', 'relu', 'relu6', 'tanh', 'sigmoid', 'softplus', 'silu', 'hardSigmoid', 'selu'],
          ...['leakyRelu', 'elu', 'gelu', 'isNaN', 'isFinite'],
        ] as 'neg'[]
      ).map((op) => [op, (x: Tensor) => ops[op](x)] as const),
    ),
    geluTanh: (x: Tensor) => ops.gelu(x, true),
    clip: (x: Tensor) => ops.clip(x, -1, 1),
    'clip to infinity': (x: Tensor) => ops.clip(x, -Infinity, 5),
    toInt: (x: Tensor) => ops.cast(x, 'int32'),
    'to bool': (x: Tensor) => ops.cast(x, 'bool'),
    'to uint8': (x: Tensor) => ops.cast(x, 'uint8'),
  };
  it.each(Object.entries(UNARY))('%s', (_op, fn) => {
    expectLike(on(name, SPECIAL, fn), on('reference', SPECIAL, fn), SPECIAL);
  });

  it.each([
    ...['add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum', 'equal', 'notEqual', 'less', 'greaterEqual'],
    ...['mod', 'floorDiv'],
  ] as 'add'[])('%s of every pair', (op) => {
    const values = op === ('mod' as string) || op === ('floorDiv' as string) ? [NAN, 0, 1, -1, 2.5, -2.5, 3] : SPECIAL;
    const pairs = values.flatMap((a) => values.map((b) => [a, b] as const));
    const fn = (): Tensor => ops[op](tensor(pairs.map(([a]) => a)), tensor(pairs.map(([, b]) => b)));
    expectLike(reading(name, fn), reading('reference', fn), pairs);
  });

  it('exp of extremes is 0 and infinity, NaN passes through', () => {
    expect(on(name, [-1e30, -INF, -104, 1e30, INF, NAN], ops.exp)).toEqual([0, 0, 0, INF, INF, NAN]);
  });

  it('max, min, maximum and minimum propagate NaN', () => {
    for (const fn of [ops.max, ops.min]) {
      expect(on(name, [1, NAN, 3, 4, 5, 6], (x) => fn(x, { axes: 1 }), [2, 3])[0]).toBeNaN();
      expect(on(name, [1, NAN, 3, 4, 5, 6], (x) => fn(x, { axes: 0 }), [2, 3])[1]).toBeNaN();
      expect(
        on(
          name,
          Array.from({ length: 67 }, (_, i) => (i === 61 ? NAN : i)),
          (x) => fn(x),
        )[0],
      ).toBeNaN();
    }
    expect(on(name, [1, NAN], (x) => ops.maximum(x, 2))).toEqual([2, NAN]);
    expect(on(name, [1, NAN], (x) => ops.minimum(2, x))).toEqual([1, NAN]);
  });

  it('reductions of nothing: 0, 1, -inf, inf', () => {
    const empty = (fn: (x: Tensor) => Tensor): number[] => reading(name, () => fn(tensor([], [2, 0])));
    expect(empty((x) => ops.sum(x, { axes: 1 }))).toEqual([0, 0]);
    expect(empty((x) => ops.prod(x, { axes: 1 }))).toEqual([1, 1]);
    expect(empty((x) => ops.max(x, { axes: 1 }))).toEqual([-INF, -INF]);
    expect(empty((x) => ops.min(x, { axes: 1 }))).toEqual([INF, INF]);
  });

  it('max pooling propagates NaN and never takes padding', () => {
    const image = [1, 2, NAN, 4, -5, -6, -7, -8, -9];
    const pool = (x: Tensor): Tensor => ops.maxPool2d(x, { poolSize: 2, strides: 2, padding: 'same' });
    expect(on(name, image, pool, [1, 3, 3, 1])).toEqual([4, NAN, -7, -9]);
    expect(on(name, [-INF, -INF, -INF, -INF], pool, [1, 2, 2, 1])).toEqual([-INF]);
  });

  it('argMax takes the first of equals, and a NaN like the reference', () => {
    expect(on(name, [1, 3, 3, 2, 3], (x) => ops.argMax(x))).toEqual([1]);
    const odd = [1, NAN, 3, NAN, -INF, -INF, -INF, -INF];
    const fn = (x: Tensor): Tensor => ops.argMax(x, 1);
    expect(on(name, odd, fn, [2, 4])).toEqual(on('reference', odd, fn, [2, 4]));
  });

  it('softmax and logSoftmax of extremes', () => {
    for (const fn of [ops.softmax, ops.logSoftmax]) {
      const rows = [1e30, 0, -1e30, 1000, 999, -1000, -INF, 0, 1, NAN, 0, 0];
      expectLike(
        on(name, rows, (x) => fn(x), [4, 3]),
        on('reference', rows, (x) => fn(x), [4, 3]),
        rows,
      );
    }
    expect(on(name, [1e30, 0, -1e30], (x) => ops.softmax(x))).toEqual([1, 0, 0]);
  });

  it('NaN goes through matmul, conv2d, batchNorm and resize', () => {
    const x = [NAN, 1, 2, 3, 4, 5, 6, 7, 8];
    const fns: ((x: Tensor) => Tensor)[] = [
      (t) => ops.matmul(t.reshape([3, 3]), ops.onesLike(t.reshape([3, 3]))),
      (t) => ops.conv2d(t.reshape([1, 3, 3, 1]), tensor([1, 1, 1, 1], [2, 2, 1, 1])),
      (t) => ops.avgPool2d(t.reshape([1, 3, 3, 1])),
      (t) => ops.batchNorm(t.reshape([3, 3]), tensor([1, 1, 1]), tensor([0, 0, 0])).y,
      (t) => ops.resize(t.reshape([1, 3, 3, 1]), 5),
    ];
    for (const fn of fns) expectLike(on(name, x, fn), on('reference', x, fn), []);
  });
});

/** NaN where NaN is, the same infinities, and elsewhere float32 near; overflow of float32 is infinity on both. */
function expectLike(received: readonly number[], expected: readonly number[], given: readonly unknown[]): void {
  expect(received.length).toBe(expected.length);
  received.forEach((a, i) => {
    const b = expected[i]!;
    const same = Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-5 * Math.max(1e-30, Math.abs(b));
    if (!same) expect.fail(`of ${JSON.stringify(given[i] ?? i)}: expected ${b}, received ${a}`);
  });
}
