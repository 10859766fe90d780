import { describe, expect, it } from 'vitest';
import {
  currentDevice,
  fill,
  ones,
  ops,
  range,
  scalar,
  setDevice,
  tensor,
  zeros,
  type DType,
} from '../../lib/index.js';

describe('tensor()', () => {
  it.each<[string, Parameters<typeof tensor>[0], number[], number[]]>([
    ['a number', 3, [], [3]],
    ['a list', [1, 2, 3], [3], [1, 2, 3]],
    ['nested arrays', [[[1, 2]], [[3, 4]], [[5, 6]]], [3, 1, 2], [1, 2, 3, 4, 5, 6]],
    ['nothing', [], [0], []],
    ['rows of nothing', [[], []], [2, 0], []],
    ['a Float32Array', Float32Array.of(1, 2), [2], [1, 2]],
  ])('from %s', async (_name, values, shape, data) => {
    const t = tensor(values);
    expect([t.shape, t.dtype, t.rank, t.size]).toEqual([shape, 'float32', shape.length, data.length]);
    expect(Array.from(await t.data())).toEqual(data);
  });

  it('takes a shape for flat elements', async () => {
    expect(await tensor([1, 2, 3, 4, 5, 6], [2, 3]).array()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(await tensor(new Float32Array(0), [0, 3]).array()).toEqual([]);
  });

  it('takes the type of a typed array, and any other that is named', async () => {
    expect(tensor(Int32Array.of(1)).dtype).toBe('int32');
    expect(tensor(Uint8Array.of(1)).dtype).toBe('uint8');
    expect(tensor(Float64Array.of(1), undefined, { device: 'reference' }).dtype).toBe('float64');
    const asFloat = tensor(Int32Array.of(7, -7), undefined, { dtype: 'float32' });
    expect(await asFloat.data()).toEqual(Float32Array.of(7, -7));
    expect(await tensor([0.1]).data()).toEqual(Float32Array.of(0.1));
  });

  it.each<[DType, number[]]>([
    ['int32', [-(2 ** 31), 2 ** 31 - 1]],
    ['uint8', [0, 255]],
    ['bool', [0, 1]],
  ])('%s holds its whole range and nothing beyond', async (dtype, [low, high]: number[]) => {
    expect(Array.from(await tensor([low!, high!], undefined, { dtype }).data())).toEqual([low, high]);
    for (const beyond of [low! - 1, high! + 1, 0.5, Number.NaN]) {
      const received = `received ${beyond} at index 1`;
      expect(() => tensor([low!, beyond], undefined, { dtype })).toThrow(received);
      expect(() => fill([2], beyond, { dtype })).toThrow(`fill: expected whole numbers from ${low} to ${high}`);
      expect(() => scalar(beyond, dtype)).toThrow(`scalar: expected whole numbers from ${low} to ${high}`);
    }
  });

  it('copies what it is given', async () => {
    const data = Float32Array.of(1, 2);
    const t = tensor(data);
    data[0] = 99;
    expect(await t.array()).toEqual([1, 2]);
    const read = await t.data();
    read[0] = 99;
    expect(await t.array()).toEqual([1, 2]);
  });

  it('float64 lives on the reference only', () => {
    expect(tensor([1], undefined, { dtype: 'float64', device: 'reference' }).dtype).toBe('float64');
    if (currentDevice() === 'reference') return;
    expect(() => tensor([1], undefined, { dtype: 'float64' })).toThrow(/float64/);
  });
});

describe('other ways', () => {
  it('zeros, ones, fill', async () => {
    expect(await zeros([2, 1]).array()).toEqual([[0], [0]]);
    expect(await ones([2], { dtype: 'int32' }).data()).toEqual(Int32Array.of(1, 1));
    expect(await fill([1, 2], -1.5).array()).toEqual([[-1.5, -1.5]]);
    expect(await fill([], 4).item()).toBe(4);
    expect(() => zeros([-1])).toThrow('zeros: expected a shape of whole numbers of zero or more, received [-1]');
    expect(() => ones([1.5])).toThrow('ones: expected a shape');
    expect(() => zeros([2 ** 30, 2 ** 30])).toThrow('zeros: expected a shape');
    expect(() => zeros([1], { dtype: 'int8' as DType })).toThrow('zeros: expected a dtype, received int8');
  });

  it('range', async () => {
    expect(await range(0, 5).data()).toEqual(Int32Array.of(0, 1, 2, 3, 4));
    expect(await range(5, 0, -2).array()).toEqual([5, 3, 1]);
    expect(await range(3, 3).array()).toEqual([]);
    expect(await range(0, 1, 0.25, { dtype: 'float32' }).array()).toEqual([0, 0.25, 0.5, 0.75]);
    expect(() => range(0, 1, 0)).toThrow('range: expected a finite step other than 0, received 0');
  });

  it('scalar is a number that needs no buffer until it is read', async () => {
    const x = tensor([1, 2]);
    expect(await ops.add(x, scalar(2)).array()).toEqual([3, 4]);
    expect(await scalar(2.5).item()).toBe(2.5);
    expect(await ops.add(scalar(1), 2).item()).toBe(3);
    expect(() => scalar('1' as unknown as number)).toThrow('scalar: expected a number, received 1');
  });

  it('zerosLike and onesLike', async () => {
    const like = tensor([[1, 2]], undefined, { dtype: 'int32' });
    expect([ops.zerosLike(like).dtype, await ops.zerosLike(like).array()]).toEqual(['int32', [[0, 0]]]);
    expect([ops.onesLike(like).shape, await ops.onesLike(like).array()]).toEqual([[1, 2], [[1, 1]]]);
  });

  it('the device is the one chosen', () => {
    const before = currentDevice();
    setDevice('reference');
    try {
      expect(tensor([1]).device).toBe('reference');
      expect(ops.add(1, 2).device).toBe('reference');
    } finally {
      setDevice(before);
    }
    expect(tensor([1], undefined, { device: 'reference' }).device).toBe('reference');
  });
});
