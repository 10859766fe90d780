/**
 * Writes an image folder of real JPEG files, one folder per class:
 *
 *     node --import tsx examples/images/generate.ts flowers my-flowers --per-class 200 --size 96
 */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { drawPicture, FLOWERS, random, SHAPES } from './draw.js';

const KINDS = { flowers: FLOWERS, shapes: SHAPES };

/**
 * Draws a folder of images, unless it is there.
 *
 * @param kind - five kinds of flowers, or ten of shapes
 * @param folder - where it goes
 * @returns the folder
 */
export async function generateImages(
  kind: keyof typeof KINDS,
  folder: string,
  { perClass = 200, size = 96, seed = 1 }: { perClass?: number; size?: number; seed?: number } = {},
): Promise<string> {
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  for (const [label, [name, draw]] of Object.entries(KINDS[kind]).entries()) {
    await mkdir(path.join(unfinished, name), { recursive: true });
    for (let i = 0; i < perClass; i++) {
      const next = random(1_000_003 * seed + 10_007 * label + i);
      const picture = sharp(Buffer.from(drawPicture(draw, size, next)));
      const jpeg = await picture
        .flatten()
        .jpeg({ quality: 60 + Math.floor(35 * next()) })
        .toBuffer();
      await writeFile(path.join(unfinished, name, `${String(i).padStart(4, '0')}.jpg`), jpeg);
    }
  }
  await rename(unfinished, folder);
  return folder;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'per-class': { type: 'string', default: '200' }, size: { type: 'string', default: '96' } },
  });
  const [kind, folder] = positionals;
  if ((kind !== 'flowers' && kind !== 'shapes') || folder === undefined) {
    console.log('usage: generate.ts flowers|shapes FOLDER [--per-class 200] [--size 96]');
    process.exit(2);
  }
  await generateImages(kind, folder, { perClass: Number(values['per-class']), size: Number(values.size) });
}
