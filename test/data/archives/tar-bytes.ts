import { gzipSync } from 'node:zlib';

/** An entry of a tar archive made by hand, lies included. */
export interface TarEntry {
  readonly name: string;
  readonly body?: Uint8Array | string;
  /** '0' file, '5' folder, '2' symbolic link, '1' hard link, '6' fifo. */
  readonly type?: string;
  readonly link?: string;
  readonly mode?: number;
  /** The size in the header, when it is not that of the body. */
  readonly size?: number;
}

function header({ name, type = '0', link = '', mode = 0o644, size }: TarEntry, length: number): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  block.write(name, 0, 100);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size ?? length, 11), 124);
  block.write(octal(0, 11), 136);
  block.write('        ', 148);
  block.write(type, 156);
  block.write(link, 157, 100);
  block.write('ustar\0' + '00', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** A gzipped tar archive. */
export function tgz(entries: readonly TarEntry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const entry of entries) {
    const body = Buffer.from(entry.body ?? '');
    blocks.push(header(entry, body.length), body, Buffer.alloc((512 - (body.length % 512)) % 512));
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}
