import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { FoveaError } from '../errors.js';
import { zlib } from '../util/builtins.js';

// Reads where the entries of a zip file lie (PKWARE's APPNOTE 6.3, sections 4.3 and 4.5, with Zip64), for formats that
// store them uncompressed and want to read parts of them. Entries that were deflated are inflated in memory, to the
// size that the directory states and no further; names are only names. yauzl 3.4 is not used here: a damaged Zip64
// record makes it throw where nobody can catch it.

/** An entry of a zip file. */
export interface ZipEntry {
  readonly name: string;
  /** How its bytes lie in the file: as they are, deflated, or in a way that is not read (encrypted, other methods). */
  readonly packing: 'stored' | 'deflated' | 'unknown';
  readonly bytes: number;
  /** How many bytes it has in the file. */
  readonly packedBytes: number;
  readonly crc: number;
  /** Where its local header is. */
  readonly header: number;
}

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
/** The end record and the longest comment behind it. */
const LONGEST_END = END_BYTES + 0xffff;
/** A directory larger than this is none. */
const MAX_DIRECTORY_BYTES = 256 * 1024 * 1024;

/** A zip file that is open for reading at any place. */
export class ZipDirectory {
  private constructor(
    private readonly file: string,
    private readonly handle: FileHandle,
    private readonly fileBytes: number,
    /** By name, in the file's order. */
    readonly entries: ReadonlyMap<string, ZipEntry>,
  ) {}

  /**
   * Reads the directory at the file's end.
   *
   * @param file - for messages
   * @throws FoveaError ERR_FILE when it is damaged
   */
  static async open(file: string, handle: FileHandle, fileBytes: number): Promise<ZipDirectory> {
    const { count, bytes, offset } = await findDirectory(file, handle, fileBytes);
    if (offset + bytes > fileBytes || bytes > MAX_DIRECTORY_BYTES || count > bytes / 46) {
      throw refuse(file, `its directory cannot have ${count} entries in ${bytes} bytes at ${offset}`);
    }
    const view = await readView(file, handle, offset, bytes);
    const entries = new Map<string, ZipEntry>();
    for (let i = 0, at = 0; i < count; i++) {
      const { entry, end } = parseEntry(file, view, at);
      if (entries.has(entry.name)) throw refuse(file, `it has ${JSON.stringify(entry.name)} twice`);
      entries.set(entry.name, entry);
      at = end;
    }
    return new ZipDirectory(file, handle, fileBytes, entries);
  }

  /**
   * Where the bytes of a stored entry begin.
   *
   * @throws FoveaError ERR_FILE when the entry is compressed, or does not lie in the file
   */
  async positionOf(entry: ZipEntry): Promise<number> {
    if (entry.packing !== 'stored') {
      throw refuse(this.file, `${JSON.stringify(entry.name)} is compressed, which is not expected`);
    }
    return await this.#dataOf(entry);
  }

  /**
   * All bytes of an entry, stored or deflated.
   *
   * @param maxBytes - a larger entry is refused before anything is read
   * @throws FoveaError ERR_FILE when it is larger, packed in another way, damaged, or does not lie in the file
   */
  async read(entry: ZipEntry, maxBytes: number): Promise<Uint8Array> {
    const name = JSON.stringify(entry.name);
    if (entry.bytes > maxBytes) {
      throw refuse(this.file, `${name}: expected at most ${maxBytes} bytes, received ${entry.bytes}`);
    }
    if (entry.packing === 'unknown')
      throw refuse(this.file, `${name} is encrypted, or compressed by other than deflate`);
    const view = await readView(this.file, this.handle, await this.#dataOf(entry), entry.packedBytes);
    const packed = new Uint8Array(view.buffer);
    const bytes = entry.packing === 'stored' ? packed : await this.#inflate(entry, packed);
    if (bytes.length !== entry.bytes || zlib().crc32(bytes) !== entry.crc)
      throw refuse(this.file, `${name} is damaged`);
    return bytes;
  }

  async #inflate(entry: ZipEntry, packed: Uint8Array): Promise<Uint8Array> {
    try {
      return await promisify(zlib().inflateRaw)(packed, { maxOutputLength: Math.max(1, entry.bytes) });
    } catch (cause) {
      const why = (cause as Error).message;
      throw refuse(this.file, `${JSON.stringify(entry.name)} does not unpack to its ${entry.bytes} bytes: ${why}`);
    }
  }

