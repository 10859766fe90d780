import { stat } from 'node:fs/promises';
import { differenceOf } from '../../data/download/digest.js';
import { cachedPath, readReceipt, sha256Of, writeReceipt } from './cache.js';
import { published, type Evaluation, type WeightsEntry, type WeightsFile } from './facts.js';

/** A file of published weights, and whether it is here. */
export interface WeightsStatus {
  /** The network's name in the zoo. */
  readonly model: string;
  /** The publisher's name for the weights. */
  readonly name: string;
  readonly source: WeightsEntry['source'];
  /** Whether `weights: 'imagenet'` means these. */
  readonly preferred: boolean;
  /** Whether the file holds the classifier. */
  readonly includeTop: boolean;
  readonly url: string;
  /** Where it is, or would be. */
  readonly path: string;
  readonly state: 'present' | 'partial' | 'absent';
  /** Bytes here; 0 when absent. */
  readonly bytes: number;
  /** How images were prepared for the published accuracy, where that is stated. */
  readonly evaluation: Evaluation | undefined;
}

/** What a check of a file came to. */
export interface WeightsVerdict extends WeightsStatus {
  /**
   * `good`: the publisher's digest fits. `unchanged`: the publisher states none, but the file is what was downloaded.
   * `unknown`: there is nothing to compare with. `damaged`: it is not what it must be.
   */
  readonly verdict: 'good' | 'unchanged' | 'unknown' | 'damaged';
  /** What is wrong with a damaged file. */
  readonly reason?: string;
}

interface Listed {
  readonly entry: WeightsEntry;
  readonly file: WeightsFile;
  readonly includeTop: boolean;
}

function listed(model: string | undefined): Listed[] {
  return published()
    .filter((entry) => model === undefined || entry.model === model)
    .flatMap((entry) => {
      const whole = entry.withTop.map((file) => ({ entry, file, includeTop: true }));
      if (entry.withoutTop === entry.withTop) return whole;
      return [...whole, ...entry.withoutTop.map((file) => ({ entry, file, includeTop: false }))];
    });
}

async function statusOf({ entry, file, includeTop }: Listed): Promise<WeightsStatus> {
  const { model, name, source, preferred, evaluation } = entry;
  const path = cachedPath(file);
  const whole = await stat(path).catch(() => undefined);
  const part = whole ?? (await stat(`${path}.part`).catch(() => undefined));
  const state = whole ? 'present' : part ? 'partial' : 'absent';
  const bytes = (whole ?? part)?.size ?? 0;
  return { model, name, source, preferred, includeTop, url: file.url, path, state, bytes, evaluation };
}

/** All published weights, or those of one network, and whether they are in the cache folder. */
export async function listWeights(model?: string): Promise<WeightsStatus[]> {
  return await Promise.all(listed(model).map(statusOf));
}

/**
 * Reads the files of published weights in the cache folder, or those of one network, and compares them with what their
 * publishers state, else with the digest noted when they were downloaded. Absent files are left out.
 */
export async function verifyWeights(model?: string): Promise<WeightsVerdict[]> {
  const verdicts: WeightsVerdict[] = [];
  for (const item of listed(model)) {
    const status = await statusOf(item);
    if (status.state !== 'present') continue;
    verdicts.push({ ...status, ...(await judge(status.path, item.file)) });
  }
  return verdicts;
}

async function judge(path: string, file: WeightsFile): Promise<Pick<WeightsVerdict, 'verdict' | 'reason'>> {
  const difference = await differenceOf(path, file);
  if (difference) {
    const { what, expected, received } = difference;
    return { verdict: 'damaged', reason: `expected ${what} ${expected}, received ${received}` };
  }
  if (file.md5 !== undefined || file.sha256Prefix !== undefined) {
    await writeReceipt(path);
    return { verdict: 'good' };
  }
  const receipt = await readReceipt(path);
  if (!receipt) return { verdict: 'unknown' };
  const received = await sha256Of(path);
  if (received === receipt.sha256) return { verdict: 'unchanged' };
  return { verdict: 'damaged', reason: `expected SHA-256 ${receipt.sha256}, received ${received}` };
}
