import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { writeJsonAtomic } from '../../util/atomic-file.js';
import { crypto } from '../../util/builtins.js';
import { cacheFolder } from '../../util/cache-folder.js';
import type { WeightsFile } from './facts.js';

/** Where a file of weights lies once it is here. A folder of this shape, served by HTTP, is a mirror. */
export function cachedPath(file: WeightsFile): string {
  return cacheFolder('weights', ...file.path.split('/'));
}

/** What was found when a file had been checked: enough to see later, without reading it, that it is the same. */
interface Receipt {
  readonly sha256: string;
  readonly bytes: number;
  readonly modified: number;
}

const receiptOf = (path: string): string => `${path}.checked.json`;

/** Notes that the file has passed its checks. */
export async function writeReceipt(path: string): Promise<string> {
  const sha256 = await sha256Of(path);
  const { size, mtimeMs } = await stat(path);
  await writeJsonAtomic(receiptOf(path), { sha256, bytes: size, modified: mtimeMs } satisfies Receipt);
  return sha256;
}

/** The note of an earlier check, if there is one that can be read. */
export async function readReceipt(path: string): Promise<Receipt | undefined> {
  try {
    const { sha256, bytes, modified } = JSON.parse(await readFile(receiptOf(path), 'utf8')) as Partial<Receipt>;
    if (typeof sha256 !== 'string' || typeof bytes !== 'number' || typeof modified !== 'number') return undefined;
    return { sha256, bytes, modified };
  } catch {
    return undefined;
  }
}

/** Whether the file is there, unchanged since it passed its checks, as far as size and date tell. */
export async function isChecked(path: string): Promise<boolean> {
  const receipt = await readReceipt(path);
  if (!receipt) return false;
  const found = await stat(path).catch(() => undefined);
  return found?.size === receipt.bytes && found.mtimeMs === receipt.modified;
}

/** The SHA-256 of a file, read in pieces. */
export async function sha256Of(path: string): Promise<string> {
  const hash = crypto().createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(piece as Buffer);
  return hash.digest('hex');
}
