import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import * as data from '../../lib/data/index.js';
import { type TarEntry, tgz } from './archives/tar-bytes.js';
import { jpeg } from './images/files.js';

const environment = { ...process.env };
let folder = '';
let server: Server;
let url = '';
let archive: Buffer;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-flowers-'));
  process.env['FOVEA_CACHE'] = path.join(folder, 'cache');
  server = createServer((_, response) => response.writeHead(200, { 'content-length': archive.length }).end(archive));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/flower_photos.tgz`;
});
afterEach(async () => {
  process.env = { ...environment };
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

/** An archive like the official one: five folders of photos of several sizes, and a licence beside them. */
async function flowers(): Promise<TarEntry[]> {
  const entries: TarEntry[] = [{ name: 'flower_photos/LICENSE.txt', body: 'CC BY' }];
  for (const [k, name] of ['daisy', 'dandelion', 'roses', 'sunflowers', 'tulips'].entries()) {
    for (let i = 0; i < 4; i++) {
      entries.push({ name: `flower_photos/${name}/${i}.jpg`, body: await jpeg([50 * k, 0, 0], 20 + i, 30 - k) });
    }
  }
  return entries;
}

it('is downloaded, unpacked and split as in the chapter, with the labels of TensorFlow Datasets', async () => {
  archive = tgz(await flowers());
  const split = ['train[:10%]', 'train[10%:25%]', 'train[25%:]'] as const;
  const [test, valid, train] = await data.tfFlowers({ url, split, imageSize: 16, stratified: true });
  expect([test, valid, train].map(({ cardinality }) => cardinality)).toEqual([2, 3, 15]);
  expect(train.classNames).toEqual(['dandelion', 'daisy', 'tulips', 'sunflowers', 'roses']);
  const reds: Record<string, number> = { dandelion: 50, daisy: 0, tulips: 200, sunflowers: 150, roses: 100 };
  for await (const [image, label] of train) {
    expect(image.shape).toEqual([16, 16, 3]);
    expect(Math.abs(image.data[0]! - reds[train.classNames[label.data[0]!]!]!)).toBeLessThan(3);
  }
  // From the cache, without the network; raw sizes.
  server.closeAllConnections();
  const raw = await data.tfFlowers({ url, imageSize: null, download: false });
  const shapes = new Set((await raw.toArray()).map(([image]) => image.shape.join()));
  expect(shapes.size).toBe(20);
});

it('refuses an archive with a class too many, or without one', async () => {
  archive = tgz([...(await flowers()), { name: 'flower_photos/orchids/0.jpg', body: 'x' }]);
  await expect(data.tfFlowers({ url })).rejects.toThrow(/tfFlowers: .*unlisted folders orchids/);
});

it('without network or archive says what it looked for', async () => {
  await expect(data.tfFlowers({ download: false })).rejects.toThrow(
    /tfFlowers: expected the archive at .*archive\.tar\.gz/,
  );
  await expect(data.tfFlowers({ folder: path.join(folder, 'no') })).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
});
