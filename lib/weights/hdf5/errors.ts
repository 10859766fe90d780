import { FoveaError } from '../../errors.js';

/** A file that breaks the rules of the format. */
export function corrupt(file: string, why: string, cause?: unknown): FoveaError {
  return new FoveaError(`${file}: not a valid HDF5 file: ${why}`, { code: 'ERR_FILE', op: 'hdf5', cause });
}

/** A file that uses a part of the format that is not read here. */
export function unsupported(file: string, what: string): FoveaError {
  return new FoveaError(`${file}: HDF5: ${what} cannot be read`, {
    code: 'ERR_UNSUPPORTED',
    op: 'hdf5',
    received: what,
  });
}
