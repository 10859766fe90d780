import path from 'node:path';
import { download, type DownloadOptions } from '../../data/download.js';
import { FoveaError } from '../../errors.js';
import { cachedPath, isChecked, writeReceipt } from './cache.js';
import type { WeightsEntry, WeightsFile } from './facts.js';
import { findWeights } from './find.js';
import { PullBar, type PullProgress } from './progress-bar.js';

/** Options of {@link pullWeights}. */
export interface PullOptions extends Pick<
  DownloadOptions,
  'retries' | 'retryDelayMs' | 'responseTimeoutMs' | 'stallTimeoutMs' | 'signal'
> {
  /** Which of the network's published weights. `imagenet`, its preferred ones, unless told. */
  readonly name?: string | undefined;
  /** Whether the classifier is wanted. True unless told; PyTorch's files hold it in any case. */
  readonly includeTop?: boolean | undefined;
  /**
   * Another server that has the files, at the places they have in the cache folder: `https://mirror.example/fovea` for
   * `https://mirror.example/fovea/keras/...`. The variable FOVEA_HUB unless told, else the publishers' servers.
   */
  readonly mirror?: string | undefined;
  /** A bar on standard error, or a function that is told. A bar unless told; `false` for silence. */
  readonly progress?: boolean | ((progress: PullProgress) => void) | undefined;
}

/** What {@link pullWeights} answers. */
export interface PulledWeights {
  readonly model: string;
  readonly name: string;
  readonly source: WeightsEntry['source'];
  /** Where the file is. */
  readonly path: string;
  readonly bytes: number;
  /** Whether it was there already. */
  readonly cached: boolean;
}

/**
 * Brings the published weights of a network into the cache folder, once; see `download` for what it bears. What the
 * publisher says of the file (MD5, the first digits of SHA-256) is checked; files without such a statement are told by
 * `verifyWeights` later, from the digest noted now.
 *
 * @param model - a name of the zoo: `resnet50`
 * @throws FoveaError ERR_NOT_FOUND without such weights; ERR_NETWORK, ERR_DATA, ERR_FILE with what to do
 */
export async function pullWeights(model: string, options: PullOptions = {}): Promise<PulledWeights> {
  const { name, includeTop = true } = options;
  const entry = findWeights(model, name);
  const files = includeTop ? entry.withTop : entry.withoutTop;
  let missing: unknown;
  for (const file of files) {
    try {
      return await pullFile(entry, file, options);
    } catch (error) {
      // Of several formats a hub may have any; only "not found" leads to the next.
      if (!(error instanceof FoveaError) || error.code !== 'ERR_NOT_FOUND') throw error;
      missing = missing ?? error;
    }
  }
  throw missing;
}

async function pullFile(entry: WeightsEntry, file: WeightsFile, options: PullOptions): Promise<PulledWeights> {
  const { model, name, source } = entry;
  const target = cachedPath(file);
  const { mirror = process.env['FOVEA_HUB'], progress = true, ...rest } = options;
  const known = await isChecked(target);
  const bar = progress === true ? new PullBar() : undefined;
  const tell = typeof progress === 'function' ? progress : bar?.update.bind(bar);
  try {
    const result = await download(mirror ? mirrored(mirror, file) : file.url, target, {
      ...pick(rest),
      // A file that has been checked and not touched since is not read again.
      ...(known ? {} : { md5: file.md5, sha256Prefix: file.sha256Prefix }),
      onProgress: tell && (({ bytes, total }) => tell({ model, file: path.basename(target), bytes, total })),
    });
    if (!known) await writeReceipt(target);
    return { model, name, source, path: target, bytes: result.bytes, cached: result.cached };
  } catch (error) {
    throw advise(error, entry, Boolean(mirror));
  } finally {
    bar?.end();
  }
}

function pick(options: PullOptions): DownloadOptions {
  const { retries, retryDelayMs, responseTimeoutMs, stallTimeoutMs, signal } = options;
  const given = { retries, retryDelayMs, responseTimeoutMs, stallTimeoutMs, signal };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function mirrored(mirror: string, file: WeightsFile): string {
  return `${mirror.replace(/\/+$/, '')}/${file.path}`;
}

/** Adds to an error of the network what can be done about it. */
function advise(error: unknown, { model, name }: WeightsEntry, mirrored: boolean): unknown {
  if (!(error instanceof FoveaError)) return error;
  const { code, message } = error;
  if (code !== 'ERR_NETWORK' && code !== 'ERR_NOT_FOUND' && code !== 'ERR_DATA') return error;
  const server = mirrored
    ? 'The address comes from FOVEA_HUB or the option mirror'
    : 'FOVEA_HUB (or the option mirror) names another server that has the files';
  const advice =
    code === 'ERR_NETWORK'
      ? `Behind a proxy, set HTTPS_PROXY. ${server}; weights: null makes the model without them`
      : server;
  return new FoveaError(`weights '${name}' of ${model}: ${message}. ${advice}`, {
    code,
    op: 'pullWeights',
    cause: error,
  });
}
