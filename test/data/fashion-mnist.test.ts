import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as data from '../../lib/data/index.js';
import { fetchFashionMnist } from '../../lib/data/fashion-mnist-files.js';

const SYSTEM = '/usr/share/datasets/fashion-mnist';

function idx(shape: number[], body: Uint8Array): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.set([0, 0, 8, shape.length]);
  shape.forEach((dimension, axis) => head.writeUInt32BE(dimension, 4 + 4 * axis));
  return Buffer.concat([head, body]);
}

/** Ten training and four test images of one grey each: image i has the value i, and the label i % 10. */
function files(): Record<'trainImages' | 'trainLabels' | 'testImages' | 'testLabels', Buffer> {
  const images = (n: number) =>
    idx(
      [n, 28, 28],
      Uint8Array.from({ length: n * 784 }, (_, i) => Math.floor(i / 784)),
    );
  const labels = (n: number) =>
    idx(
      [n],
      Uint8Array.from({ length: n }, (_, i) => i % 10),
    );
  return { trainImages: images(10), trainLabels: labels(10), testImages: images(4), testLabels: labels(4) };
}

const NAMES = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
};

let folder = '';
const environment = { ...process.env };
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-fashion-'));
  process.env['FOVEA_CACHE'] = path.join(folder, 'cache');
  delete process.env['FOVEA_FASHION_MNIST'];
});
afterEach(async () => {
  process.env = { ...environment };
  await rm(folder, { recursive: true, force: true });
});

async function write(into: string, content = files(), zipped = true): Promise<void> {
  await mkdir(into, { recursive: true });
  for (const [part, bytes] of Object.entries(content)) {
    const name = NAMES[part as keyof typeof NAMES];
    await writeFile(path.join(into, zipped ? `${name}.gz` : name), zipped ? gzipSync(bytes) : bytes);
  }
}

