import { readFile, stat } from 'node:fs/promises';
import { FoveaError } from '../../errors.js';
import { decodeEvent, type TensorBoardEvent } from './events.js';
import { readRecords } from './records.js';

/** Files are read whole; larger ones are not for us. */
const MOST_BYTES = 2 ** 30;

/**
 * Reads an event file, with its checksums verified.
 *
 * @throws FoveaError ERR_FILE for a file that is damaged, ERR_NOT_FOUND
 */
export async function readEvents(file: string): Promise<TensorBoardEvent[]> {
  const { size } = await stat(file).catch((cause: Error) => {
    throw new FoveaError(`cannot read ${file}: ${cause.message}`, { code: 'ERR_NOT_FOUND', op: 'readEvents', cause });
  });
  if (size > MOST_BYTES) {
    throw new FoveaError(`${file}: expected at most ${MOST_BYTES} bytes, received ${size}`, {
      code: 'ERR_FILE',
      op: 'readEvents',
    });
  }
  return readRecords(await readFile(file), file).map(({ data }) => decodeEvent(data));
}
