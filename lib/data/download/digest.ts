import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { crypto } from '../../util/builtins.js';

/** What a file must be. */
export interface Expectation {
  /** SHA-256, 64 hex digits. */
  readonly sha256?: string | undefined;
  /** The first hex digits of the SHA-256, at least 8: what PyTorch's file names carry. */
  readonly sha256Prefix?: string | undefined;
  /** MD5, 32 hex digits: for files whose publisher names no better one. */
  readonly md5?: string | undefined;
  /** Bytes. */
  readonly size?: number | undefined;
}

/** How a file differs from what was expected. */
export interface Difference {
  readonly what: 'size' | 'SHA-256' | 'MD5';
  readonly expected: string | number;
  readonly received: string | number;
}

/** The first difference between a file and what it must be, or undefined. Reads the file in pieces. */
export async function differenceOf(file: string, expected: Expectation): Promise<Difference | undefined> {
  const { size } = await stat(file);
  if (expected.size !== undefined && size !== expected.size) {
    return { what: 'size', expected: expected.size, received: size };
  }
  const wantsSha256 = expected.sha256 !== undefined || expected.sha256Prefix !== undefined;
  const sha256 = wantsSha256 ? crypto().createHash('sha256') : undefined;
  const md5 = expected.md5 === undefined ? undefined : crypto().createHash('md5');
  if (!sha256 && !md5) return undefined;
  for await (const piece of createReadStream(file, { highWaterMark: 2 ** 20 })) {
    sha256?.update(piece as Buffer);
    md5?.update(piece as Buffer);
  }
  const whole = sha256?.digest('hex');
  const prefix = expected.sha256Prefix?.toLowerCase();
  const digests = [
    { what: 'SHA-256' as const, expected: expected.sha256?.toLowerCase(), received: whole },
    { what: 'SHA-256' as const, expected: prefix, received: whole?.slice(0, prefix?.length) },
    { what: 'MD5' as const, expected: expected.md5?.toLowerCase(), received: md5?.digest('hex') },
  ];
  for (const { what, expected: wanted, received } of digests) {
    if (wanted !== undefined && received !== undefined && wanted !== received)
      return { what, expected: wanted, received };
  }
  return undefined;
}
