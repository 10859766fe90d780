import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { compile, ops, range, scalar, tensor, zeros, type Tensor } from '../../lib/index.js';

describe('reading', () => {
  it('gives typed arrays of the dtype, the same each time', async () => {
    const x = tensor([1, -2]).mul(2);
    expect(await x.data()).toEqual(Float32Array.of(2, -4));
    expect(x.dataSync()).toEqual(await x.data());
    expect(await x.cast('int32').data()).toEqual(Int32Array.of(2, -4));
    expect(await x.greater(0).data()).toEqual(Uint8Array.of(1, 0));
  });

  it('gives nested arrays and single numbers', async () => {
    expect(await range(0, 6).reshape([1, 3, 2]).array()).toEqual([
      [
        [0, 1],
        [2, 3],
        [4, 5],
      ],
    ]);
    expect(await tensor(5).array()).toBe(5);
    expect(await tensor([[7]]).item()).toBe(7);
    expect(tensor([[7]]).itemSync()).toBe(7);
    await expect(tensor([1, 2]).item()).rejects.toThrow('item: expected a tensor of one element, received shape [2]');
    expect(() => tensor([]).itemSync()).toThrow('itemSync: expected a tensor of one element, received shape [0]');
  });

  it('is refused inside a traced function, and after it', () => {
    const inside = compile((x: Tensor) => {
      x.dataSync();
      return x;
    });
    expect(() => inside(tensor([1]))).toThrow(
      /dataSync: this tensor is computed inside the traced function .* while it is being traced/,
    );
    let leaked: Tensor | undefined;
    const leaking = compile((x: Tensor) => {
      leaked = x.add(1);
      return x.mul(2);
    });
    leaking(tensor([1]));
    expect(() => leaked!.dataSync()).toThrow(/return it from the function instead/);
  });

  it('slices', async () => {
    const x = range(0, 24, 1, { dtype: 'float32' }).reshape([2, 3, 4]);
    expect(await x.slice([1, 0, 2], [1, 2, 2]).array()).toEqual([
      [
        [14, 15],
        [18, 19],
      ],
    ]);
    expect(await x.slice([0, -1, 0], [-1, 1, 1]).array()).toEqual([[[8]], [[20]]]);
    expect(await x.slice([2, 0, 0], [0, 3, 4]).array()).toEqual([]);
    expect(await ops.split(x, 2, 0)[1]!.slice([0, 0, 0], [1, 1, -1]).array()).toEqual([[[12, 13, 14, 15]]]);
  });
});

describe('printing', () => {
  const text = (t: Tensor): string => {
    t.dataSync();
    return t.toString();
  };

  it.each<[string, () => Tensor, string]>([
    ['a scalar', () => scalar(3), 'Tensor float32 []\n3.0000'],
    ['a vector', () => tensor([1, -2.5, 100]), 'Tensor float32 [3]\n[  1.0000,  -2.5000, 100.0000]'],
    [
      'a matrix',
      () =>
        tensor([
          [1, 2],
          [3, 40],
        ]),
      'Tensor float32 [2,2]\n[[ 1.0000,  2.0000],\n [ 3.0000, 40.0000]]',
    ],
    ['whole numbers', () => range(-1, 2), 'Tensor int32 [3]\n[-1,  0,  1]'],
    ['truths', () => tensor([1, 0], undefined, { dtype: 'bool' }), 'Tensor bool [2]\n[ true, false]'],
    ['extremes', () => tensor([1e-9, 1e9]), 'Tensor float32 [2]\n[1.0000e-9, 1.0000e+9]'],
    ['no numbers', () => tensor([Number.NaN, Infinity]), 'Tensor float32 [2]\n[     NaN, Infinity]'],
    ['nothing', () => zeros([0]), 'Tensor float32 [0]\n[]'],
    ['rank 3', () => range(0, 4).reshape([2, 1, 2]), 'Tensor int32 [2,1,2]\n[[[0, 1]],\n\n [[2, 3]]]'],
    ['a long vector', () => range(0, 100), 'Tensor int32 [100]\n[ 0,  1,  2, ..., 97, 98, 99]'],
    [
      'a long matrix',
      () => range(0, 20).reshape([10, 2]),
      'Tensor int32 [10,2]\n[[ 0,  1],\n [ 2,  3],\n [ 4,  5],\n ...,\n [14, 15],\n [16, 17],\n [18, 19]]',
    ],
  ])('%s', (_name, make, expected) => {
    expect(text(make())).toBe(expected);
  });

  it('computes nothing by itself, and says so', () => {
    const x = tensor([1, 2]).add(1);
    expect(String(x)).toBe('Tensor float32 [2] (not computed)');
    expect(inspect({ x })).toContain('Tensor float32 [2] (not computed)');
    x.dataSync();
    expect(String(x)).toBe('Tensor float32 [2]\n[2.0000, 3.0000]');
    x.dispose();
    expect(String(x)).toBe('Tensor float32 [2] (disposed)');
  });

  it('print() computes and writes', () => {
    const write = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    try {
      tensor([1]).add(1).print();
      expect(write.mock.calls).toEqual([['Tensor float32 [1]\n[2.0000]']]);
    } finally {
      write.mockRestore();
    }
  });

  it('a large image is a screenful', () => {
    const lines = text(zeros([32, 224, 224, 3])).split('\n');
    expect(lines.length).toBeLessThan(400);
  });
});
