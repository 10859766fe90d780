import { describe, expect, it } from 'vitest';
import { FoveaError } from '../../lib/errors.js';
import { fromNested, hostTensor, isHostTensor, scalar, uninitialized } from '../../lib/data/host-tensor.js';

describe('hostTensor', () => {
  it('wraps a typed array without copying, the dtype following from the array', () => {
    const data = new Float32Array(6);
    const tensor = hostTensor(data, [2, 3]);
    expect(tensor).toEqual({ data, shape: [2, 3], dtype: 'float32' });
    expect(tensor.data).toBe(data);
    expect(hostTensor(new Int32Array(2))).toMatchObject({ shape: [2], dtype: 'int32' });
    expect(hostTensor(Buffer.from([1, 2])).data.constructor).toBe(Uint8Array);
  });

  it.each([
    [new Float32Array(6), [2, 4], /expected 8 numbers for shape \[2,4\], received 6/],
    [new Float32Array(6), [-2, -3], /non-negative integers, received \[-2,-3\]/],
    [new Float32Array(1), [0.5, 2], /non-negative integers/],
    [new Float64Array(1), [1], /expected a Float32Array, Int32Array or Uint8Array/],
    [[1, 2], [2], /received an array of 2/],
    [null, [], /received null/],
  ])('refuses %o with shape %o', (data, shape, message) => {
    expect(() => hostTensor(data as Float32Array, shape)).toThrow(FoveaError);
    expect(() => hostTensor(data as Float32Array, shape)).toThrow(message);
  });

  it('is known by its fields', () => {
    expect(isHostTensor({ data: new Uint8Array(1), shape: [], dtype: 'uint8' })).toBe(true);
    expect(isHostTensor({ data: new Uint8Array(1), shape: [], dtype: 'int32' })).toBe(false);
    expect(isHostTensor({ data: [1], shape: [1], dtype: 'int32' })).toBe(false);
    expect(isHostTensor(null)).toBe(false);
  });
});

describe('scalar and fromNested', () => {
  it('make tensors of numbers', () => {
    expect(scalar(1.5)).toEqual({ data: Float32Array.of(1.5), shape: [], dtype: 'float32' });
    expect(scalar(7, 'int32')).toEqual({ data: Int32Array.of(7), shape: [], dtype: 'int32' });
    expect(fromNested([[1, 2, 3], [4, 5, 6]])).toEqual(hostTensor(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3])); // prettier-ignore
    expect(fromNested([], 'int32')).toEqual(hostTensor(new Int32Array(0), [0]));
  });

  it('refuse what does not fit', () => {
    expect(() => scalar(1.5, 'int32')).toThrow(/fits int32, received 1.5/);
    expect(() => scalar(256, 'uint8')).toThrow(/fits uint8/);
    expect(() => fromNested([[1, 2], [3]])).toThrow(/expected 2 values at \[1\].*received 1/);
    expect(() => fromNested([[1], 2])).toThrow(/expected 1 values at \[1\].*received 2/);
    expect(() => fromNested([1, [2]])).toThrow(/fits float32 at \[1\], received an array of 1/);
    expect(() => fromNested([0.5], 'int32')).toThrow(/fits int32 at \[0\], received 0.5/);
  });

  it('uninitialized memory has the right size and kind', () => {
    for (const length of [0, 1, 5000]) {
      expect(uninitialized('float32', length)).toBeInstanceOf(Float32Array);
      expect(uninitialized('uint8', length)).toHaveLength(length);
      expect(uninitialized('int32', length).byteLength).toBe(length * 4);
    }
  });
});
