import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  encodeSafetensors,
  SafetensorsFile,
  writeSafetensors,
  type NamedArray,
} from '../../lib/weights/safetensors.js';
import { readGolden } from '../support/golden.js';

const GOLDEN = new URL('../golden/files/tensors.safetensors', import.meta.url).pathname;

interface Golden {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly values?: readonly number[];
    readonly text?: readonly string[];
  }[];
}

let folder = '';
beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'fovea-safetensors-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('reading', () => {
  const golden = readGolden<Golden>('files/safetensors.json');

  it('gives the tensors of a file written by the Python library', async () => {
    await using file = await SafetensorsFile.open(GOLDEN);
    expect(file.metadata).toEqual(golden.metadata);
    expect(new Set(file.entries.keys())).toEqual(new Set(golden.tensors.map(({ name }) => name)));
    for (const { name, dtype, shape, values } of golden.tensors) {
      expect(file.entries.get(name)!.shape, name).toEqual(shape);
      if (!values) continue;
      const read = await file.read(name);
      const exact = dtype === 'float64' ? 1e-8 : 0;
      values.forEach((value, i) => {
        // The fixture has nine significant digits: enough for float32, not for float64.
        const actual = read.data[i]!;
        const expected = dtype === 'float64' ? value : Math.fround(value);
        expect(Math.abs(actual - expected), `${name}[${i}]`).toBeLessThanOrEqual(exact * Math.abs(expected));
      });
      expect(read.data.length, name).toBe(values.length);
    }
  });

  it('refuses 64-bit integers that do not fit', async () => {
    await using file = await SafetensorsFile.open(GOLDEN);
    await expect(file.read('i64')).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
    await expect(file.read('nothing')).rejects.toThrow('has no tensor "nothing"');
  });

  it('names a file that is not there', async () => {
    await expect(SafetensorsFile.open(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });
});

describe('writing', () => {
  it.each([
    ['bfloat16', 'BF16', [1, -(2 ** 100), 2 ** -133]],
    ['float16', 'F16', [1.5, -65504, 2 ** -24]],
  ] as const)('stores %s as %s, which is read as float32', async (dtype, name, values) => {
    const file = path.join(folder, `${dtype}.safetensors`);
    const data = Float32Array.from(values);
    await writeSafetensors(file, new Map([['x', { dtype, shape: [3], data }]]));
    await using opened = await SafetensorsFile.open(file);
    expect(opened.entries.get('x')!.dtype).toBe(name);
    expect(await opened.read('x')).toEqual({ dtype: 'float32', shape: [3], data });
  });

  it('round-trips every dtype, odd sizes, scalars and empty tensors', async () => {
    const tensors = new Map<string, NamedArray>([
      ['u', { dtype: 'uint8', shape: [3], data: Uint8Array.of(1, 2, 255) }],
      ['b', { dtype: 'bool', shape: [1, 1], data: Uint8Array.of(1) }],
      ['f', { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1.5, -0, NaN, Infinity) }],
      ['d', { dtype: 'float64', shape: [], data: Float64Array.of(Math.PI) }],
      ['i', { dtype: 'int32', shape: [2], data: Int32Array.of(-(2 ** 31), 7) }],
      ['é/"name"', { dtype: 'float32', shape: [0, 3], data: new Float32Array() }],
    ]);
    const file = path.join(folder, 'round.safetensors');
    await writeSafetensors(file, tensors, { note: 'é' });
    await using opened = await SafetensorsFile.open(file);
    expect(opened.metadata).toEqual({ note: 'é' });
    for (const [name, value] of tensors) expect(await opened.read(name)).toEqual(value);
    for (const entry of opened.entries.values()) {
      const { data } = tensors.get(entry.name)!;
      expect(entry.begin % data.BYTES_PER_ELEMENT, `${entry.name} is aligned`).toBe(0);
    }
  });

  it('refuses what it could not read back', () => {
    const one = (value: NamedArray): Map<string, NamedArray> => new Map([['x', value]]);
    const write = (tensors: Map<string, NamedArray>): unknown => encodeSafetensors('file', tensors);
    expect(() => write(one({ dtype: 'float32', shape: [2], data: Float32Array.of(1) }))).toThrow('expected 2 elements');
    expect(() => write(one({ dtype: 'int32', shape: [1], data: Float32Array.of(1) }))).toThrow('are not int32');
    expect(() => write(new Map([['__metadata__', { dtype: 'bool', shape: [], data: Uint8Array.of(1) }]]))).toThrow();
  });
});

