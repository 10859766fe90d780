import path from 'node:path';
import envPaths from 'env-paths';

/**
 * The folder for downloaded files: `FOVEA_CACHE` if set, else the system's place for caches (`XDG_CACHE_HOME` is
 * honoured).
 *
 * @param parts - folders and file inside it
 */
export function cacheFolder(...parts: readonly string[]): string {
  const chosen = process.env['FOVEA_CACHE'];
  return path.join(chosen ? path.resolve(chosen) : envPaths('fovea', { suffix: '' }).cache, ...parts);
}
