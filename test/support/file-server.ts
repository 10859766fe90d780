import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a server does with a request; `count` numbers those for one path, from 1. */
export type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A server of files on this machine, which can be told to behave badly. */
export class FileServer {
  readonly files = new Map<string, Uint8Array>();
  /** Asked for so far, as `GET /path bytes=...`. */
  readonly log: string[] = [];
  /** Replaces what a good server does. */
  handler: Handler = (request, response) => this.serve(request, response);
  readonly #server: Server;
  readonly #counts = new Map<string, number>();

  private constructor() {
    this.#server = createServer((request, response) => {
      const path = request.url ?? '';
      const { range } = request.headers;
      this.log.push(range === undefined ? path : `${path} ${range}`);
      const count = (this.#counts.get(path) ?? 0) + 1;
      this.#counts.set(path, count);
      this.handler(request, response, count);
    });
  }

  static async start(): Promise<FileServer> {
    const made = new FileServer();
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  reset(): void {
    this.files.clear();
    this.log.length = 0;
    this.#counts.clear();
    this.handler = (request, response) => this.serve(request, response);
  }

  /** What a good server does: the whole file, or the rest that is asked for. */
  serve(request: IncomingMessage, response: ServerResponse, etag = '"1"'): void {
    const content = this.files.get(request.url ?? '');
    if (!content) {
      response.writeHead(404).end();
      return;
    }
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const same = [undefined, etag].includes(request.headers['if-range'] as string | undefined);
    if (from === undefined || !same) {
      response.writeHead(200, { 'content-length': content.length, etag }).end(content);
      return;
    }
    const rest = content.subarray(Number(from));
    const range = `bytes ${from}-${content.length - 1}/${content.length}`;
    response.writeHead(206, { 'content-length': rest.length, 'content-range': range, etag }).end(rest);
  }

  /** Promises a whole file, sends the first bytes, and breaks the connection. */
  cut(request: IncomingMessage, response: ServerResponse, bytes: number, etag = '"1"'): void {
    const content = this.files.get(request.url ?? '')!;
    response.writeHead(200, { 'content-length': content.length, etag });
    response.write(content.subarray(0, bytes), () => setTimeout(() => response.destroy(), 10));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
