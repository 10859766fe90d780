import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unpackTar } from '../../../lib/data/archives/unpack.js';
import { philox4x32 } from '../../../lib/random/philox.js';
import { type TarEntry, tgz } from './tar-bytes.js';

const LIMITS = { maxEntries: 10, maxBytes: 100_000, maxFileBytes: 50_000 };

let root = '';
let archive = '';
let target = '';
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'fovea-unpack-'));
  archive = path.join(root, 'a.tgz');
  target = path.join(root, 'out', 'set');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function problem(bytes: Buffer, limits = LIMITS): Promise<{ message: string; code: string }> {
  await writeFile(archive, bytes);
  const error: unknown = await unpackTar(archive, target, limits).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(Error);
  // Nothing is left, neither the folder nor a part of it nor a lock, and nothing beside it.
  expect(await readdir(path.join(root, 'out')).catch(() => [])).toEqual([]);
  expect((await readdir(root)).sort()).toEqual(['a.tgz', 'out']);
  return error as { message: string; code: string };
}

describe('unpackTar', () => {
  it('unpacks files and folders, gzipped or not, without set-user-id', async () => {
    const bytes = tgz([
      { name: 'set/', type: '5', mode: 0o700 },
      { name: 'set/a.txt', body: 'hello', mode: 0o4777 },
      { name: 'set/deep/b.bin', body: new Uint8Array(1000).fill(7) },
    ]);
    for (const content of [bytes, gunzipSync(bytes)]) {
      await writeFile(archive, content);
      await unpackTar(archive, target, LIMITS);
      expect(await readFile(path.join(target, 'set/a.txt'), 'utf8')).toBe('hello');
      expect((await stat(path.join(target, 'set/a.txt'))).mode & 0o7777).toBe(0o644);
      expect(await readFile(path.join(target, 'set/deep/b.bin'))).toEqual(Buffer.alloc(1000, 7));
      expect(await readdir(path.join(root, 'out'))).toEqual(['set']);
      await rm(target, { recursive: true });
    }
  });

  it('leaves a folder that is there alone', async () => {
    await mkdir(target, { recursive: true });
    await unpackTar('no such archive', target, LIMITS);
    expect(await readdir(target)).toEqual([]);
  });

  it('is done once by several at the same time', async () => {
    await writeFile(archive, tgz([{ name: 'a', body: 'x' }]));
    await Promise.all([1, 2, 3].map(() => unpackTar(archive, target, LIMITS)));
    expect(await readdir(path.join(root, 'out'))).toEqual(['set']);
    expect(await readdir(target)).toEqual(['a']);
  });

  it('clears up after a process that died', async () => {
    await mkdir(path.join(root, 'out', '.set.unpacking-0123'), { recursive: true });
    await writeFile(archive, tgz([{ name: 'a', body: 'x' }]));
    await unpackTar(archive, target, LIMITS);
    expect(await readdir(path.join(root, 'out'))).toEqual(['set']);
  });

  const evil: [string, TarEntry, RegExp][] = [
    ['a path that goes up', { name: '../evil', body: 'x' }, /expected paths inside the archive only.*"\.\.\/evil"/],
    ['one that goes up later', { name: 'a/../../evil', body: 'x' }, /paths inside/],
    ['one with backslashes', { name: 'a\\..\\..\\evil', body: 'x' }, /paths inside/],
    ['an absolute path', { name: '/fovea-evil', body: 'x' }, /paths inside/],
    ['a drive', { name: 'C:/evil', body: 'x' }, /paths inside/],
    ['a symbolic link', { name: 'link', type: '2', link: '/etc/passwd' }, /files and folders only.*SymbolicLink/],
    ['a hard link', { name: 'link', type: '1', link: 'good' }, /files and folders only.*Link/],
    ['a pipe', { name: 'pipe', type: '6' }, /files and folders only.*FIFO/],
    ['a large file', { name: 'large', body: new Uint8Array(60_000) }, /files of at most 50000 bytes.*60000/],
    ['a file that says it is huge', { name: 'huge', size: 2 ** 32 }, /files of at most 50000 bytes/],
  ];
  it.each(evil)('refuses %s', async (_, entry, message) => {
    const { message: text, code } = await problem(
      tgz([{ name: 'good', body: 'x' }, entry, { name: 'later', body: 'y' }]),
    );
    expect(text).toMatch(message);
    expect(code).toBe('ERR_DATA');
  });

  it('looks at the paths of extended headers, long ones included', async () => {
    const pax = (path: string) => ({ name: 'PaxHeader', type: 'x', body: `${path.length + 9} path=${path}\n` });
    const gnu = (path: string) => ({ name: '././@LongLink', type: 'L', body: `${path}\0` });
    for (const extended of [pax, gnu]) {
      await writeFile(archive, tgz([extended('set/renamed.txt'), { name: 'x', body: 'hello' }]));
      await unpackTar(archive, target, LIMITS);
      expect(await readFile(path.join(target, 'set/renamed.txt'), 'utf8')).toBe('hello');
      await rm(path.join(root, 'out'), { recursive: true });
      const { message } = await problem(tgz([extended('../../../evil'), { name: 'x', body: 'hello' }]));
      expect(message).toMatch(/paths inside the archive only/);
    }
  });

  it('refuses more entries and more bytes than allowed', async () => {
    const many = Array.from({ length: 11 }, (_, i) => ({ name: `f${i}`, body: 'x' }));
    expect((await problem(tgz(many))).message).toMatch(/at most 10 files and folders/);
    const big = Array.from({ length: 3 }, (_, i) => ({ name: `f${i}`, body: new Uint8Array(40_000) }));
    expect((await problem(tgz(big))).message).toMatch(/at most 100000 bytes in all/);
  });

  it('does not follow a decompression bomb to its end', async () => {
    // 64 MB of zeros: a tar file that ends, and goes on for ever.
    const bomb = gzipSync(Buffer.concat([gunzipSync(tgz([{ name: 'a', body: 'x' }])), Buffer.alloc(64e6)]));
    expect((await problem(bomb)).message).toMatch(/bytes decompressed/);
  });

  it('tells a truncated or corrupt archive', async () => {
    const random = Uint8Array.from({ length: 40_000 }, (_, i) => philox4x32([i, 0, 0, 0], [1, 2])[0]!);
    const bytes = tgz([{ name: 'a', body: random }]);
    expect((await problem(bytes.subarray(0, 20_000))).message).toMatch(/a\.tgz: expected a whole tar archive/);
    const flipped = Buffer.from(bytes);
    flipped[15_000]! ^= 0xff;
    expect((await problem(flipped)).code).toBe('ERR_DATA');
    const cut = gunzipSync(bytes).subarray(0, 20_000);
    expect((await problem(cut)).message).toMatch(/expected a whole tar archive/);
    expect((await problem(Buffer.alloc(5000, 'x'))).code).toBe('ERR_DATA');
  });
});
