import { describe, expect, it } from 'vitest';
import { compile, grad, ops, tensor, withDevice, type Tensor } from '../../lib/index.js';
import { testDevices } from '../support/devices.js';

const names = testDevices();

describe.each(names)('bfloat16 on %s', (device) => {
  const on = <T>(fn: () => T): T => withDevice(device, fn);

  it('rounds what it is made from to the nearest, ties to even', () => {
    // 1 + 2^-8 lies between 1 and 1 + 2^-7.
    const values = [1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, -1.005, 3e38, Infinity, NaN, -0];
    const rounded = [1, 1 + 2 ** -6, 1 + 2 ** -7, -1.0078125, 226 * 2 ** 120, Infinity, NaN, -0];
    const made = on(() => tensor(values, undefined, { dtype: 'bfloat16' }));
    expect(made.dtype).toBe('bfloat16');
    expect(made.dataSync()).toBeInstanceOf(Float32Array);
    expect([...made.dataSync()]).toEqual(rounded);
    expect([...on(() => ops.cast(tensor(values), 'bfloat16')).dataSync()]).toEqual(rounded);
  });

  it('casts back exactly, and rounds where a cast asks for it also within one program', () => {
    const x = on(() => tensor([1.003, -2.71828, 1e-3]));
    const there = ops.cast(ops.cast(x, 'bfloat16'), 'float32');
    const fused = compile((t: Tensor) => ops.mul(ops.cast(ops.cast(ops.mul(t, 1), 'bfloat16'), 'float32'), 3))(x);
    const narrow = ops.cast(x, 'bfloat16').dataSync();
    expect(there.dataSync()).toEqual(narrow);
    expect(fused.dataSync()).toEqual(narrow.map((v) => v * 3));
  });

  it('has gradients that pass through casts', () => {
    const slope = on(() => grad((x) => ops.sum(ops.cast(ops.square(ops.cast(x, 'bfloat16')), 'float32')))([1, 2, -3]));
    expect(slope.dtype).toBe('float32');
    expect([...slope.dataSync()]).toEqual([2, 4, -6]);
  });

  it('moves as other types do', () => {
    const x = on(() => tensor([[1, 2, 3], [4, 5, 6]], undefined, { dtype: 'bfloat16' })); // prettier-ignore
    expect([...ops.transpose(x).dataSync()]).toEqual([1, 4, 2, 5, 3, 6]);
    expect([...ops.concat([x, x], 1).dataSync()]).toEqual([1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]);
    expect([...ops.pad(x, [[0, 0], [1, 0]], 9).dataSync()]).toEqual([9, 1, 2, 3, 9, 4, 5, 6]); // prettier-ignore
  });
});

it('stores what is only widened wide at once, and packs weights from what they are', async () => {
  const step = compile((x: Tensor, w: Tensor) => {
    const narrow = ops.cast(x, 'bfloat16');
    return grad((k) => ops.sum(ops.cast(ops.conv2d(narrow, ops.cast(k, 'bfloat16')), 'float32')))(w);
  });
  const args = withDevice('reference', () => [ops.randomNormal([1, 5, 5, 2], 1), ops.randomNormal([3, 3, 2, 4], 2)]);
  const [x, w] = args as [Tensor, Tensor];
  expect(step(x, w).dtype).toBe('float32');
  const kernels = (await step.profile(x, w)).map((s) => s.op);
  expect(kernels.filter((op) => op === 'castFloat')).toEqual([]);
});
