import { FoveaError } from '../../errors.js';
import { maskedCrc32c } from './crc32c.js';

/** A TFRecord: length, its checksum, data, its checksum; all little-endian. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length + 16);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(out.subarray(0, 8)), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return out;
}

/** A record, with the checksums that the file has (and that are right). */
export interface RawRecord {
  readonly data: Uint8Array;
  readonly lengthCrc: number;
  readonly dataCrc: number;
}

/**
 * The records of a file.
 *
 * @throws FoveaError ERR_FILE for a checksum that is wrong or a record that is cut off
 */
export function readRecords(file: Uint8Array, name = 'records'): RawRecord[] {
  // Of a Buffer, whose `slice` does not copy, plain bytes.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: RawRecord[] = [];
  for (let at = 0; at < bytes.length;) {
    const refuse = (why: string): FoveaError =>
      new FoveaError(`${name}: expected record ${records.length} at byte ${at} to be whole, ${why}`, {
        code: 'ERR_FILE',
        op: 'readRecords',
      });
    if (bytes.length - at < 16) throw refuse(`received ${bytes.length - at} bytes`);
    const lengthCrc = view.getUint32(at + 8, true);
    if (maskedCrc32c(bytes.subarray(at, at + 8)) !== lengthCrc) throw refuse('the checksum of its length is wrong');
    const length = view.getBigUint64(at, true);
    if (length > BigInt(bytes.length - at - 16)) throw refuse(`it has ${length} bytes, of which some are missing`);
    const data = bytes.subarray(at + 12, at + 12 + Number(length));
    const dataCrc = view.getUint32(at + 12 + data.length, true);
    if (maskedCrc32c(data) !== dataCrc) throw refuse('the checksum of its data is wrong');
    records.push({ data, lengthCrc, dataCrc });
    at += data.length + 16;
  }
  return records;
}
