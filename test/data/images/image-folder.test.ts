import { mkdir, mkdtemp, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as data from '../../../lib/data/index.js';
import { readGolden } from '../../support/golden.js';
import { jpeg, png, writeClasses } from './files.js';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'fovea-images-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const SMALL = { imageSize: [4, 6], parallel: 2 } as const;
/** The blue of an image of `png`: which one it is. */
const blue = (image: data.HostTensor): number => image.data[2]!;
const names = (files: readonly string[]) => files.map((file) => path.relative(root, file));

describe('imageFolder', () => {
  it('reads a folder per class, sorted, with labels by the names of the classes', async () => {
    await writeClasses(root, { cats: 2, dogs: 3 });
    await writeFile(path.join(root, 'LICENSE.txt'), 'not an image');
    await writeFile(path.join(root, 'dogs', 'notes.txt'), 'nor this');
    await writeFile(path.join(root, 'dogs', '._000.png'), 'nor this');
    const set = await data.imageFolder(root, { ...SMALL, shuffle: false });
    expect(set.classNames).toEqual(['cats', 'dogs']);
    expect(names(set.files)).toEqual(['cats/000.png', 'cats/001.png', 'dogs/000.png', 'dogs/001.png', 'dogs/002.png']);
    const elements = await set.toArray();
    expect(elements.map(([image, label]) => [blue(image), label.data[0]])).toEqual([
      [0, 0],
      [1, 0],
      [100, 1],
      [101, 1],
      [102, 1],
    ]);
    const [image, label] = elements[4]!;
    expect([image.dtype, image.shape, label.dtype, label.shape]).toEqual(['float32', [4, 6, 3], 'int32', []]);
    expect(Array.from(image.data.slice(3 * 8, 3 * 9))).toEqual([2, 1, 102]); // x = 2, y = 1
    expect(set.cardinality).toBe(5);
  });

  it('has the same order for the same seed, and the parts of a split share no image', async () => {
    await writeClasses(root, { a: 10, b: 10 });
    const split = ['train[:10%]', 'train[10%:25%]', 'train[25%:]'] as const;
    const [test, valid, train] = await data.imageFolder(root, { ...SMALL, split });
    expect([test, valid, train].map(({ cardinality }) => cardinality)).toEqual([2, 3, 15]);
    const all = [...test.files, ...valid.files, ...train.files];
    expect(new Set(all).size).toBe(20);
    const again = await data.imageFolder(root, { ...SMALL, split: 'train' });
    expect(again.files).toEqual(all);
    const other = await data.imageFolder(root, { ...SMALL, seed: 1 });
    expect(other.files).not.toEqual(all);
    // What a dataset says of its files is what comes.
    const seen = (await train.toArray()).map(([image]) => blue(image));
    expect(seen).toEqual(train.files.map((f) => Number(path.basename(f, '.png')) + (f.includes('/b/') ? 100 : 0)));
  });

  it('stratified splits have every class', async () => {
    await writeClasses(root, { a: 20, b: 10, c: 10 });
    const [test, train] = await data.imageFolder(root, {
      ...SMALL,
      stratified: true,
      split: ['train[:10%]', 'train[10%:]'],
    });
    const count = (labels: readonly number[]) => [0, 1, 2].map((label) => labels.filter((l) => l === label).length);
    expect(count(test.labels)).toEqual([2, 1, 1]);
    expect(count(train.labels)).toEqual([18, 9, 9]);
  });

  it('gives labels as asked for', async () => {
    await writeClasses(root, { a: 1, b: 1 });
    const one = { ...SMALL, shuffle: false } as const;
    const [, [, oneHot]] = (await (await data.imageFolder(root, { ...one, labelMode: 'categorical' })).toArray()) as [
      unknown,
      [data.HostTensor, data.HostTensor],
    ];
    expect(oneHot).toMatchObject({ data: Float32Array.of(0, 1), shape: [2] });
    const binary = await data.imageFolder(root, { ...one, labelMode: 'binary', batchSize: 2 });
    const [batch] = await binary.toArray();
    expect(batch![1]).toMatchObject({ data: Float32Array.of(0, 1), shape: [2, 1] });
    const bare = await data.imageFolder(root, { ...one, labelMode: null });
    expect((await bare.toArray()).map(blue)).toEqual([0, 100]);
    const swapped = await data.imageFolder(root, { ...one, classNames: ['b', 'a'] });
    expect((await swapped.toArray()).map(([image, label]) => [blue(image), label.data[0]])).toEqual([
      [100, 0],
      [0, 1],
    ]);
    await writeClasses(root, { c: 1 });
    await expect(data.imageFolder(root, { labelMode: 'binary' })).rejects.toThrow(/two classes .* received 3/);
  });

  it('gives batches, the last one ragged or left out', async () => {
    await writeClasses(root, { a: 5 });
    const shapes = async (dropRemainder: boolean) =>
      (await (await data.imageFolder(root, { ...SMALL, batchSize: 2, dropRemainder })).toArray()).map(
        ([x]) => x.shape[0],
      );
    expect(await shapes(false)).toEqual([2, 2, 1]);
    expect(await shapes(true)).toEqual([2, 2]);
  });

  it('gives images as asked for', async () => {
    await mkdir(path.join(root, 'a'));
    await writeFile(path.join(root, 'a', 'x.jpg'), await jpeg([255, 0, 0]));
    const first = async (options: data.ImageFolderOptions) => {
      const set = await data.imageFolder(root, { imageSize: [4, 4], ...options, labelMode: null, split: 'train' });
      return (await set.toArray())[0]!;
    };
    expect((await first({ imageSize: null })).shape).toEqual([8, 12, 3]);
    const grey = await first({ colorMode: 'grayscale', dtype: 'uint8' });
    expect([grey.shape, grey.dtype, grey.data[0]]).toEqual([[4, 4, 1], 'uint8', 76]); // 0.299 * 254
    const rgba = await first({ colorMode: 'rgba', imageSize: 2 });
    expect([rgba.shape, rgba.data[3]]).toEqual([[2, 2, 4], 255]);
    const padded = await first({ padToAspectRatio: true, imageSize: [12, 12], interpolation: 'nearest' });
    expect([padded.data[0], padded.data[3 * 6 * 12]]).toEqual([0, 254]); // black above, red in the middle
    await expect(first({ cropToAspectRatio: true, padToAspectRatio: true })).rejects.toThrow(/one of cropTo/);
  });

  it('decodes what Pillow decodes, to the bit', async () => {
    interface Golden {
      readonly images: readonly { readonly file: string; readonly rgb: { shape: number[]; values?: number[] } }[];
    }
    const { images } = readGolden<Golden>('files/images.json.gz');
    const folder = path.join(import.meta.dirname, '../../golden/files');
    const set = await data.imageFolder(folder, { labelMode: null, imageSize: null, dtype: 'uint8', shuffle: false });
    const decoded = new Map((await set.toArray()).map((image, i) => [path.basename(set.files[i]!), image]));
    for (const { file, rgb } of images.filter((i) => i.rgb.values)) {
      expect(decoded.get(file)!.shape, file).toEqual(rgb.shape);
      expect(Array.from(decoded.get(file)!.data), file).toEqual(rgb.values);
    }
  });
});

describe('a corrupt image', () => {
  beforeEach(async () => {
    await writeClasses(root, { a: 3, b: 3 });
    await writeFile(path.join(root, 'a', '001.png'), 'this is no image');
    await writeFile(path.join(root, 'b', 'cut.jpg'), (await jpeg([9, 9, 9], 64, 64)).subarray(0, 300));
  });

  it('is an error that names the file', async () => {
    const set = await data.imageFolder(root, { ...SMALL, shuffle: false });
    const error = (await set.toArray().catch((e: unknown) => e)) as Error & { code: string };
    expect(error.message).toMatch(/cannot decode .*a\/001\.png: .*unsupported image format/);
    expect(error.code).toBe('ERR_DATA');
    // As good as new afterwards: the next pass fails in the same place, nothing hangs.
    await expect(set.toArray()).rejects.toThrow(/001\.png/);
    await expect(set.skip(2).toArray()).rejects.toThrow(/cannot decode .*cut\.jpg/);
  });

  it('is left out and counted when asked for, in every pass', async () => {
    const told: string[] = [];
    const options = {
      ...SMALL,
      shuffle: false,
      onCorrupt: 'skip',
      onSkip: (s: data.SkippedImage) => told.push(s.file),
    } as const;
    const set = await data.imageFolder(root, options);
    for (let pass = 0; pass < 2; pass++) {
      expect((await set.toArray()).map(([image]) => blue(image))).toEqual([0, 2, 100, 101, 102]);
    }
    expect(set.skipped.count).toBe(2);
    expect(names([...set.skipped].map(({ file }) => file))).toEqual(['a/001.png', 'b/cut.jpg']);
    expect(names(told)).toEqual(['a/001.png', 'b/cut.jpg']);
    expect(set.cardinality).toBe('unknown');
    const batches = await set.batch(2).toArray();
    expect(batches.map(([x]) => x.shape[0])).toEqual([2, 2, 1]);
  });

  it('a file that has gone since is told likewise', async () => {
    const set = await data.imageFolder(path.join(root), { ...SMALL, shuffle: false });
    await rm(path.join(root, 'a', '000.png'));
    await expect(set.toArray()).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  it('an image of absurd size is refused before its pixels are made', async () => {
    const bytes = await png(1);
    bytes.writeUInt32BE(100_000, 16); // width and height in the header
    bytes.writeUInt32BE(100_000, 20);
    await writeFile(path.join(root, 'a', '001.png'), bytes);
    const set = await data.imageFolder(root, { ...SMALL, shuffle: false });
    await expect(set.toArray()).rejects.toThrow(/a\/001\.png/);
    await truncate(path.join(root, 'a', '001.png'), 2 ** 28 + 1);
    await expect(set.toArray()).rejects.toThrow(/image files of at most 268435456 bytes/);
  });
});

describe('the folder', () => {
  it('leaves links out, or follows them without going round for ever', async () => {
    await writeClasses(root, { a: 1, b: 1 });
    const outside = await mkdtemp(path.join(tmpdir(), 'fovea-outside-'));
    try {
      await writeFile(path.join(outside, 'far.png'), await png(50));
      await symlink(outside, path.join(root, 'a', 'far'));
      await symlink(root, path.join(root, 'a', 'up'));
      await symlink(path.join(root, 'a'), path.join(root, 'a', 'self'));
      await symlink(path.join(outside, 'far.png'), path.join(root, 'b', 'one.png'));
      await symlink('/no such file', path.join(root, 'b', 'broken.png'));
      const plain = await data.imageFolder(root, { shuffle: false });
      expect(names(plain.files)).toEqual(['a/000.png', 'b/000.png']);
      const followed = await data.imageFolder(root, { shuffle: false, followLinks: true });
      expect(names(followed.files)).toEqual(['a/000.png', 'a/far/far.png', 'b/000.png', 'b/one.png']);
    } finally {
      await rm(outside, { recursive: true, force: true });
    }
  });

  it('is told when it is not there, empty, or has other classes', async () => {
    await expect(data.imageFolder(path.join(root, 'no'))).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    await expect(data.imageFolder(root)).rejects.toThrow(
      /expected images in one folder per class in .*, received none/,
    );
    await mkdir(path.join(root, 'empty'));
    await expect(data.imageFolder(root)).rejects.toThrow(/received folders empty without images/);
    await writeClasses(root, { a: 2 });
    const wrong = data.imageFolder(root, { classNames: ['a', 'b', 'a'] });
    await expect(wrong).rejects.toThrow(/no folder b; unlisted folders empty; a twice/);
    await expect(data.imageFolder(root, { split: 'train[:10%]' })).rejects.toThrow(/images in split 'train\[:10%\]'/);
    await expect(data.imageFolder(root, { imageSise: 3 } as object)).rejects.toThrow(/unknown option imageSise/);
    await expect(data.imageFolder(root, { imageSize: [0, 3] })).rejects.toThrow(/imageSize to be \[height, width\]/);
    await expect(data.imageFolder(root, { interpolation: 'best' as 'area' })).rejects.toThrow(
      /interpolation to be one of/,
    );
  });
});

describe('reading', () => {
  it('shuffles file numbers, not images, and reads only what is taken', async () => {
    await writeClasses(root, { a: 30 });
    const set = await data.imageFolder(root, { ...SMALL, parallel: 1 });
    // All but the file taken are gone: nothing else is read.
    const shuffled = set.shuffle(1000, { seed: 5 });
    const [[image]] = (await shuffled
      .take(1)
      .iterate({ epoch: 0 })
      .next()
      .then((r) => [r.value])) as [data.IdxExample];
    const kept = set.files.find((file) => Number(path.basename(file, '.png')) === blue(image))!;
    for (const file of set.files) if (file !== kept) await rm(file);
    const again = await shuffled.take(1).iterate({ epoch: 0 }).next();
    expect(blue(again.value![0])).toBe(blue(image));
  });

  it('has the same order whatever is read at once, and another in every epoch', async () => {
    await writeClasses(root, { a: 40 });
    const order = async (parallel: number, epoch: number) => {
      const set = await data.imageFolder(root, { ...SMALL, parallel });
      const seen: number[] = [];
      for await (const [image] of set.shuffle(40, { seed: 1 }).iterate({ epoch })) seen.push(blue(image));
      return seen;
    };
    const first = await order(1, 0);
    expect(await order(4, 0)).toEqual(first);
    expect(await order(16, 0)).toEqual(first);
    expect(await order(4, 1)).not.toEqual(first);
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });

  it('caches what was read in memory', async () => {
    await writeClasses(root, { a: 3 });
    const cached = (await data.imageFolder(root, SMALL)).cache();
    const first = await cached.toArray();
    await rm(path.join(root, 'a'), { recursive: true });
    expect(await cached.toArray()).toEqual(first);
  });

  it('notices files that changed when it caches on disk', async () => {
    await writeClasses(root, { a: 3 });
    const folder = path.join(root, '.cache');
    const read = async () =>
      (await (await data.imageFolder(root, { ...SMALL, shuffle: false })).cache(folder).toArray()).map(([x]) =>
        blue(x),
      );
    expect(await read()).toEqual([0, 1, 2]);
    const file = path.join(root, 'a', '001.png');
    const { atime, mtime } = await stat(file);
    await writeFile(file, await png(77));
    await utimes(file, atime, new Date(mtime.getTime() + 5000));
    expect(await read()).toEqual([0, 77, 2]);
  });
});