describe('corrupt files', () => {
  /** A file of this header, and as many bytes after it. */
  async function fileOf(header: unknown, dataBytes: number, length?: bigint): Promise<string> {
    const json = Buffer.isBuffer(header)
      ? header
      : Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(length ?? BigInt(json.length));
    const file = path.join(folder, 'corrupt.safetensors');
    await writeFile(file, Buffer.concat([head, json, Buffer.alloc(dataBytes)]));
    return file;
  }
  const f32 = (shape: unknown, begin: unknown, end: unknown): unknown => ({
    dtype: 'F32',
    shape,
    data_offsets: [begin, end],
  });

  it.each<[name: string, header: unknown, dataBytes: number, message: string, length?: bigint]>([
    ['header longer than allowed', {}, 0, 'at most 100000000 bytes', 100_000_001n],
    ['header of 2^63 bytes', {}, 0, 'at most 100000000 bytes', 1n << 63n],
    ['header longer than the file', {}, 0, 'truncated', 5000n],
    ['no JSON', '{"a":', 0, 'expected a header of JSON'],
    ['no object', '[1]', 0, 'begins with "{"'],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 0, 'not valid'],
    [
      'duplicate tensor',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      1,
      'names "a" twice',
    ],
    ['duplicate field', '{"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}', 1, 'names "shape" twice'],
    ['metadata of numbers', { __metadata__: { a: 1 } }, 0, 'expected metadata "a" to be a string'],
    ['metadata that is a list', { __metadata__: [] }, 0, 'record of strings'],
    ['tensor that is no record', { a: 1 }, 0, 'expected a record'],
    ['unknown field', { a: { ...(f32([1], 0, 4) as object), more: 1 } }, 4, 'only'],
    ['unknown dtype', { a: { dtype: 'F31', shape: [1], data_offsets: [0, 4] } }, 4, 'a dtype of'],
    ['dtype from the prototype', { a: { dtype: 'toString', shape: [1], data_offsets: [0, 4] } }, 4, 'a dtype of'],
    ['negative size', { a: f32([-1], 0, 4) }, 4, 'whole numbers'],
    ['fractional size', { a: f32([0.5], 0, 2) }, 2, 'whole numbers'],
    ['size that overflows', { a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4, '2^53'],
    ['offsets backwards', { a: f32([1], 4, 0) }, 4, 'bytes for F32'],
    ['offsets of three', { a: { dtype: 'F32', shape: [1], data_offsets: [0, 4, 8] } }, 4, 'two whole numbers'],
    ['size beside shape', { a: f32([2], 0, 4) }, 4, 'expected 8 bytes for F32 [2], received 4'],
    ['overlap', { a: f32([1], 0, 4), b: f32([1], 2, 6) }, 6, 'overlaps'],
    ['hole', { a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12, 'hole'],
    ['hole at the beginning', { a: f32([1], 4, 8) }, 8, 'hole'],
    ['out of range', { a: f32([4], 0, 16) }, 8, 'expected 16 bytes of tensors, received 8'],
    ['bytes left over', { a: f32([1], 0, 4) }, 5, 'expected 4 bytes of tensors, received 5'],
  ])('%s', async (_, header, dataBytes, message, length) => {
    const file = await fileOf(header, dataBytes, length);
    await expect(SafetensorsFile.open(file)).rejects.toThrow(message);
    await expect(SafetensorsFile.open(file)).rejects.toMatchObject({ code: 'ERR_FILE' });
  });

  it('truncated anywhere, and with any bit of the header turned, it opens correctly or not at all', async () => {
    const whole = await readFile(GOLDEN);
    const file = path.join(folder, 'cut.safetensors');
    for (const size of [0, 4, 7, 8, 9, 100, 903, 904, 905, whole.length - 1]) {
      await writeFile(file, whole);
      await truncate(file, size);
      await expect(SafetensorsFile.open(file), String(size)).rejects.toMatchObject({ code: 'ERR_FILE' });
    }
    for (let bit = 0; bit < 904 * 8; bit += 13) {
      const damaged = Buffer.from(whole);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      await writeFile(file, damaged);
      try {
        await using opened = await SafetensorsFile.open(file);
        for (const name of opened.entries.keys()) await opened.read(name).catch(() => undefined);
      } catch (error) {
        expect(error).toMatchObject({ name: 'FoveaError' });
      }
    }
  });

  it('a boolean that is neither 0 nor 1', async () => {
    const header = { a: { dtype: 'BOOL', shape: [1], data_offsets: [0, 1] } };
    const file = await fileOf(header, 1);
    const bytes = await readFile(file);
    bytes[bytes.length - 1] = 2;
    await writeFile(file, bytes);
    await using opened = await SafetensorsFile.open(file);
    await expect(opened.read('a')).rejects.toThrow('expected 0 or 1, received 2 at 0');
  });
});