  /** Where the bytes of an entry begin; all of them lie in the file. */
  async #dataOf(entry: ZipEntry): Promise<number> {
    const local = await readView(this.file, this.handle, entry.header, 30);
    if (local.getUint32(0, true) !== LOCAL)
      throw refuse(this.file, `${JSON.stringify(entry.name)} is not where it is said to be`);
    const position = entry.header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    if (position + entry.packedBytes > this.fileBytes) {
      throw refuse(this.file, `${JSON.stringify(entry.name)} reaches past the end of the file (truncated?)`);
    }
    return position;
  }
}

function refuse(file: string, what: string): FoveaError {
  return new FoveaError(`${file}: expected a zip file: ${what}`, { code: 'ERR_FILE', op: 'zip' });
}

async function readView(file: string, handle: FileHandle, position: number, length: number): Promise<DataView> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw refuse(file, `it ends at ${position + done} (truncated?)`);
    done += bytesRead;
  }
  return new DataView(bytes.buffer);
}

interface Directory {
  readonly count: number;
  readonly bytes: number;
  readonly offset: number;
}

async function findDirectory(file: string, handle: FileHandle, fileBytes: number): Promise<Directory> {
  const length = Math.min(fileBytes, LONGEST_END);
  const start = fileBytes - length;
  const tail = await readView(file, handle, start, length);
  for (let at = length - END_BYTES; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END || tail.getUint16(at + 20, true) !== length - at - END_BYTES) continue;
    const directory = {
      count: tail.getUint16(at + 10, true),
      bytes: tail.getUint32(at + 12, true),
      offset: tail.getUint32(at + 16, true),
    };
    if (at >= 20 && tail.getUint32(at - 20, true) === LOCATOR_64) {
      return await findDirectory64(file, handle, fileBytes, toNumber(file, tail, at - 12));
    }
    return directory;
  }
  throw refuse(file, 'it has no end record (truncated?)');
}

async function findDirectory64(file: string, handle: FileHandle, fileBytes: number, at: number): Promise<Directory> {
  if (at + 56 > fileBytes) throw refuse(file, `its Zip64 record cannot lie at ${at}`);
  const record = await readView(file, handle, at, 56);
  if (record.getUint32(0, true) !== END_64) throw refuse(file, 'its Zip64 record is not where it is said to be');
  return { count: toNumber(file, record, 32), bytes: toNumber(file, record, 40), offset: toNumber(file, record, 48) };
}

function toNumber(file: string, view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse(file, `it speaks of ${value} bytes`);
  return Number(value);
}

function parseEntry(file: string, view: DataView, at: number): { entry: ZipEntry; end: number } {
  if (at + 46 > view.byteLength || view.getUint32(at, true) !== CENTRAL) {
    throw refuse(file, `its directory is damaged at byte ${at}`);
  }
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((k) => view.getUint16(at + k, true)) as [
    number,
    number,
    number,
  ];
  const end = at + 46 + nameBytes + extraBytes + commentBytes;
  if (end > view.byteLength) throw refuse(file, `its directory is damaged at byte ${at}`);
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, nameBytes));
  const [packed, bytes, header] = [20, 24, 42].map((k) => view.getUint32(at + k, true)) as [number, number, number];
  const wide = wideNumbers(file, view, at + 46 + nameBytes, extraBytes, [bytes, packed, header]);
  const encrypted = (view.getUint16(at + 8, true) & 1) !== 0;
  const packing = encrypted ? 'unknown' : packingOf(view.getUint16(at + 10, true), wide[0], wide[1]);
  const crc = view.getUint32(at + 16, true);
  return { entry: { name, packing, bytes: wide[0], packedBytes: wide[1], crc, header: wide[2] }, end };
}

function packingOf(method: number, bytes: number, packedBytes: number): ZipEntry['packing'] {
  if (method === 0) return bytes === packedBytes ? 'stored' : 'unknown';
  return method === 8 ? 'deflated' : 'unknown';
}

/** The numbers that did not fit 32 bits stand in an extra field, in this order. */
function wideNumbers(
  file: string,
  view: DataView,
  start: number,
  length: number,
  narrow: readonly [number, number, number],
): [number, number, number] {
  const numbers: [number, number, number] = [...narrow];
  if (!narrow.includes(0xffffffff)) return numbers;
  for (let at = start; at + 4 <= start + length;) {
    const [id, size] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    const end = at + 4 + size;
    if (id === 1 && end <= start + length) {
      let from = at + 4;
      for (const [i, number] of narrow.entries()) {
        if (number !== 0xffffffff) continue;
        if (from + 8 > end) throw refuse(file, 'a Zip64 field in its directory is too short');
        numbers[i] = toNumber(file, view, from);
        from += 8;
      }
      return numbers;
    }
    at = end;
  }
  return numbers;
}
