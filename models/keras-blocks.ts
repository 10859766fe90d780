import { layers } from '../lib/index.js';
import type { Initializer, SymbolicTensor } from '../lib/index.js';
import type { HeadNames, ModelOptions } from './options.js';

// Parts of networks drawn as keras.applications draws them: layers with Keras's names, so that weights have Keras's
// paths (`conv2_block1_1_conv/kernel`), and 'same' padding as TensorFlow has it.

/** One size for both directions, or height and width. */
export type Size = number | readonly [number, number];

/** Gives the layers that Keras leaves unnamed the names they have in a fresh session: `conv2d`, `conv2d_1`, ... */
export class Numbering {
  readonly #counts = new Map<string, number>();

  next(name: string): string {
    const count = this.#counts.get(name) ?? 0;
    this.#counts.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  }
}

export interface ConvOptions {
  strides?: number;
  padding?: 'same' | 'valid';
  useBias?: boolean;
  activation?: 'relu' | 'swish' | 'sigmoid';
  /** Of the kernel; Keras's default (Glorot uniform) unless given. */
  initializer?: Initializer;
}

/** A convolution; without bias unless asked, since most are followed by batch normalization. */
export function conv(
  x: SymbolicTensor,
  name: string,
  filters: number,
  kernelSize: Size,
  { strides = 1, padding = 'same', useBias = false, activation, initializer }: ConvOptions = {},
): SymbolicTensor {
  return layers
    .conv2d({ name, filters, kernelSize, strides, padding, useBias, activation, kernelInitializer: initializer })
    .apply(x);
}

/** A convolution of every channel by itself. */
export function depthwise(
  x: SymbolicTensor,
  name: string,
  kernelSize: Size,
  { strides = 1, padding = 'same', initializer }: Pick<ConvOptions, 'strides' | 'padding' | 'initializer'> = {},
): SymbolicTensor {
  return layers
    .depthwiseConv2d({ name, kernelSize, strides, padding, useBias: false, depthwiseInitializer: initializer })
    .apply(x);
}

export interface NormOptions {
  epsilon?: number;
  momentum?: number;
  /** Whether there is a gamma. */
  scale?: boolean;
}

export function norm(x: SymbolicTensor, name: string, options: NormOptions = {}): SymbolicTensor {
  return layers.batchNormalization({ name, ...options }).apply(x);
}

export function activate(x: SymbolicTensor, name: string, activation: 'relu' | 'swish' = 'relu'): SymbolicTensor {
  return layers.activation({ name, activation }).apply(x);
}

/** ReLU, cut off at 6. */
export function relu6(x: SymbolicTensor, name: string): SymbolicTensor {
  return layers.relu({ name, maxValue: 6 }).apply(x);
}

/** Zeros around the image: as many on all sides, or [[top, bottom], [left, right]]. */
export function zeroPad(
  x: SymbolicTensor,
  name: string,
  padding: number | readonly [readonly [number, number], readonly [number, number]],
): SymbolicTensor {
  return layers.zeroPadding2d({ name, padding }).apply(x);
}

/**
 * The zeros that let a convolution with strides 2 and no padding do what 'same' does, also where a size is not known and
 * taken to be even: Keras's `correct_pad`.
 */
export function padForStrides2(x: SymbolicTensor, name: string, kernelSize: number): SymbolicTensor {
  const half = Math.floor(kernelSize / 2);
  const sides = (size: number | null): readonly [number, number] => [half - (size === null ? 1 : 1 - (size % 2)), half];
  return zeroPad(x, name, [sides(x.shape[1]!), sides(x.shape[2]!)]);
}

export function maxPool(
  x: SymbolicTensor,
  name: string,
  poolSize: number,
  strides: number,
  padding: 'same' | 'valid' = 'valid',
): SymbolicTensor {
  return layers.maxPooling2d({ name, poolSize, strides, padding }).apply(x);
}

export function concat(parts: readonly SymbolicTensor[], name: string): SymbolicTensor {
  return layers.concatenate({ name }).apply([...parts]);
}

export function add(parts: readonly SymbolicTensor[], name: string): SymbolicTensor {
  return layers.add({ name }).apply([...parts]);
}

/** What the last layers are called in most of keras.applications. */
export const HEAD: HeadNames = { pool: 'avg_pool', maxPool: 'max_pool', dense: 'predictions', dropout: 'dropout' };

/** As {@link HEAD} for models that do not name the pooling when they have no top. */
export function headWithUnnamedPooling({ includeTop = true }: ModelOptions): HeadNames {
  const pool = includeTop ? 'avg_pool' : 'global_average_pooling2d';
  return { ...HEAD, pool, maxPool: 'global_max_pooling2d' };
}

/** The multiple of 8 nearest to a number of filters, but not more than a tenth below it. */
export function roundTo8(filters: number): number {
  const rounded = Math.max(8, Math.floor((filters + 4) / 8) * 8);
  return rounded < 0.9 * filters ? rounded + 8 : rounded;
}
