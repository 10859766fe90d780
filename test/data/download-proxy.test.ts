import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { download } from '../../lib/data/download.js';
import { FileServer } from '../support/file-server.js';

const NAMES = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'] as const;
const before = Object.fromEntries(NAMES.map((name) => [name, process.env[name]]));
const CONTENT = new Uint8Array(1000).fill(7);

let folder = '';
let files: FileServer;
let proxy: Server;
/** Hosts that the proxy was asked to connect to. */
let tunnels: string[] = [];
const open = new Set<Socket>();

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-proxy-'));
  files = await FileServer.start();
  files.files.set('/weights.bin', CONTENT);
  tunnels = [];
  proxy = createServer();
  // Every name leads to the file server: only the proxy can know the one that is asked for.
  proxy.on('connect', (request, client: Socket) => {
    tunnels.push(request.url ?? '');
    const { port } = new URL(files.url);
    const server = connect(Number(port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      server.pipe(client).pipe(server);
    });
    for (const socket of [client, server]) open.add(socket.on('error', () => undefined));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  for (const name of NAMES) delete process.env[name];
  process.env['HTTP_PROXY'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
});

afterEach(async () => {
  for (const name of NAMES) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  for (const socket of open) socket.destroy();
  open.clear();
  await files.close();
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

const options = { retries: 0, retryDelayMs: 1, responseTimeoutMs: 3000 };

describe('downloads behind a proxy', () => {
  it('go through it', async () => {
    const { path: file } = await download('http://weights.example/weights.bin', path.join(folder, 'a'), options);
    expect(Uint8Array.from(await readFile(file))).toEqual(CONTENT);
    expect(tunnels).toEqual(['weights.example:80']);
  });

  it('do not for hosts that NO_PROXY names', async () => {
    process.env['NO_PROXY'] = '127.0.0.1';
    await download(`${files.url}/weights.bin`, path.join(folder, 'b'), options);
    expect(tunnels).toEqual([]);
  });

  it('name the variable when it cannot be reached', async () => {
    process.env['HTTP_PROXY'] = 'http://127.0.0.1:1';
    const failed = download('http://weights.example/weights.bin', path.join(folder, 'c'), options);
    await expect(failed).rejects.toThrow(/through the proxy of HTTP_PROXY; NO_PROXY lists hosts that need none/);
  });
});
