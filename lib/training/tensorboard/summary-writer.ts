import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { FoveaError } from '../../errors.js';
import { encodeSummary, encodeVersion, little, scalarTensor, type Plugin, type SummaryTensor } from './events.js';
import { BUCKETS, histogramBuckets } from './histogram.js';
import { encodePng } from './png.js';
import { frameRecord } from './records.js';

/** Files that one process makes in one second need names of their own. */
let files = 0;
const utf8 = new TextEncoder();

/** Pixels as bytes 0 to 255, or as numbers 0 to 1 that are clipped; `[height, width, channels]`, 1 to 4 channels. */
export interface SummaryImage {
  readonly data: Uint8Array | Float32Array;
  readonly shape: readonly [height: number, width: number, channels: number];
}

/**
 * Writes event files that TensorBoard shows: scalars, histograms, images and text, in the form of TensorFlow 2.
 *
 * What is given is kept in memory until `flush` or `close`, which write whole records in one piece: a file is readable up
 * to the last flush whenever the process dies.
 *
 * @example
 * const writer = new SummaryWriter('logs/run-1');
 * writer.scalar('loss', 0.25, 100);
 * await writer.close();
 */
export class SummaryWriter {
  readonly file: string;
  #pending: Uint8Array[] = [];
  #handle: Promise<FileHandle> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  /** @param folder - `--logdir` of TensorBoard, or a folder in it; made with the first flush */
  constructor(
    readonly folder: string,
    private readonly now: () => number = Date.now,
  ) {
    const seconds = Math.floor(now() / 1000);
    const host = hostname().replaceAll(/[^\w.-]/g, '_');
    this.file = path.join(folder, `events.out.tfevents.${seconds}.${host}.${process.pid}.${files++}.v2`);
    this.#pending.push(frameRecord(encodeVersion(now() / 1000, 'fovea')));
  }

  /** A number, kept as float32. */
  scalar(tag: string, value: number, step: number): void {
    this.#add(tag, step, 'scalars', scalarTensor(value));
  }

  /** How values are distributed; see {@link histogramBuckets}. */
  histogram(tag: string, values: ArrayLike<number>, step: number, buckets = BUCKETS): void {
    const content = little(8, histogramBuckets(values, buckets).flat());
    this.#add(tag, step, 'histograms', { dtype: 'double', shape: [buckets, 3], content });
  }

  /** One or more images of one size. */
  image(tag: string, images: SummaryImage | readonly SummaryImage[], step: number): void {
    const list = Array.isArray(images) ? (images as readonly SummaryImage[]) : [images as SummaryImage];
    const [height, width] = list[0]?.shape ?? [0, 0];
    const pictures = list.map(({ data, shape: [h, w, channels] }) => {
      if (h !== height || w !== width) {
        throw new FoveaError(`SummaryWriter "${tag}": expected images of ${height}x${width}, received ${h}x${w}`, {
          code: 'ERR_SHAPE',
          op: 'SummaryWriter',
        });
      }
      return encodePng(data instanceof Uint8Array ? data : toBytes(data), w, h, channels);
    });
    const content = [utf8.encode(String(width)), utf8.encode(String(height)), ...pictures];
    this.#add(tag, step, 'images', { dtype: 'string', shape: [content.length], content });
  }

  /** Text, shown as Markdown. */
  text(tag: string, text: string, step: number): void {
    this.#add(tag, step, 'text', { dtype: 'string', shape: [], content: [utf8.encode(text)] });
  }

  /** Writes what was given so far. */
  flush(): Promise<void> {
    const pieces = this.#pending;
    this.#pending = [];
    // One write after the other; a failed one does not take the later ones with it.
    return (this.#writing = this.#writing.catch(() => undefined).then(() => this.#write(pieces)));
  }

  /** Writes the rest and closes the file. Calling it twice does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.flush();
    } finally {
      await this.#handle?.then((handle) => handle.close()).catch(() => undefined);
    }
  }

  #add(tag: string, step: number, plugin: Plugin, tensor: SummaryTensor): void {
    if (this.#closed) {
      throw new FoveaError(`SummaryWriter "${tag}": expected an open writer, received one that was closed`, {
        code: 'ERR_DISPOSED',
        op: 'SummaryWriter',
      });
    }
    if (!Number.isSafeInteger(step)) {
      throw new FoveaError(`SummaryWriter "${tag}": expected step to be a whole number, received ${step}`, {
        op: 'SummaryWriter',
      });
    }
    this.#pending.push(frameRecord(encodeSummary(this.now() / 1000, step, tag, plugin, tensor)));
  }

  async #write(pieces: readonly Uint8Array[]): Promise<void> {
    if (pieces.length === 0) return;
    try {
      this.#handle ??= mkdir(this.folder, { recursive: true }).then(() => open(this.file, 'a'));
      await (await this.#handle).appendFile(Buffer.concat(pieces));
    } catch (cause) {
      throw new FoveaError(`cannot write ${this.file}: ${(cause as Error).message}`, {
        code: 'ERR_FILE',
        op: 'SummaryWriter',
        cause,
      });
    }
  }
}

function toBytes(data: Float32Array): Uint8Array {
  return Uint8Array.from(data, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
}
