import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { FoveaError, mismatch } from '../errors.js';

const MAX_FILE_BYTES = 2 ** 28;

/**
 * The bytes of a file.
 *
 * @throws FoveaError ERR_NOT_FOUND or ERR_FILE when it cannot be read, ERR_DATA when it is larger than an image can be;
 *   each names the file
 */
export async function readImageFile(op: string, path: string | URL): Promise<Uint8Array> {
  const file = typeof path === 'string' ? path : fileURLToPath(path);
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) {
      throw mismatch('ERR_DATA', { op }, `image files of at most ${MAX_FILE_BYTES} bytes`, `${file} of ${size}`);
    }
    return await readFile(file);
  } catch (cause) {
    if (cause instanceof FoveaError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new FoveaError(`${op}: cannot read ${file}: ${message}`, {
      code: code === 'ENOENT' ? 'ERR_NOT_FOUND' : 'ERR_FILE',
      ...{ op, received: file, cause },
    });
  }
}