describe('fashionMnist from a folder', () => {
  it('gives scaled images and int32 labels, by element and by batch', async () => {
    await write(folder);
    const [train, test] = await data.fashionMnist({ folder });
    expect([train.cardinality, test.cardinality]).toEqual([10, 4]);
    const [image, label] = (await test.skip(3).toArray())[0] as data.FashionMnistExample;
    expect(image).toMatchObject({ shape: [28, 28, 1], dtype: 'float32' });
    expect(new Set(image.data)).toEqual(new Set([Math.fround(3 / 255)]));
    expect(label).toEqual(data.scalar(3, 'int32'));
    for await (const [images, labels] of train.shuffle(10).batch(5)) {
      expect(images.shape).toEqual([5, 28, 28, 1]);
      expect(labels.dtype).toBe('int32');
      [...labels.data].forEach((value, k) => expect(images.data[k * 784 + 99]).toBe(Math.fround(value / 255)));
    }
  });

  it('takes files that are not compressed, the environment, and gives the bytes', async () => {
    await write(folder, files(), false);
    process.env['FOVEA_FASHION_MNIST'] = folder;
    const found = await data.fashionMnist();
    expect(found.folder).toBe(folder);
    expect(found.raw.trainImages).toMatchObject({ shape: [10, 28, 28], dtype: 'uint8' });
    expect([...found.raw.testLabels.data]).toEqual([0, 1, 2, 3]);
    expect(found.train).toBe(found[0]);
    expect(found.validation.cardinality).toBe(0);
  });

  it('sets the last part aside for validation', async () => {
    await write(folder);
    const { train, validation } = await data.fashionMnist({ folder, validationSplit: 0.2 });
    const labels = async (set: typeof train) => (await set.toArray()).map(([, label]) => label.data[0]);
    expect(await labels(train)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(await labels(validation)).toEqual([8, 9]);
    await expect(data.fashionMnist({ folder, validationSplit: 1 })).rejects.toThrow(/received 1$/);
  });

  it('says what is missing, and where', async () => {
    await expect(data.fashionMnist({ folder })).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    await write(folder);
    await rm(path.join(folder, 't10k-labels-idx1-ubyte.gz'));
    await expect(data.fashionMnist({ folder })).rejects.toThrow(`${folder}, missing t10k-labels-idx1-ubyte.gz`);
    process.env['FOVEA_FASHION_MNIST'] = folder;
    await expect(data.fashionMnist()).rejects.toThrow(/named by FOVEA_FASHION_MNIST/);
  });

  it.each([
    ['images of another size', 'trainImages', idx([10, 28, 27], new Uint8Array(7560)), /\[n,28,28\], received uint8 \[10,28,27\]/], // prettier-ignore
    ['too few labels', 'trainLabels', idx([9], new Uint8Array(9)), /expected 10 uint8 labels, received uint8 \[9\]/],
    ['a label of no class', 'testLabels', idx([4], Uint8Array.of(0, 1, 10, 2)), /labels from 0 to 9, received 10 at 2/],
    ['truncated images', 'testImages', idx([4, 28, 28], new Uint8Array(7)), /t10k-images.*truncated/],
  ])('refuses %s', async (_, part, content, message) => {
    await write(folder, { ...files(), [part]: content });
    await expect(data.fashionMnist({ folder })).rejects.toMatchObject({ code: 'ERR_DATA' });
    await expect(data.fashionMnist({ folder })).rejects.toThrow(message);
  });
});

describe('fashionMnist from the network', () => {
  let server: Server;
  let baseUrl = '';
  let served: string[] = [];
  const zipped = new Map(
    Object.entries(files()).map(([part, bytes]) => [`${NAMES[part as keyof typeof NAMES]}.gz`, gzipSync(bytes)]),
  );

  beforeEach(async () => {
    served = [];
    server = createServer((request, response) => {
      const name = path.basename(request.url ?? '');
      served.push(name);
      const content = zipped.get(name);
      if (content) response.writeHead(200, { 'content-length': content.length }).end(content);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fashion`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const expected = Object.fromEntries(
    Object.entries(NAMES).map(([part, name]) => {
      const sha256 = createHash('sha256').update(zipped.get(`${name}.gz`) as Buffer);
      return [part, { sha256: sha256.digest('hex') }];
    }),
  ) as unknown as NonNullable<data.FashionMnistMirror['expected']>;

  it('downloads into the cache, checked, once', async () => {
    const progress: string[] = [];
    const onProgress = ({ url }: data.DownloadProgress) => progress.push(path.basename(url));
    const found = await fetchFashionMnist({ mirror: { baseUrl, expected }, onProgress });
    expect(path.dirname(found.trainImages)).toBe(path.join(folder, 'cache', 'fashion-mnist'));
    expect(served).toHaveLength(4);
    expect(new Set(progress).size).toBe(4);
    const { train } = await data.fashionMnist({ folder: path.dirname(found.testImages) });
    expect(train.cardinality).toBe(10);
    await fetchFashionMnist({ mirror: { baseUrl, expected } });
    expect(served).toHaveLength(4);
  });

  it('refuses files that are not the official ones', async () => {
    const failure = fetchFashionMnist({ mirror: { baseUrl } });
    await expect(failure).rejects.toMatchObject({ code: 'ERR_DATA' });
    expect(await readdir(path.join(folder, 'cache', 'fashion-mnist'))).toEqual([]);
  });

  it('does not download when told not to', async () => {
    await expect(fetchFashionMnist({ download: false })).rejects.toThrow(/downloading is off.*missing train-images/);
    expect(served).toEqual([]);
  });
});

describe.runIf(existsSync(path.join(SYSTEM, 'train-images-idx3-ubyte.gz')))('the real Fashion-MNIST', () => {
  it('has its 60,000 and 10,000 images, balanced, batched quickly', async () => {
    const { train, test, raw } = await data.fashionMnist({ folder: SYSTEM });
    expect([train.cardinality, test.cardinality]).toEqual([60_000, 10_000]);
    const counts = new Array<number>(10).fill(0);
    for (const label of raw.trainLabels.data) counts[label] = (counts[label] as number) + 1;
    expect(counts).toEqual(new Array(10).fill(6000));
    expect([...raw.trainLabels.data.subarray(0, 5)]).toEqual([9, 0, 0, 3, 0]);
    let best = Infinity;
    for (let run = 0; run < 3; run++) {
      const start = performance.now();
      let images = 0;
      for await (const [x] of train.shuffle(10_000).batch(32)) images += x.shape[0] as number;
      best = Math.min(best, performance.now() - start);
      expect(images).toBe(60_000);
    }
    // About 100 ms on two quiet cores, with the scaling to float32; the bound leaves room for busy ones.
    expect(best).toBeLessThan(1000);
  });
});
