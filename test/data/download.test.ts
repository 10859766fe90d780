import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { download, type DownloadOptions } from '../../lib/data/download.js';

const CONTENT = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => Math.imul(i + 1, 0x9e3779b9) >>> 24));
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');
const MD5 = createHash('md5').update(CONTENT).digest('hex');
const ETAG = '"version-1"';

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

let folder = '';
let file = '';
let server: Server;
let url = '';
let requests: IncomingMessage[] = [];
let handler: Handler;

/** What a good server does: whole file or the range asked for. */
function serve(request: IncomingMessage, response: ServerResponse, content = CONTENT, etag = ETAG): void {
  const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
  const current = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
  if (from === undefined || !current) {
    response.writeHead(200, { 'content-length': content.length, etag }).end(content);
  } else if (Number(from) >= content.length) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
  } else {
    const range = `bytes ${from}-${content.length - 1}/${content.length}`;
    const rest = content.subarray(Number(from));
    response.writeHead(206, { 'content-length': rest.length, 'content-range': range, etag }).end(rest);
  }
}

/** Sends the first bytes under a full header, then breaks the connection. */
function breakAfter(
  response: ServerResponse,
  bytes: number,
  from = 0,
  headers: Record<string, string> = { etag: ETAG },
) {
  const status = from > 0 ? 206 : 200;
  const range = from > 0 ? { 'content-range': `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}` } : {};
  response.writeHead(status, { 'content-length': CONTENT.length - from, ...range, ...headers });
  response.write(CONTENT.subarray(from, from + bytes), () => setTimeout(() => response.destroy(), 10));
}

