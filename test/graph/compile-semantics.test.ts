import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  compile,
  devices,
  FoveaError,
  hostScalar,
  ops,
  setDevice,
  tensor,
  valueAndGrad,
  withDevice,
  Variable,
  zeros,
  type Tensor,
} from '../../lib/index.js';

const present = devices().present.map((d) => d.name);
const numbers = async (t: { data(): Promise<ArrayLike<number>> }): Promise<number[]> => Array.from(await t.data());

describe.each(present)('compile on %s', (device) => {
  beforeEach(() => setDevice(device));
  afterEach(() => setDevice('reference'));

  test('traces once per argument shapes and types, and tells why', async () => {
    let calls = 0;
    const double = compile((x: Tensor) => {
      calls++;
      return x.mul(2);
    });
    expect(await numbers(double(tensor([1, 2])))).toEqual([2, 4]);
    expect(await numbers(double(tensor([3, 4])))).toEqual([6, 8]);
    expect(await numbers(double(tensor([1, 2, 3])))).toEqual([2, 4, 6]);
    expect(calls).toBe(2);
    expect(double.statistics).toMatchObject({ traces: 2, runs: 3, reasons: ['( float32[2] )', '( float32[3] )'] });
  });

  test('numbers in arguments and host values are inputs: changing them traces nothing anew', async () => {
    let rate = 1;
    let calls = 0;
    const scale = compile((x: Tensor, by: number | Tensor) => {
      calls++;
      return x.mul(by).mul(hostScalar(() => rate));
    });
    expect(await numbers(scale(tensor([1, 2]), 3))).toEqual([3, 6]);
    rate = 10;
    expect(await numbers(scale(tensor([1, 2]), 5))).toEqual([50, 100]);
    expect(calls).toBe(1);
  });

  test('a variable read before an assign keeps its value, whenever it is computed', async () => {
    const v = new Variable(tensor([1, 2]));
    const before = v.value;
    const pending = v.value.add(10);
    v.assign(tensor([5, 6]));
    expect(await numbers(before)).toEqual([1, 2]);
    expect(await numbers(pending)).toEqual([11, 12]);
    expect(await numbers(v)).toEqual([5, 6]);
  });

  test('updates in place never change what others have read', async () => {
    const v = new Variable(tensor([1, 2]));
    const step = compile(() => {
      v.assign(v.value.mul(2));
      return v.value.sum();
    });
    const read = [v.value];
    for (let i = 0; i < 3; i++) {
      await step().data();
      read.push(v.value);
      await step().data();
    }
    expect(await Promise.all(read.map(numbers))).toEqual([
      [1, 2],
      [2, 4],
      [8, 16],
      [32, 64],
    ]);
    expect(await numbers(v)).toEqual([64, 128]);
  });

  test('two variables swap their values', async () => {
    const a = new Variable(tensor([1]));
    const b = new Variable(tensor([2]));
    const swap = compile(() => {
      const [x, y] = [a.value, b.value];
      a.assign(y);
      b.assign(x);
      return [];
    });
    swap();
    expect([await numbers(a), await numbers(b)]).toEqual([[2], [1]]);
    swap();
    expect([await numbers(a), await numbers(b)]).toEqual([[1], [2]]);
  });

  test('results may be arguments, variables, constants of the trace, the same tensor twice', async () => {
    const v = new Variable(tensor([7]));
    const constant = tensor([3]);
    const f = compile((x: Tensor) => {
      const old = v.value;
      v.assign(old.add(1));
      const y = x.add(constant);
      return { x, old, now: v.value, constant, y, again: y, flat: y.reshape([1, 1]) };
    });
    const out = f(tensor([10]));
    const values = Object.fromEntries(
      await Promise.all(Object.entries(out).map(async ([k, t]) => [k, await numbers(t)] as const)),
    );
    expect(values).toEqual({ x: [10], old: [7], now: [8], constant: [3], y: [13], again: [13], flat: [13] });
    expect(out.flat.shape).toEqual([1, 1]);
  });

  test('learns: a hand-written training step', async () => {
    const x = tensor([[0], [1], [2], [3]]);
    const y = tensor([[1], [3], [5], [7]]);
    const w = new Variable(zeros([1, 1]), { name: 'w' });
    const b = new Variable(zeros([1]), { name: 'b' });
    const step = compile((images: Tensor, targets: Tensor) => {
      const { value, grads } = valueAndGrad(() =>
        ops.mean(ops.squaredDifference(ops.dense(images, w.value, b.value), targets)),
      );
      for (const [variable, g] of grads) variable.assign(variable.value.sub(g.mul(0.1)));
      return value;
    });
    for (let i = 0; i < 300; i++) step(x, y).dispose();
    expect((await numbers(w))[0]).toBeCloseTo(2, 3);
    expect((await numbers(b))[0]).toBeCloseTo(1, 3);
    expect(step.statistics.traces).toBe(1);
  });

  test('an error of the computation reaches the reader; variables keep their values and the function goes on', async () => {
    const v = new Variable(tensor([1]));
    const f = compile((logits: Tensor, labels: Tensor) => {
      const loss = ops.sparseSoftmaxCrossEntropy(logits, labels).sum();
      v.assign(v.value.add(1));
      return loss;
    });
    const logits = tensor([[1, 2, 3]]);
    await expect(f(logits, tensor(Int32Array.from([9]))).data()).rejects.toThrow(/label 9/);
    expect(await numbers(v)).toEqual([1]);
    expect(() => f(logits, tensor(Int32Array.from([9]))).dataSync()).toThrow(FoveaError);
    expect((await numbers(f(logits, tensor(Int32Array.from([2])))))[0]).toBeGreaterThan(0);
    expect(await numbers(v)).toEqual([2]);
  });

  test('refuses what a trace cannot do, with words that help', async () => {
    let leaked: Tensor | undefined;
    const leak = compile((x: Tensor) => {
      leaked = x.add(1);
      return leaked;
    });
    leak(tensor([1]));
    await expect(leaked!.data()).rejects.toThrow(/traced function.*return it from the function/s);
    const reads = compile((x: Tensor) => tensor(Array.from(x.dataSync())));
    expect(() => reads(tensor([1]))).toThrow(/while it is being traced/);
    const waits = compile((x: Tensor) => Promise.resolve(x));
    expect(() => waits(tensor([1]))).toThrow(/received a promise/);
    const wrong = compile(() => 'text' as unknown as Tensor);
    expect(wrong()).toBe('text'); // plain values pass through
    const strange = compile((x: Tensor) => new Map([[x, x]]));
    expect(() => strange(tensor([1]))).toThrow(/received Map/);
  });

  test('a compiled function called in a trace becomes part of it', async () => {
    const inner = compile((x: Tensor) => x.mul(3));
    const outer = compile((x: Tensor) => inner(x).add(1));
    expect(await numbers(outer(tensor([2])))).toEqual([7]);
    expect(inner.statistics.traces).toBe(0);
  });

  test('results asked for at once come in the order asked', async () => {
    const v = new Variable(tensor([0]));
    const next = compile(() => {
      v.assign(v.value.add(1));
      return v.value;
    });
    const order = await Promise.all(Array.from({ length: 20 }, () => numbers(next())));
    expect(order.flat()).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  test('profile names every kernel with its layer', async () => {
    const f = compile((x: Tensor) => ops.softmax(x.mul(2)).sum());
    const steps = await f.profile(tensor([[1, 2, 3]]));
    expect(steps.map((s) => s.kernel)).toEqual(['elementwise', 'softmax', 'reduce']);
    expect(steps.every((s) => s.milliseconds >= 0 && s.bytes > 0)).toBe(true);
  });

  test('a chain of ten thousand ops neither overflows the stack nor keeps its links', async () => {
    let x = tensor([1]);
    for (let i = 0; i < 10_000; i++) x = x.add(1);
    expect(await numbers(x)).toEqual([10_001]);
  });
});

test('withDevice holds across awaits, and only for its own work', async () => {
  setDevice('reference');
  const other = present.find((d) => d !== 'reference') ?? 'reference';
  const inside = withDevice(other, async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return zeros([1]).device;
  });
  expect(zeros([1]).device).toBe('reference');
  expect(await inside).toBe(other);
});
