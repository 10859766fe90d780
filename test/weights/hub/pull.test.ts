import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listWeights, pullWeights, verifyWeights, type PullOptions } from '../../../lib/weights/hub/index.js';
import { formatPull, PullBar } from '../../../lib/weights/hub/progress-bar.js';
import { FileServer } from '../../support/file-server.js';

// Against a local server that behaves badly; what concerns every download is in test/data/download.test.ts.

let server: FileServer;
let folder = '';
const before = { cache: process.env['FOVEA_CACHE'], hub: process.env['FOVEA_HUB'] };

beforeAll(async () => {
  server = await FileServer.start();
});
beforeEach(async () => {
  server.reset();
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-hub-'));
  process.env['FOVEA_CACHE'] = folder;
  process.env['FOVEA_HUB'] = `${server.url}/mirror/`;
});
afterEach(() => rm(folder, { recursive: true, force: true }));
afterAll(async () => {
  await server.close();
  for (const [name, value] of [
    ['FOVEA_CACHE', before.cache],
    ['FOVEA_HUB', before.hub],
  ] as const) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

const CONTENT = Uint8Array.from({ length: 200_000 }, (_, i) => Math.imul(i + 1, 0x9e3779b9) >>> 24);
/** A file whose publisher states no digest, and one with the first digits of its SHA-256. */
const FREE = '/mirror/keras/mobilenet_1_0_224_tf.h5';
const CHECKED = '/mirror/torchvision/resnet18-f37072fd.pth';
const quick: PullOptions = {
  retries: 2,
  retryDelayMs: 1,
  responseTimeoutMs: 200,
  stallTimeoutMs: 200,
  progress: false,
};
const failure = async (model: string): Promise<Error & { code: string }> =>
  (await pullWeights(model, quick).catch((error: unknown) => error)) as Error & { code: string };

describe('pullWeights', () => {
  it('brings a file into the cache folder, once, and tells how it goes', async () => {
    server.files.set(FREE, CONTENT);
    const told: string[] = [];
    const options = {
      ...quick,
      progress: (p: { file: string; bytes: number }) => void told.push(`${p.file} ${p.bytes}`),
    };
    const pulled = await pullWeights('mobilenet', options);
    const place = path.join(folder, 'weights', 'keras', 'mobilenet_1_0_224_tf.h5');
    expect(pulled).toEqual({
      ...{ model: 'mobilenet', name: 'imagenet', source: 'keras' },
      ...{ path: place, bytes: CONTENT.length, cached: false },
    });
    expect(Uint8Array.from(await readFile(place))).toEqual(CONTENT);
    expect(told.at(-1)).toBe(`mobilenet_1_0_224_tf.h5 ${CONTENT.length}`);
    expect((await pullWeights('mobilenet', quick)).cached).toBe(true);
    expect(server.log).toEqual([FREE]);
  });

  it('without a top takes the other file, where there is one', async () => {
    server.files.set('/mirror/keras/mobilenet_1_0_224_tf_no_top.h5', CONTENT);
    await pullWeights('mobilenet', { ...quick, includeTop: false });
    expect(server.log).toEqual(['/mirror/keras/mobilenet_1_0_224_tf_no_top.h5']);
  });

  it('continues after a break, waits out a stall and errors of the server', async () => {
    server.files.set(FREE, CONTENT);
    server.handler = (request, response, count) => {
      if (count === 1) server.cut(request, response, 50_000);
      else if (count === 2) return;
      else if (count === 3) response.writeHead(429, { 'retry-after': '0' }).end();
      else server.serve(request, response);
    };
    const pulled = await pullWeights('mobilenet', { ...quick, retries: 4 });
    expect(Uint8Array.from(await readFile(pulled.path))).toEqual(CONTENT);
    expect(server.log.at(-1)).toMatch(/ bytes=\d+-$/);
  });

  it('starts over when the file changes on the server in between, and when it knows no ranges', async () => {
    server.files.set(FREE, CONTENT);
    server.handler = (request, response, count) => {
      if (count === 1) server.cut(request, response, 50_000, '"old"');
      else server.serve(request, response, '"new"');
    };
    const pulled = await pullWeights('mobilenet', quick);
    expect(Uint8Array.from(await readFile(pulled.path))).toEqual(CONTENT);
    server.reset();
    server.files.set(FREE, CONTENT);
    await rm(pulled.path);
    server.handler = (request, response, count) => {
      if (count === 1) server.cut(request, response, 50_000);
      else response.writeHead(200, { 'content-length': CONTENT.length }).end(CONTENT);
    };
    expect(Uint8Array.from(await readFile((await pullWeights('mobilenet', quick)).path))).toEqual(CONTENT);
  });

  it('refuses bytes that are not those the publisher states, and keeps none of them', async () => {
    server.files.set(CHECKED, CONTENT);
    const error = await failure('resnet18');
    expect(error).toMatchObject({ name: 'FoveaError', code: 'ERR_DATA' });
    expect(error.message).toMatch(/weights 'IMAGENET1K_V1' of resnet18: .*expected SHA-256 f37072fd, received \w{8}\b/);
    expect(await readdir(path.join(folder, 'weights', 'torchvision'))).toEqual([]);
  });

  it('notices lengths that lie', async () => {
    server.files.set(FREE, CONTENT);
    server.handler = (_, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length + 10 });
      response.write(CONTENT, () => setTimeout(() => response.destroy(), 10));
    };
    expect(await failure('mobilenet')).toMatchObject({ code: 'ERR_NETWORK' });
  });

  it('says what to do when nothing can be had', async () => {
    const absent = await failure('mobilenet');
    expect(absent).toMatchObject({ code: 'ERR_NOT_FOUND' });
    expect(absent.message).toMatch(/answered 404.*put by hand at .*The address comes from FOVEA_HUB/);
    server.handler = (_, response) => response.writeHead(500).end();
    expect((await failure('mobilenet')).message).toMatch(
      /answered 500.*Behind a proxy, set HTTPS_PROXY.*weights: null/,
    );
    const mirror = 'http://127.0.0.1:9';
    const refused = await pullWeights('mobilenet', { ...quick, mirror }).catch((error: Error) => error.message);
    expect(refused).toMatch(/127\.0\.0\.1:9/);
    await expect(pullWeights('lenet5', quick)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  it('of two formats takes the one that the hub has', async () => {
    const other = '/mirror/timm/inception_v4.tf_in1k/pytorch_model.bin';
    server.files.set(other, CONTENT);
    expect((await pullWeights('inception_v4', quick)).path).toMatch(/pytorch_model\.bin$/);
    expect(server.log).toEqual(['/mirror/timm/inception_v4.tf_in1k/model.safetensors', other]);
  });

  it('downloads once for several at a time', async () => {
    server.files.set(FREE, CONTENT);
    server.handler = (request, response) => void setTimeout(() => server.serve(request, response), 50);
    const all = await Promise.all([1, 2, 3].map(() => pullWeights('mobilenet', quick)));
    expect(all.filter(({ cached }) => !cached)).toHaveLength(1);
    expect(server.log).toHaveLength(1);
  });
});

describe('listWeights and verifyWeights', () => {
  it('tell what is there, and notice what has changed', async () => {
    server.files.set(FREE, CONTENT);
    expect((await listWeights('mobilenet')).map(({ state, includeTop }) => [state, includeTop])).toEqual([
      ['absent', true],
      ['absent', false],
    ]);
    const { path: file } = await pullWeights('mobilenet', quick);
    expect((await listWeights('mobilenet'))[0]).toMatchObject({ state: 'present', bytes: CONTENT.length, path: file });
    expect(await verifyWeights()).toMatchObject([{ model: 'mobilenet', verdict: 'unchanged' }]);
    const damaged = Uint8Array.from(CONTENT);
    damaged[7]! ^= 1;
    await writeFile(file, damaged);
    const [verdict] = await verifyWeights('mobilenet');
    expect(verdict).toMatchObject({ verdict: 'damaged' });
    expect(verdict!.reason).toMatch(/^expected SHA-256 \w{64}, received \w{64}$/);
    await rm(`${file}.checked.json`);
    expect((await verifyWeights('mobilenet'))[0]).toMatchObject({ verdict: 'unknown' });
  });

  it('compare with what the publisher states', async () => {
    const file = path.join(folder, 'weights', 'torchvision', 'resnet18-f37072fd.pth');
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, CONTENT);
    const [verdict] = await verifyWeights('resnet18');
    expect(verdict).toMatchObject({ verdict: 'damaged' });
    expect(verdict!.reason).toContain('expected SHA-256 f37072fd');
    expect((await stat(file)).size).toBe(CONTENT.length);
  });
});

describe('the bar', () => {
  it('shows how far, of what, and how fast', () => {
    const half = { model: 'm', file: 'm.pth', bytes: 2 ** 20, total: 2 ** 21 };
    expect(formatPull(half, 2 ** 20)).toBe(`m.pth [${'='.repeat(15)}>${' '.repeat(14)}] 1.0/2.0 MB 1.0 MB/s`);
    expect(formatPull({ ...half, bytes: 2 ** 21 }, 0)).toBe(`m.pth [${'='.repeat(30)}] 2.0/2.0 MB`);
    expect(formatPull({ ...half, total: undefined }, 0)).toBe('m.pth 1.0 MB');
  });

  it('redraws a line of a terminal, and leaves it; elsewhere tells once', () => {
    for (const isTTY of [true, false]) {
      let text = '';
      const bar = new PullBar({ isTTY, columns: 40, write: (s: string) => ((text += s), true) }, () => 0);
      for (const bytes of [1, 2]) bar.update({ model: 'm', file: 'm.pth', bytes: bytes * 2 ** 20, total: 2 ** 21 });
      bar.end();
      if (isTTY) expect(text.split('\r')).toHaveLength(3);
      else expect(text).toBe('downloading m.pth (2.0 MB)\n');
      expect(text.endsWith('\n')).toBe(true);
    }
  });
});
