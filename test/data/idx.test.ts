import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseIdx, readIdx } from '../../lib/data/idx.js';

const golden = path.join(import.meta.dirname, '..', 'golden', 'files');

interface GoldenIdx {
  file: string;
  shape: number[];
  values: number[];
}

/** An IDX file: type, dimensions, body. */
function idx(type: number, shape: number[], body: Uint8Array | number[]): Buffer {
  const dimensions = shape.map((dimension) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(dimension);
    return bytes;
  });
  return Buffer.concat([Buffer.from([0, 0, type, shape.length]), ...dimensions, Uint8Array.from(body)]);
}

function bigEndian(write: (view: DataView) => void, bytes: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytes));
  write(view);
  return new Uint8Array(view.buffer);
}

let folder = '';
beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'fovea-idx-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('readIdx', () => {
  it('reads the golden files', async () => {
    const facts = JSON.parse(await readFile(path.join(golden, 'idx.json'), 'utf8')) as Record<string, GoldenIdx>;
    for (const name of ['images', 'labels']) {
      const { file, shape, values } = facts[name] as GoldenIdx;
      const tensor = await readIdx(path.join(golden, file));
      expect(tensor).toMatchObject({ shape, dtype: 'uint8', idxType: 'uint8' });
      expect([...tensor.data].slice(0, values.length)).toEqual(values);
      expect(tensor.data.length).toBe(shape.reduce((a, b) => a * b));
    }
  });

  it.each([
    [0x08, 'uint8', 'uint8', [0, 255, 7], Uint8Array.of(0, 255, 7)],
    [0x09, 'int8', 'int32', [-128, 127, -1], new Uint8Array(Int8Array.of(-128, 127, -1).buffer)],
    [0x0b, 'int16', 'int32', [-32768, 258], bigEndian((v) => (v.setInt16(0, -32768), v.setInt16(2, 258)), 4)],
    [
      0x0c,
      'int32',
      'int32',
      [-(2 ** 31), 66051],
      bigEndian((v) => (v.setInt32(0, -(2 ** 31)), v.setInt32(4, 66051)), 8),
    ],
    [0x0d, 'float32', 'float32', [-1.5, 0.25], bigEndian((v) => (v.setFloat32(0, -1.5), v.setFloat32(4, 0.25)), 8)],
    [0x0e, 'float64', 'float32', [-2.5, 1 / 8], bigEndian((v) => (v.setFloat64(0, -2.5), v.setFloat64(8, 1 / 8)), 16)],
  ])('reads type %i (%s) as %s', async (type, idxType, dtype, values, body) => {
    const bytes = idx(type, [values.length], body);
    for (const content of [bytes, gzipSync(bytes)]) {
      const file = path.join(folder, 'typed');
      await writeFile(file, content);
      const tensor = await readIdx(file);
      expect(tensor).toMatchObject({ shape: [values.length], dtype, idxType });
      expect([...tensor.data]).toEqual(values);
    }
  });

  it('reads scalars and empty arrays', async () => {
    expect(parseIdx(idx(8, [], [5]))).toMatchObject({ shape: [], data: Uint8Array.of(5) });
    expect(parseIdx(idx(8, [0, 28], []))).toMatchObject({ shape: [0, 28] });
    await writeFile(path.join(folder, 'empty.gz'), gzipSync(idx(8, [0], [])));
    expect(await readIdx(path.join(folder, 'empty.gz'))).toMatchObject({ shape: [0] });
  });

  const noise = Uint8Array.from(
    { length: 200_000 },
    (_, i) => Math.imul(Math.imul(i + 1, 0x9e3779b9) ^ (i >>> 3), 0x846ca68b) >>> 24,
  );
  const image = idx(8, [200_000], noise);
  const zipped = gzipSync(image);
  const flipped = Buffer.from(zipped);
  flipped[100_000] = (flipped[100_000] as number) ^ 255;

  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', Buffer.alloc(0), /expected an IDX file, received a truncated one of 0 bytes/],
    ['three bytes', Buffer.from([0, 0, 8]), /truncated one of 3 bytes/],
    ['a wrong magic number', Buffer.from('PNG.....'), /received the bytes 0x504e472e/],
    ['an unknown type', idx(0x0a, [1], [0]), /received the bytes 0x00000a01/],
    [
      'a truncated header',
      idx(8, [3, 4], []).subarray(0, 9),
      /header of 12 bytes \(2 dimensions\), received .* 9 bytes/,
    ],
    [
      'truncated data',
      idx(8, [3], [1, 2]),
      /expected 11 bytes for \[3\] of uint8, received a truncated file of 10 bytes/,
    ],
    ['trailing data', idx(8, [1], [1, 2]), /expected 9 bytes .*received trailing data: 10 bytes/],
    ['absurd dimensions', idx(8, [0xffffffff, 0xffffffff], []), /expected at most 4294967295 bytes/],
    ['255 absurd dimensions', idx(14, Array<number>(255).fill(0xffffffff), []), /expected at most .*Infinity bytes/],
    ['absurd dimensions, gzipped', gzipSync(idx(8, [0xffffff00], [1])), /compressed bytes, too few for that/],
    ['truncated data, gzipped', gzipSync(idx(8, [3], [1, 2])), /truncated file of 10 bytes/],
    ['trailing data, gzipped', gzipSync(idx(8, [1], new Uint8Array(1_000_000))), /trailing data: more than that/],
    ['a truncated gzip', zipped.subarray(0, 150_000), /expected a whole gzip file, received a truncated one/],
    ['a truncated gzip header', zipped.subarray(0, 5), /truncated/],
    ['a corrupt gzip', flipped, /expected a whole gzip file, received a corrupt one/],
    [
      'a wrong checksum',
      Buffer.concat([zipped.subarray(0, -8), Buffer.alloc(8)]),
      /corrupt one \(incorrect data check\)/,
    ],
    ['a gzip of something else', gzipSync('hello, world'), /received the bytes 0x68656c6c/],
    ['an empty gzip', gzipSync(''), /truncated one of 0 bytes/],
  ])('refuses %s, with the name of the file', async (_, content, message) => {
    const file = path.join(folder, 'bad-idx');
    await writeFile(file, content);
    const failure: unknown = await readIdx(file).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'FoveaError', code: 'ERR_DATA' });
    expect((failure as Error).message).toContain(`${file}: expected`);
    expect((failure as Error).message).toMatch(message);
  });

  it('refuses more than maxBytes, and files it cannot read', async () => {
    const file = path.join(folder, 'large');
    await writeFile(file, idx(8, [100], new Uint8Array(100)));
    await expect(readIdx(file, { maxBytes: 50 })).rejects.toThrow(/at most 50 bytes, received a file of 108 bytes/);
    await expect(readIdx(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    await expect(readIdx(folder)).rejects.toMatchObject({ code: 'ERR_FILE' });
  });
});
