import { readFileSync } from 'node:fs';
import { hostTensor, type HostTensor } from '../../lib/data/index.js';
import { unit } from '../support/fill.js';
import { readGolden, type ExpectedTensor } from '../support/golden.js';

/** One file of images.json.gz. */
export interface ImageFixture {
  readonly file: string;
  readonly mode: string;
  readonly size: readonly [width: number, height: number];
  readonly rgb: ExpectedTensor;
  readonly native?: ExpectedTensor;
  readonly resize?: readonly ({ readonly size: readonly [width: number, height: number] } & Readonly<
    Record<'pil_nearest' | 'pil_bilinear' | 'pil_bicubic' | 'tf_bilinear' | 'tf_bilinear_antialias', ExpectedTensor>
  >)[];
}

export const imageFixtures = readGolden<{ images: ImageFixture[] }>('files/images.json.gz').images;

/** A file of the fixtures. */
export const readFixture = (file: string): Buffer => readFileSync(fixturePath(file));

export const fixturePath = (file: string): URL => new URL(`../golden/files/${file}`, import.meta.url);

/** The image of preprocess.json: floor(256 * u(seed, i)). */
export function goldenImage(
  shape: readonly number[],
  seed: number,
  dtype: 'uint8' | 'float32' = 'float32',
): HostTensor {
  const size = shape.reduce((n, d) => n * d, 1);
  const values = Array.from({ length: size }, (_, i) => Math.floor(256 * unit(seed, i)));
  return hostTensor(dtype === 'uint8' ? Uint8Array.from(values) : Float32Array.from(values), shape);
}

/** Pillow's shapes leave the channels out. */
export const withChannels = (expected: ExpectedTensor): ExpectedTensor => ({
  ...expected,
  shape: [...expected.shape.slice(0, 2), 3],
});

/** Bytes are the same or they are not; what is left is the rounding of sums in the fixtures. */
export const EXACT = { relative: 1e-10, absolute: 1e-6 };
