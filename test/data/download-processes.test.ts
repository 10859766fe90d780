import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DownloadProgress } from '../../lib/data/index.js';
import { downloadReporter } from '../../lib/data/download/reporter.js';
import { program } from '../support/program.js';

const CONTENT = Buffer.alloc(4_000_000, 'Fovea');
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');

let folder = '';
let file = '';
let server: Server;
let url = '';
let ranges: (string | undefined)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fovea-processes-'));
  file = path.join(folder, 'file.bin');
  ranges = [];
  // Slow: 200 kB every 20 ms.
  server = createServer((request, response) => {
    ranges.push(request.headers.range);
    const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
    const range = { 'content-range': `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}` };
    response.writeHead(from ? 206 : 200, {
      etag: '"1"',
      'content-length': CONTENT.length - from,
      ...(from ? range : {}),
    });
    let at = from;
    const timer = setInterval(() => {
      response.write(CONTENT.subarray(at, (at += 200_000)));
      if (at < CONTENT.length) return;
      clearInterval(timer);
      response.end();
    }, 20);
    response.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

function start() {
  const script = program(path.join(import.meta.dirname, 'download-child.ts'));
  const child = spawn(process.execPath, [script, url, file, SHA256], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  const ended = once(child, 'close').then(() => output.replaceAll('.', '').trim());
  return { child, ended };
}

describe('download in several processes', () => {
  it('is done once when two want the same file', async () => {
    const outputs = await Promise.all([start().ended, start().ended]);
    expect(outputs.sort()).toEqual(['cached', 'downloaded']);
    expect(ranges).toEqual([undefined]);
    expect((await readFile(file)).equals(CONTENT)).toBe(true);
    expect(await readdir(folder)).toEqual(['file.bin']);
  });

  it('is continued after kill -9, whose lock is taken over', async () => {
    const first = start();
    const partial = async () => (await stat(`${file}.part`).catch(() => undefined))?.size ?? 0;
    while ((await partial()) < 500_000) await wait(10);
    first.child.kill('SIGKILL');
    await first.ended;
    expect(await readdir(folder)).toEqual(['file.bin.lock', 'file.bin.part', 'file.bin.part.json']);
    expect(await start().ended).toBe('downloaded');
    expect(ranges[1]).toMatch(/^bytes=[1-9]\d{5,}-$/);
    expect((await readFile(file)).equals(CONTENT)).toBe(true);
    expect(await readdir(folder)).toEqual(['file.bin']);
  });
});

describe('downloadReporter', () => {
  const steps: DownloadProgress[] = [
    { url: 'https://host/a/train.gz?x=1', bytes: 1_500_000, total: undefined },
    { url: 'https://host/a/train.gz?x=1', bytes: 4_000_000, total: 4_000_000 },
  ];
  const record = (isTTY: boolean): string => {
    let text = '';
    const report = downloadReporter({ isTTY, write: (piece: string) => ((text += piece), true) });
    steps.forEach(report);
    return text;
  };

  it('redraws on a terminal and is brief elsewhere', () => {
    expect(record(true).replaceAll('\u001b[K', '')).toBe(
      '\rdownloading train.gz: 1.5 of ? MB\rdownloading train.gz: 4.0 of 4.0 MB\n',
    );
    expect(record(false)).toBe('downloading train.gz: 4.0 of 4.0 MB\n');
  });
});