const fast: DownloadOptions = { retryDelayMs: 1, retries: 2, responseTimeoutMs: 300, stallTimeoutMs: 300 };
const ranges = () => requests.map((request) => request.headers.range);
const failureOf = async (options: DownloadOptions = fast, from: string | string[] = url) =>
  (await download(from, file, options).catch((error: unknown) => error)) as Error & { code: string };

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-download-'));
  file = path.join(folder, 'sub', 'file.bin');
  requests = [];
  handler = (request, response) => serve(request, response);
  server = createServer((request, response) => {
    requests.push(request);
    handler(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

async function expectWhole(): Promise<void> {
  expect((await readFile(file)).equals(CONTENT)).toBe(true);
  expect(await readdir(path.dirname(file))).toEqual(['file.bin']);
}

describe('download', () => {
  it('brings a file, checked, and asks for it once', async () => {
    const progress: number[] = [];
    const options = { ...fast, sha256: SHA256.toUpperCase(), md5: MD5, size: CONTENT.length };
    const result = await download(url, file, { ...options, onProgress: ({ bytes }) => progress.push(bytes) });
    expect(result).toEqual({ path: file, bytes: CONTENT.length, cached: false });
    await expectWhole();
    expect(progress.at(-1)).toBe(CONTENT.length);
    expect(requests[0]?.headers).toMatchObject({ 'accept-encoding': 'identity' });
    expect(await download(url, file, options)).toEqual({ path: file, bytes: CONTENT.length, cached: true });
    expect(requests).toHaveLength(1);
  });

  it('continues after broken connections, asking for the rest of the same version', async () => {
    handler = (request, response, count) => {
      const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
      if (count < 5) breakAfter(response, 50_000, from);
      else serve(request, response);
    };
    await download(url, file, { ...fast, sha256: SHA256 });
    await expectWhole();
    expect(ranges()[0]).toBeUndefined();
    expect(ranges()[4]).toMatch(/^bytes=\d+-$/);
    expect(requests.slice(1).every((request) => request.headers['if-range'] === ETAG)).toBe(true);
  });

  it('bears more breaks than retries as long as each attempt gets further', async () => {
    handler = (request, response) => {
      const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
      if (CONTENT.length - from > 30_000) breakAfter(response, 30_000, from);
      else serve(request, response);
    };
    await download(url, file, { ...fast, retries: 3 });
    await expectWhole();
    expect(requests.length).toBeGreaterThan(5);
  });

  it('gives up when attempts never get further', async () => {
    handler = (_, response) => breakAfter(response, 50_000, 0, {});
    expect(await failureOf()).toMatchObject({ name: 'FoveaError', code: 'ERR_NETWORK' });
    expect(requests.length).toBeLessThanOrEqual(5);
  });

  it('continues what a killed process has left', async () => {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(`${file}.part`, CONTENT.subarray(0, 100_000));
    await writeFile(`${file}.part.json`, JSON.stringify({ url, validator: ETAG }));
    await download(url, file, fast);
    await expectWhole();
    expect(ranges()).toEqual(['bytes=100000-']);
  });

  it('starts over when the file has changed, when the part is of unknown origin, or when its notes are damaged', async () => {
    await mkdir(path.dirname(file), { recursive: true });
    for (const notes of [
      JSON.stringify({ url, validator: '"version-0"' }),
      JSON.stringify({ url: 'http://other/' }),
      '{',
    ]) {
      await rm(file, { force: true });
      await writeFile(`${file}.part`, Buffer.alloc(100_000, 7));
      await writeFile(`${file}.part.json`, notes);
      await download(url, file, fast);
      await expectWhole();
    }
  });

  it('takes a complete part for complete when the server says 416', async () => {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(`${file}.part`, CONTENT);
    await writeFile(`${file}.part.json`, JSON.stringify({ url, validator: ETAG }));
    await download(url, file, { ...fast, sha256: SHA256 });
    await expectWhole();
    expect(ranges()).toEqual([`bytes=${CONTENT.length}-`]);
  });

  it('drops a part that the server refuses to continue (416)', async () => {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(`${file}.part`, Buffer.concat([CONTENT, CONTENT]));
    await writeFile(`${file}.part.json`, JSON.stringify({ url, validator: ETAG }));
    await download(url, file, { ...fast, sha256: SHA256 });
    await expectWhole();
    expect(ranges()).toEqual([`bytes=${2 * CONTENT.length}-`, undefined]);
  });

  it('drops a part when the server sends another range than asked for', async () => {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(`${file}.part`, CONTENT.subarray(0, 1000));
    await writeFile(`${file}.part.json`, JSON.stringify({ url, validator: ETAG }));
    handler = (request, response, count) => {
      if (count > 1) serve(request, response);
      else response.writeHead(206, { 'content-range': 'bytes 5-9/10' }).end('12345');
    };
    await download(url, file, fast);
    await expectWhole();
  });

  it('tries again when nothing comes, before the answer and in the middle of it', async () => {
    handler = (request, response, count) => {
      if (count === 1) return;
      if (count > 2) serve(request, response);
      else response.writeHead(200, { 'content-length': CONTENT.length, etag: ETAG }).write(CONTENT.subarray(0, 1000));
    };
    await download(url, file, fast);
    await expectWhole();
    expect(ranges()).toEqual([undefined, undefined, 'bytes=1000-']);
    handler = () => undefined;
    await rm(file);
    expect((await failureOf({ ...fast, retries: 0, responseTimeoutMs: 50 })).message).toContain('no answer for 0.05 s');
  });

  it('tries again once when the bytes are wrong, then says so and keeps nothing', async () => {
    const wrong = Buffer.from(CONTENT);
    wrong[7] = (wrong[7] as number) ^ 1;
    handler = (request, response, count) => serve(request, response, count === 1 ? wrong : CONTENT);
    await download(url, file, { ...fast, sha256: SHA256 });
    await expectWhole();

    await rm(file);
    requests = [];
    handler = (request, response) => serve(request, response, wrong);
    const received = createHash('sha256').update(wrong).digest('hex');
    const failure = await failureOf({ ...fast, sha256: SHA256 });
    expect(failure).toMatchObject({ code: 'ERR_DATA' });
    expect(failure.message).toContain(`${url}: expected SHA-256 ${SHA256}, received ${received}`);
    expect(requests).toHaveLength(2);
    expect(await readdir(path.dirname(file))).toEqual([]);
    expect((await failureOf({ ...fast, md5: MD5 })).message).toContain(`expected MD5 ${MD5}`);
  });

  it('notices a server that lies about the length', async () => {
    const size = CONTENT.length;
    handler = (_, response) => response.writeHead(200, { 'content-length': 1000 }).end(CONTENT.subarray(0, 1000));
    expect((await failureOf({ ...fast, size })).message).toContain(`expected ${size} bytes, received 1000`);
    handler = (_, response) =>
      response.writeHead(200, { 'content-type': 'text/html', 'content-length': 5 }).end('<htm>');
    expect((await failureOf({ ...fast, size })).message).toContain('a log-in page of this network?');
    // Chunked: no length at all, and far too much.
    handler = (_, response) => response.writeHead(200).end(Buffer.concat([CONTENT, CONTENT]));
    expect((await failureOf({ ...fast, size })).message).toContain(`expected ${size} bytes, received more`);
    handler = (_, response) => response.writeHead(200).end(CONTENT.subarray(0, 1000));
    expect((await failureOf({ ...fast, size })).message).toContain(`expected size ${size}, received 1000`);
    expect(await readdir(path.dirname(file))).toEqual([]);
  });

  it('replaces a file that is there but wrong', async () => {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, 'damaged');
    await download(url, file, { ...fast, sha256: SHA256 });
    await expectWhole();
  });

  it('does not ask again after 404 or 403, but after 500 and 429', async () => {
    handler = (_, response) => response.writeHead(404).end('no');
    const missing = await failureOf();
    expect(missing).toMatchObject({ code: 'ERR_NOT_FOUND' });
    expect(missing.message).toContain(`${url}: the server answered 404 Not Found`);
    expect(missing.message).toContain(`put by hand at ${file}`);
    handler = (_, response) => response.writeHead(403).end();
    expect(await failureOf()).toMatchObject({ code: 'ERR_NETWORK' });
    expect(requests).toHaveLength(2);
    handler = (_, response) => response.writeHead(500).end();
    expect((await failureOf()).message).toContain('the server answered 500 Internal Server Error');
    expect(requests).toHaveLength(5);
    handler = (request, response, count) => {
      if (count > 6) serve(request, response);
      else response.writeHead(429, { 'retry-after': '0' }).end();
    };
    await download(url, file, fast);
    await expectWhole();
  });

  it('takes the next address when one fails', async () => {
    handler = (request, response) => {
      if (request.url === '/good') serve(request, response);
      else response.writeHead(404).end();
    };
    await download([url, new URL('/good', url).href], file, { ...fast, sha256: SHA256 });
    await expectWhole();
    await rm(file);
    const failure = await failureOf(fast, [url, new URL('/worse', url).href]);
    expect(failure.message).toMatch(/file\.bin: the server answered 404.*worse: the server answered 404/);
  });

  it('follows redirects', async () => {
    handler = (request, response) => {
      if (request.url === '/there') serve(request, response);
      else response.writeHead(302, { location: '/there' }).end();
    };
    await download(url, file, { ...fast, sha256: SHA256 });
    await expectWhole();
  });

  it('says what is wrong when there is no server or no name', async () => {
    const { port } = server.address() as AddressInfo;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect((await failureOf()).message).toContain(`127.0.0.1:${port} refuses connections (ECONNREFUSED)`);
    const offline = await failureOf({ ...fast, responseTimeoutMs: 5000 }, 'http://no-such-host.invalid/x');
    expect(offline).toMatchObject({ code: 'ERR_NETWORK' });
    expect(offline.message).toMatch(
      /no-such-host\.invalid cannot be resolved \(E.*\) \(is this machine offline\?\)\. The file/,
    );
  });

  it('ends with the reason of its signal and can be continued', async () => {
    const controller = new AbortController();
    handler = (_, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length, etag: ETAG }).write(CONTENT.subarray(0, 5000));
      setTimeout(() => controller.abort(), 50);
    };
    const failure = await failureOf({ ...fast, stallTimeoutMs: 5000, signal: controller.signal });
    expect(failure.name).toBe('AbortError');
    handler = (request, response) => serve(request, response);
    await download(url, file, fast);
    expect(ranges()).toEqual([undefined, 'bytes=5000-']);
    await expectWhole();
  });

  it('lets one of several at once download, and the others wait', async () => {
    handler = (request, response) => void wait(50).then(() => serve(request, response));
    const results = await Promise.all([1, 2, 3].map(() => download(url, file, { ...fast, sha256: SHA256 })));
    expect(results.filter((result) => !result.cached)).toHaveLength(1);
    expect(requests).toHaveLength(1);
    await expectWhole();
  });

  it('refuses addresses and digests that are none, and names a disk that fails', async () => {
    for (const bad of ['file:///etc/passwd', 'no address', '']) {
      await expect(download(bad, file)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    }
    await expect(download(url, file, { sha256: 'abc' })).rejects.toThrow(/expected sha256/);
    await expect(download(url, file, { size: -1 })).rejects.toThrow(/expected size/);
    await writeFile(path.join(folder, 'plain'), '');
    await expect(download(url, path.join(folder, 'plain', 'x'), fast)).rejects.toMatchObject({ code: 'ERR_FILE' });
    expect(requests).toHaveLength(0);
  });
});
