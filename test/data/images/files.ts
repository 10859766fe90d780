import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';

/** A JPEG of one colour. */
export function jpeg(rgb: readonly [number, number, number], width = 12, height = 8): Promise<Buffer> {
  const [r, g, b] = rgb;
  const image = sharp({ create: { width, height, channels: 3, background: { r, g, b } } });
  return image.jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer();
}

/** A PNG whose pixel (x, y) is (x, y, value): no rounding, told apart by its blue. */
export function png(value: number, width = 6, height = 4): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i++) pixels.set([i % width, Math.floor(i / width), value], 3 * i);
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Writes `count` images per class; image i of a class has the blue `100 * class + i`. */
export async function writeClasses(root: string, counts: Readonly<Record<string, number>>): Promise<void> {
  for (const [label, [name, count]] of Object.entries(counts).entries()) {
    await mkdir(path.join(root, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      await writeFile(path.join(root, name, `${String(i).padStart(3, '0')}.png`), await png(100 * label + i));
    }
  }
}
