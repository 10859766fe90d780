import type { Writable } from 'node:stream';
import type { DownloadProgress } from './attempt.js';

/** A stream that may be a terminal. */
interface ReporterStream extends Pick<Writable, 'write'> {
  readonly isTTY?: boolean;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/**
 * Tells how downloads go: a line per file, redrawn in place on a terminal; elsewhere only that a file is there.
 *
 * @param stream - standard error unless told
 * @returns to be given as `onProgress`
 */
export function downloadReporter(stream: ReporterStream = process.stderr): (progress: DownloadProgress) => void {
  return ({ url, bytes, total }) => {
    const done = bytes === total;
    const name = new URL(url).pathname.split('/').at(-1) ?? url;
    const line = `downloading ${name}: ${megabytes(bytes)} of ${total === undefined ? '?' : megabytes(total)} MB`;
    if (stream.isTTY) stream.write(`\r${line}\x1b[K${done ? '\n' : ''}`);
    else if (done) stream.write(`${line}\n`);
  };
}

/** The reporter for calls that name none: silent where nobody watches. */
export function defaultReporter(): ((progress: DownloadProgress) => void) | undefined {
  return process.stderr.isTTY ? downloadReporter() : undefined;
}
