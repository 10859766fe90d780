import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Hdf5File } from '../../../lib/weights/hdf5/file.js';
import { encodeHdf5, type WrittenGroup } from '../../../lib/weights/hdf5/writer.js';
import type { NamedArray } from '../../../lib/weights/safetensors.js';
import { messageOf } from '../../support/message-of.js';

const group = (children: Record<string, WrittenGroup | NamedArray>, attributes = {}): WrittenGroup => ({
  children: new Map(Object.entries(children)),
  attributes,
});
const f32 = (shape: number[], ...values: number[]): NamedArray => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
});
const LONG = `${'configuration ü '.repeat(20_000)}end`;
const many = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`layer_${i}`, f32([1], i)]));
const WRITTEN = group(
  {
    a: group({ kernel: f32([2, 2], 1, 2, 3, 4), bias: f32([0, 3]), b: group({}) }, { name: 'ä', none: '' }),
    many: group(many),
    scalar: { dtype: 'int32', shape: [], data: Int32Array.of(-7) },
    f64: { dtype: 'float64', shape: [3], data: Float64Array.of(Math.PI, -0, Infinity) },
    bytes: { dtype: 'uint8', shape: [3], data: Uint8Array.of(0, 128, 255) },
    flags: { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) },
  },
  { long: LONG, list: ['one', 'two', ''] },
);
const bytes = Buffer.concat(encodeHdf5('written.h5', WRITTEN));

describe('encodeHdf5', () => {
  it('is read back by our reader', async () => {
    const file = Hdf5File.fromBytes('written.h5', bytes);
    const read = async (name: string): Promise<unknown> => Array.from((await file.root.dataset(name).read()) as never);
    expect(file.root.names).toEqual(['a', 'bytes', 'f64', 'flags', 'many', 'scalar']);
    expect(await read('a/kernel')).toEqual([1, 2, 3, 4]);
    expect(file.root.dataset('a/kernel').shape).toEqual([2, 2]);
    expect(file.root.dataset('a/bias').shape).toEqual([0, 3]);
    expect(await read('a/bias')).toEqual([]);
    expect(await read('scalar')).toEqual([-7]);
    expect(await read('f64')).toEqual([Math.PI, -0, Infinity]);
    expect(await read('bytes')).toEqual([0, 128, 255]);
    expect(file.root.dataset('flags').type.name).toBe('bool');
    expect(file.root.group('many').names.length).toBe(3000);
    expect(await read('many/layer_2999')).toEqual([2999]);
    const long = file.root.attributes.get('long')!;
    expect(long.shape).toEqual([]);
    expect((long.data as string[])[0] === LONG).toBe(true);
    expect(file.root.attributes.get('list')).toMatchObject({ data: ['one', 'two', ''], shape: [3] });
    expect(file.root.group('a').attributes.get('name')?.data).toEqual(['ä']);
  });

  it('refuses what HDF5 has not', () => {
    for (const dtype of ['bfloat16', 'float16'] as const) {
      const a: NamedArray = { dtype, shape: [1], data: Float32Array.of(1) };
      expect(messageOf(() => encodeHdf5('x.h5', group({ a })))).toContain(`elements of ${dtype} cannot be written`);
    }
    expect(messageOf(() => encodeHdf5('x.h5', group({ 'a/b': f32([1], 1) })))).toContain('a name "a/b"');
  });

  describe('the HDF5 library', () => {
    let folder = '';
    beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'fovea-hdf5-'))));
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it('reads it too', async () => {
      const target = path.join(folder, 'written.h5');
      await writeFile(target, bytes);
      const { File, ready } = await import('h5wasm/node');
      await ready;
      const file = new File(target, 'r');
      const value = (name: string): unknown => (file.get(name) as { value: unknown } | null)?.value;
      try {
        expect(file.keys()).toEqual(['a', 'bytes', 'f64', 'flags', 'many', 'scalar']);
        expect(value('a/kernel')).toEqual(Float32Array.of(1, 2, 3, 4));
        expect(value('many/layer_2999')).toEqual(Float32Array.of(2999));
        expect(value('scalar')).toBe(-7);
        expect(value('f64')).toEqual(Float64Array.of(Math.PI, -0, Infinity));
        expect(value('bytes')).toEqual(Uint8Array.of(0, 128, 255));
        expect(value('flags')).toEqual(Int8Array.of(1, 0));
        // Not toBe: where they differ, showing how takes minutes.
        expect(file.attrs['long']?.value === LONG).toBe(true);
        expect(file.attrs['list']?.value).toEqual(['one', 'two', '']);
      } finally {
        file.close();
      }
    });
  });
});
