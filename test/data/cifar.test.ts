import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as data from '../../lib/data/index.js';
import { type TarEntry, tgz } from './archives/tar-bytes.js';

const environment = { ...process.env };
let folder = '';
let server: Server;
let url = '';
let served: Record<string, Buffer> = {};
let requests = 0;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-cifar-'));
  process.env['FOVEA_CACHE'] = path.join(folder, 'cache');
  requests = 0;
  server = createServer((request, response) => {
    requests++;
    const content = served[path.basename(request.url ?? '')];
    if (content) response.writeHead(200, { 'content-length': content.length }).end(content);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  process.env = { ...environment };
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

/** A record: labels, then red, green and blue planes; red counts pixels, green and blue are constant. */
function record(labels: number[], green: number, blue: number): Buffer {
  const red = Uint8Array.from({ length: 1024 }, (_, i) => i % 256);
  return Buffer.concat([Buffer.from(labels), red, Buffer.alloc(1024, green), Buffer.alloc(1024, blue)]);
}

const NAMES10 = 'airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n';

function archive10(change: (entries: TarEntry[]) => TarEntry[] = (e) => e): Buffer {
  const batch = (i: number) => ({
    name: `cifar-10-batches-bin/data_batch_${i}.bin`,
    body: Buffer.concat([record([i], 10 * i, 1), record([i + 1], 10 * i + 1, 2)]),
  });
  return tgz(
    change([
      { name: 'cifar-10-batches-bin/', type: '5' },
      { name: 'cifar-10-batches-bin/batches.meta.txt', body: NAMES10 },
      ...[1, 2, 3, 4, 5].map(batch),
      { name: 'cifar-10-batches-bin/test_batch.bin', body: record([9], 200, 255) },
    ]),
  );
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('cifar10', () => {
  it('is downloaded, unpacked and read, channels last', async () => {
    const bytes = archive10();
    served = { 'cifar.tgz': bytes };
    const [train, test] = await data.cifar10({ url: `${url}/cifar.tgz`, sha256: sha256(bytes) });
    expect([train.cardinality, test.cardinality]).toEqual([10, 1]);
    const [[image, label]] = (await test.toArray()) as [data.CifarExample];
    expect([image.shape, image.dtype, label.data[0]]).toEqual([[32, 32, 3], 'float32', 9]);
    // Pixel (1, 2): the 34th of each plane.
    const pixel = Array.from(image.data.slice(3 * 34, 3 * 35));
    expect(pixel).toEqual([34, 200, 255].map((byte) => Math.fround(byte / 255)));
    const [batch] = await train.batch(10).toArray();
    expect(Array.from(batch![1].data)).toEqual([1, 2, 2, 3, 3, 4, 4, 5, 5, 6]);
    expect(batch![0].shape).toEqual([10, 32, 32, 3]);
  });

  it('is not downloaded a second time; its classes come from the archive', async () => {
    served = { 'cifar.tgz': archive10() };
    await data.cifar10({ url: `${url}/cifar.tgz` });
    server.closeAllConnections();
    served = {};
    const { classNames, raw } = await data.cifar10({ url: `${url}/cifar.tgz` });
    expect(requests).toBe(1);
    expect([classNames.length, classNames[9]]).toEqual([10, 'truck']);
    expect(raw.trainImages.shape).toEqual([10, 32, 32, 3]);
  });

  it('holds an address without a checksum to what it sent first', async () => {
    served = { 'cifar.tgz': archive10() };
    await data.cifar10({ url: `${url}/cifar.tgz` });
    const [key] = await readdir(path.join(folder, 'cache', 'cifar-10'));
    await rm(path.join(folder, 'cache', 'cifar-10', key!, 'contents'), { recursive: true });
    await rm(path.join(folder, 'cache', 'cifar-10', key!, 'archive.tar.gz'));
    served = { 'cifar.tgz': archive10((entries) => [...entries, { name: 'more', body: 'x' }]) };
    await expect(data.cifar10({ url: `${url}/cifar.tgz` })).rejects.toThrow(/expected SHA-256 [0-9a-f]{64}, received/);
  });

  it('refuses what is not the archive it should be', async () => {
    served = { 'cifar.tgz': archive10() };
    const wrong = data.cifar10({ url: `${url}/cifar.tgz`, sha256: '0'.repeat(64) });
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_DATA' });
    // The official checksum holds for the official address only; nothing is taken for it that is not.
    await expect(data.cifar10({ download: false })).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  it.each([
    [
      'a short file',
      (e: TarEntry) => ({ ...e, body: Buffer.alloc(3072) }),
      /test_batch\.bin to be records of 3073 bytes/,
    ],
    [
      'a label too large',
      (e: TarEntry) => ({ ...e, body: record([10], 0, 0) }),
      /labels below 10, received 10 in record 0/,
    ],
    ['a missing file', (e: TarEntry) => ({ ...e, name: 'other' }), /cannot read .*test_batch\.bin/],
  ])('refuses %s', async (_, change, message) => {
    served = { 'cifar.tgz': archive10((es) => es.map((e) => (e.name.endsWith('test_batch.bin') ? change(e) : e))) };
    await expect(data.cifar10({ url: `${url}/cifar.tgz` })).rejects.toThrow(message);
  });
});

describe('cifar100', () => {
  it('has fine and coarse labels', async () => {
    const lines = (n: number) => Array.from({ length: n }, (_, i) => `c${i}\n`).join('');
    served = {
      'c.tgz': tgz([
        { name: 'cifar-100-binary/train.bin', body: Buffer.concat([record([3, 77], 0, 0), record([19, 99], 0, 0)]) },
        { name: 'cifar-100-binary/test.bin', body: record([0, 5], 0, 0) },
        { name: 'cifar-100-binary/fine_label_names.txt', body: lines(100) },
        { name: 'cifar-100-binary/coarse_label_names.txt', body: lines(20) },
      ]),
    };
    const labels = async (options: data.Cifar100Options) => {
      const { train, classNames } = await data.cifar100({ url: `${url}/c.tgz`, ...options });
      const [batch] = await train.batch(2).toArray();
      return [classNames.length, ...batch![1].data];
    };
    expect(await labels({})).toEqual([100, 77, 99]);
    expect(await labels({ labels: 'coarse' })).toEqual([20, 3, 19]);
    await expect(data.cifar100({ labels: 'other' as 'fine' })).rejects.toThrow(/labels to be 'fine' or 'coarse'/);
  });
});

describe('mnist', () => {
  it('is downloaded from a mirror', async () => {
    const idx = (shape: number[], body: Uint8Array): Buffer => {
      const head = Buffer.alloc(4 + 4 * shape.length);
      head.set([0, 0, 8, shape.length]);
      shape.forEach((dimension, axis) => head.writeUInt32BE(dimension, 4 + 4 * axis));
      return gzipSync(Buffer.concat([head, body]));
    };
    const files = {
      trainImages: idx([2, 28, 28], new Uint8Array(2 * 784).fill(51)),
      trainLabels: idx([2], Uint8Array.of(3, 8)),
      testImages: idx([1, 28, 28], new Uint8Array(784).fill(255)),
      testLabels: idx([1], Uint8Array.of(7)),
    };
    served = {
      'train-images-idx3-ubyte.gz': files.trainImages,
      'train-labels-idx1-ubyte.gz': files.trainLabels,
      't10k-images-idx3-ubyte.gz': files.testImages,
      't10k-labels-idx1-ubyte.gz': files.testLabels,
    };
    const expected = Object.fromEntries(
      Object.entries(files).map(([part, bytes]) => [part, { sha256: sha256(bytes) }]),
    ) as Record<keyof typeof files, { sha256: string }>;
    const [train, test] = await data.mnist({ mirror: { baseUrl: url, expected } });
    const [[image, label]] = (await test.toArray()) as [data.IdxExample];
    expect([image.shape, image.data[0], label.data[0]]).toEqual([[28, 28, 1], 1, 7]);
    expect(train.cardinality).toBe(2);
    // The official digests hold where no others are given.
    process.env['FOVEA_CACHE'] = path.join(folder, 'other');
    await expect(data.mnist({ mirror: { baseUrl: url } })).rejects.toMatchObject({ code: 'ERR_DATA' });
    await writeFile(path.join(folder, 'x'), '');
    await expect(data.mnist({ folder })).rejects.toThrow(/mnist: expected the four IDX files/);
  });
});
