import { open } from 'node:fs/promises';
import { FoveaError } from '../errors.js';
import { isHdf5 } from './hdf5/superblock.js';

/** The kinds of files with models or weights, by what is in them; `pickle` is PyTorch's, in zip files or not. */
export type FileKind = 'safetensors' | 'hdf5' | 'zip' | 'json' | 'pickle' | 'folder';

const HEAD_BYTES = 512;

/**
 * Looks at the first bytes of a file. What is nothing known counts as safetensors, whose reader says what is wrong.
 *
 * @throws FoveaError ERR_NOT_FOUND, ERR_FILE
 */
export async function fileKind(path: string, op: string): Promise<FileKind> {
  const head = new Uint8Array(HEAD_BYTES);
  let length: number;
  try {
    const handle = await open(path, 'r');
    try {
      const stats = await handle.stat();
      if (stats.isDirectory()) return 'folder';
      length = (await handle.read(head, 0, HEAD_BYTES, 0)).bytesRead;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new FoveaError(`cannot read ${path}: ${(cause as Error).message}`, {
      code: (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'ERR_NOT_FOUND' : 'ERR_FILE',
      op,
      cause,
    });
  }
  return kindOf(head.subarray(0, length), path);
}

function kindOf(head: Uint8Array, path: string): FileKind {
  // HDF5 files may begin with a block of their user's.
  if (isHdf5(head) || (/\.(h5|hdf5)$/.test(path) && head.length > 0)) return 'hdf5';
  if (head[0] === 0x50 && head[1] === 0x4b && head[2] === 0x03 && head[3] === 0x04) {
    // The first file in PyTorch's archives.
    return String.fromCharCode(...head).includes('/data.pkl') ? 'pickle' : 'zip';
  }
  if (head[0] === 0x80 && head[1] !== undefined && head[1] <= 5 && !isLengthOfHeader(head)) return 'pickle';
  const first = head.find((byte) => byte > 0x20);
  return first === 0x7b && !isLengthOfHeader(head) ? 'json' : 'safetensors';
}

/** A safetensors file begins with the length of a header, which begins with a brace. */
function isLengthOfHeader(head: Uint8Array): boolean {
  return head[8] === 0x7b && head[6] === 0 && head[7] === 0;
}
