import { describe, expect, it } from 'vitest';
import { compile, grad, ops, tensor, withDevice, type Tensor } from '../../lib/index.js';
import type { NarrowDType } from '../../lib/tensor/dtype.js';
import { fromPatterns, toPatterns } from '../../lib/tensor/narrow.js';
import { testDevices } from '../support/devices.js';

const names = testDevices();

/** Numbers, and the nearest of a type: ties go to the even one. */
const ROUNDED: Readonly<Record<NarrowDType, readonly (readonly [given: number, nearest: number])[]>> = {
  bfloat16: [
    [1 + 2 ** -8, 1], // halfway between 1 and 1 + 2^-7
    [1 + 3 * 2 ** -8, 1 + 2 ** -6],
    [1 + 2 ** -8 + 2 ** -20, 1 + 2 ** -7],
    [-1.005, -1.0078125],
    [3e38, 226 * 2 ** 120],
    [Infinity, Infinity],
    [NaN, NaN],
    [-0, -0],
  ],
  float16: [
    [1 + 2 ** -11, 1], // halfway between 1 and 1 + 2^-10
    [1 + 3 * 2 ** -11, 1 + 2 ** -9],
    [1 + 2 ** -11 + 2 ** -20, 1 + 2 ** -10],
    [-1.005, -1.0048828125],
    [65504, 65504],
    [65519, 65504],
    [65520, Infinity], // halfway to the number that would come next
    [-1e6, -Infinity],
    [2 ** -14, 2 ** -14], // the smallest normal number
    [2 ** -14 - 2 ** -25, 2 ** -14],
    [3 * 2 ** -24 + 2 ** -30, 3 * 2 ** -24], // subnormals are kept
    [1.5 * 2 ** -24, 2 ** -23],
    [2 ** -25, 0],
    [-(2 ** -26), -0],
    [Infinity, Infinity],
    [NaN, NaN],
    [-0, -0],
  ],
};
const types = Object.keys(ROUNDED) as NarrowDType[];

describe.each(names.flatMap((device) => types.map((type) => [device, type] as const)))('on %s, %s', (device, type) => {
  const on = <T>(fn: () => T): T => withDevice(device, fn);

  it('rounds what it is made from to the nearest, ties to even', () => {
    const values = ROUNDED[type].map(([given]) => given);
    const rounded = ROUNDED[type].map(([, nearest]) => nearest);
    const made = on(() => tensor(values, undefined, { dtype: type }));
    expect(made.dtype).toBe(type);
    expect(made.dataSync()).toBeInstanceOf(Float32Array);
    expect([...made.dataSync()]).toEqual(rounded);
    expect([...on(() => ops.cast(tensor(values), type)).dataSync()]).toEqual(rounded);
  });

  it('casts back exactly, and rounds where a cast asks for it also within one program', () => {
    const x = on(() => tensor([1.003, -2.71828, 1e-3]));
    const there = ops.cast(ops.cast(x, type), 'float32');
    const fused = compile((t: Tensor) => ops.mul(ops.cast(ops.cast(ops.mul(t, 1), type), 'float32'), 3))(x);
    const narrow = ops.cast(x, type).dataSync();
    expect(there.dataSync()).toEqual(narrow);
    expect(fused.dataSync()).toEqual(narrow.map((v) => v * 3));
  });

  it('has gradients that pass through casts', () => {
    const slope = on(() => grad((x) => ops.sum(ops.cast(ops.square(ops.cast(x, type)), 'float32')))([1, 2, -3]));
    expect(slope.dtype).toBe('float32');
    expect([...slope.dataSync()]).toEqual([2, 4, -6]);
  });

  it('moves as other types do', () => {
    const x = on(() => tensor([[1, 2, 3], [4, 5, 6]], undefined, { dtype: type })); // prettier-ignore
    expect([...ops.transpose(x).dataSync()]).toEqual([1, 4, 2, 5, 3, 6]);
    expect([...ops.concat([x, x], 1).dataSync()]).toEqual([1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]);
    expect([...ops.pad(x, [[0, 0], [1, 0]], 9).dataSync()]).toEqual([9, 1, 2, 3, 9, 4, 5, 6]); // prettier-ignore
  });
});

it.each(types)('%s: every pattern is a number that becomes this pattern again', (type) => {
  const patterns = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i);
  const values = fromPatterns(type, patterns);
  const again = toPatterns(type, values);
  patterns.forEach((pattern, i) => {
    // NaN stays NaN, with its quiet bit set.
    if (Number.isNaN(values[i])) expect(Number.isNaN(fromPatterns(type, again.slice(i, i + 1))[0])).toBe(true);
    else if (again[i] !== pattern) expect.fail(`pattern ${pattern}: ${values[i]} became ${again[i]}`);
  });
});

it.each(types)('%s: stores what is only widened wide at once, and packs weights from what they are', async (type) => {
  const step = compile((x: Tensor, w: Tensor) => {
    const narrow = ops.cast(x, type);
    return grad((k) => ops.sum(ops.cast(ops.conv2d(narrow, ops.cast(k, type)), 'float32')))(w);
  });
  const args = withDevice('reference', () => [ops.randomNormal([1, 5, 5, 2], 1), ops.randomNormal([3, 3, 2, 4], 2)]);
  const [x, w] = args as [Tensor, Tensor];
  expect(step(x, w).dtype).toBe('float32');
  const kernels = (await step.profile(x, w)).map((s) => s.op);
  expect(kernels.filter((op) => op === 'castFloat')).toEqual([]);
});
