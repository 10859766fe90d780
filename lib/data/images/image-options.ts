import { availableParallelism } from 'node:os';
import { mismatch } from '../../errors.js';
import { checkCount, checkFunction } from '../arguments.js';
import type { ColorMode } from '../../vision/decode.js';
import type { ImageReading } from './read-image.js';
import { type Interpolation, INTERPOLATIONS } from './resize.js';
import type { SkippedImage } from './skipped.js';

/** What all datasets of image files can be told, with Keras's words and defaults. */
export interface ImageOptions {
  /** Height and width, or one number for both. `[256, 256]` unless told; `null` keeps each image's own size. */
  readonly imageSize?: number | readonly [height: number, width: number] | null;
  /** 'rgb' unless told: images of one channel, three, or three and alpha. */
  readonly colorMode?: ColorMode;
  /** How images are resized, as tf.image.resize does. 'bilinear' unless told. */
  readonly interpolation?: Interpolation;
  /** Whether the filter grows when an image shrinks (as Pillow's and torchvision's does). False unless told, as in Keras. */
  readonly antialias?: boolean;
  /** Crops from the middle what has not the proportions of `imageSize`, instead of stretching it. */
  readonly cropToAspectRatio?: boolean;
  /** Adds black borders instead. */
  readonly padToAspectRatio?: boolean;
  /** 'float32': 0 to 255, not rounded (unless told). 'uint8': rounded to bytes, a quarter of the memory. */
  readonly dtype?: 'float32' | 'uint8';
  /** Turns images as their EXIF orientation says. False unless told: Keras, TensorFlow and Pillow take pixels as stored. */
  readonly exifOrientation?: boolean;
  /** Batches of this size, in the order of the images. To train, leave it out and write `.shuffle(n).batch(size)`. */
  readonly batchSize?: number;
  /** Leaves out a last batch that is not full. */
  readonly dropRemainder?: boolean;
  /** What a corrupt or missing image is: an error that names the file (unless told), or left out and counted. */
  readonly onCorrupt?: 'error' | 'skip';
  /** Told of each image that is left out, once. */
  readonly onSkip?: (skipped: SkippedImage) => void;
  /** How many images are read and decoded at once. As many as processors, at most 4 (the threads that decode), unless told. */
  readonly parallel?: number;
}

/** Larger images than this on a side are a mistake. */
const MAX_SIDE = 16384;

function oneOf<T extends string>(op: string, name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  const expected = `${name} to be one of ${choices.map((choice) => `'${choice}'`).join(', ')}`;
  throw mismatch('ERR_ARGUMENT', { op }, expected, JSON.stringify(value) ?? 'nothing');
}

function readSize(op: string, size: ImageOptions['imageSize']): readonly [number, number] | null {
  if (size === null) return null;
  const pair = typeof size === 'number' ? ([size, size] as const) : (size ?? ([256, 256] as const));
  const fits = (side: unknown): boolean =>
    Number.isInteger(side) && (side as number) >= 1 && (side as number) <= MAX_SIDE;
  if (Array.isArray(pair) && pair.length === 2 && pair.every(fits)) return [pair[0], pair[1]];
  throw mismatch(
    'ERR_ARGUMENT',
    { op },
    `imageSize to be [height, width], from 1 to ${MAX_SIDE}`,
    JSON.stringify(size),
  );
}

/** How images are to be read; checks the options that say so. */
export function readingOf(op: string, options: ImageOptions): ImageReading {
  const { colorMode = 'rgb', interpolation = 'bilinear', antialias = false, dtype = 'float32' } = options;
  const { cropToAspectRatio = false, padToAspectRatio = false, exifOrientation = false } = options;
  if (cropToAspectRatio && padToAspectRatio) {
    throw mismatch('ERR_ARGUMENT', { op }, 'one of cropToAspectRatio and padToAspectRatio', 'both');
  }
  const imageSize = readSize(op, options.imageSize);
  if (imageSize === null && (cropToAspectRatio || padToAspectRatio)) {
    throw mismatch('ERR_ARGUMENT', { op }, 'an imageSize to keep the proportions of', 'imageSize: null');
  }
  return {
    ...{ imageSize, antialias, exifOrientation },
    colorMode: oneOf(op, 'colorMode', colorMode, ['rgb', 'grayscale', 'rgba']),
    interpolation: oneOf(op, 'interpolation', interpolation, INTERPOLATIONS),
    dtype: oneOf(op, 'dtype', dtype, ['float32', 'uint8']),
    aspect: cropToAspectRatio ? 'crop' : padToAspectRatio ? 'pad' : 'stretch',
  };
}

/** How many images are decoded at once; checks the options about reading. */
export function parallelOf(op: string, options: ImageOptions): number {
  const { parallel = Math.min(4, availableParallelism()), batchSize, onCorrupt = 'error', onSkip } = options;
  checkCount(op, 'parallel', parallel, 1);
  if (batchSize !== undefined) checkCount(op, 'batchSize', batchSize, 1);
  oneOf(op, 'onCorrupt', onCorrupt, ['error', 'skip']);
  if (onSkip !== undefined) checkFunction(op, onSkip);
  return parallel;
}

/** The names of {@link ImageOptions}. */
export const IMAGE_KEYS = [
  ...['imageSize', 'colorMode', 'interpolation', 'antialias', 'cropToAspectRatio', 'padToAspectRatio', 'dtype'],
  ...['exifOrientation', 'batchSize', 'dropRemainder', 'onCorrupt', 'onSkip', 'parallel'],
];
