import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compile, currentDevice, devices, ops, setDevice, tensor, Variable, type Tensor } from '../../lib/index.js';

describe.each(devices().present.map((d) => d.name))('variables on %s', (device) => {
  const chosen = currentDevice();
  beforeEach(() => setDevice(device));
  afterEach(() => setDevice(chosen));
  const make = (...values: number[]): Variable => new Variable(t(...values), { name: 'w' });
  const t = (...values: number[]): Tensor => tensor(values, undefined, { device });

  it('a read before an assignment keeps the old value, even if it is evaluated later', async () => {
    const w = make(1, 2);
    const before = w.value;
    const pending = w.value.mul(10);
    w.assign(t(3, 4));
    const between = w.value.add(1);
    w.assign(w.value.mul(100));
    expect(await w.value.array()).toEqual([300, 400]);
    expect(await between.array()).toEqual([4, 5]);
    expect(await pending.array()).toEqual([10, 20]);
    expect(await before.array()).toEqual([1, 2]);
  });

  it('a read before a compiled update in place keeps the old value', async () => {
    const w = make(1, 2);
    const step = compile((x: Tensor) => {
      const old = w.value;
      w.assign(old.add(x));
      return old.mul(1);
    });
    step(t(1, 1)); // from here on the variable owns its buffer
    const pending = w.value.mul(10);
    const held = w.value;
    const returned = [step(t(1, 1)), step(t(1, 1))];
    expect(await w.data()).toEqual(Float32Array.of(4, 5));
    expect(await pending.array()).toEqual([20, 30]);
    expect(await held.array()).toEqual([2, 3]);
    expect(await Promise.all(returned.map((r) => r.array()))).toEqual([
      [2, 3],
      [3, 4],
    ]);
  });

  it('two variables change places in a compiled function', async () => {
    const [a, b] = [make(1), make(2)];
    const swap = compile(() => {
      const old = a.value;
      a.assign(b.value);
      b.assign(old);
      return { a: a.value, b: b.value };
    });
    const first = swap();
    const second = swap();
    expect([await first.a.item(), await first.b.item(), await second.a.item(), await second.b.item()]).toEqual([
      2, 1, 1, 2,
    ]);
    expect([await a.data(), await b.data()]).toEqual([Float32Array.of(1), Float32Array.of(2)]);
  });

  it('the assigned tensor is not changed when the variable changes in place', async () => {
    const [w, x] = [make(0, 0), t(5, 6)];
    w.assign(x);
    const step = compile(() => {
      w.assign(w.value.add(1));
    });
    step();
    step();
    expect(await w.value.array()).toEqual([7, 8]);
    expect(await x.array()).toEqual([5, 6]);
  });

  it('the tensor that was assigned may be disposed, also while tracing', async () => {
    const w = make(1);
    const next = w.value.add(1);
    w.assign(next);
    next.dispose();
    expect(await w.value.item()).toBe(2);
    const step = compile(() => {
      const made = w.value.mul(3);
      w.assign(made);
      made.dispose();
    });
    step();
    expect(await w.value.item()).toBe(6);
  });

  it('refuses another shape and type, and use after dispose', async () => {
    const w = make(1, 2);
    expect(() => w.assign(t(1))).toThrow('assign "w": expected [2], received [1]');
    expect(() => w.assign(t(1, 2).cast('int32'))).toThrow('assign "w": expected float32, received int32');
    expect(String(w)).toBe('Variable "w" float32 [2]');
    w.dispose();
    w.dispose();
    expect(w.isDisposed).toBe(true);
    expect(() => w.value).toThrow('variable "w": expected a live variable, received one that was disposed');
    expect(() => w.assign(t(1, 2))).not.toThrow();
  });

  it('evaluations asked for at once run in the order asked', async () => {
    const w = make(0);
    const step = compile((x: Tensor) => {
      w.assign(ops.add(ops.mul(w.value, 10), x));
      return w.value;
    });
    const reads = [1, 2, 3, 4].map((digit) => step(t(digit)).item());
    const mixed = w.value.add(0.5);
    expect(await Promise.all(reads)).toEqual([1, 12, 123, 1234]);
    expect(await mixed.item()).toBe(1234.5);
  });
});
