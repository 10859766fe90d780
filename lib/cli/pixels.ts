import { data } from '../index.js';
import { resizePixels, type Pixels } from '../data/images/resize.js';
import { UsageError } from './errors.js';

/** How pixels from 0 to 255 become inputs: `unit` is 0 to 1; the others are the modes of Keras's `preprocess_input`. */
export const SCALES = ['unit', 'none', 'tf', 'caffe', 'torch'] as const;
export type Scale = (typeof SCALES)[number];

/** Pairs of an image and its class. */
export type Example = [image: data.HostTensor, label: data.HostTensor];

/** For each channel of the result: where it is in the source, and `factor * value + offset` for values 0 to 255. */
interface Channel {
  readonly from: number;
  readonly factor: number;
  readonly offset: number;
}

// ImageNet's means and deviations as keras.applications.imagenet_utils has them.
const TORCH = [
  [0.485, 0.229],
  [0.456, 0.224],
  [0.406, 0.225],
] as const;
/** Of blue, green, red: the order that caffe's models take. */
const CAFFE = [103.939, 116.779, 123.68] as const;

function channelsOf(scale: Scale, channels: number): Channel[] {
  const same = (factor: number, offset: number): Channel[] =>
    Array.from({ length: channels }, (_, from) => ({ from, factor, offset }));
  if (scale === 'none') return same(1, 0);
  if (scale === 'unit') return same(1 / 255, 0);
  if (scale === 'tf') return same(1 / 127.5, -1);
  if (channels !== 3)
    throw new UsageError(`data.scale: '${scale}' is for images of 3 channels, these have ${channels}`);
  if (scale === 'torch') {
    return TORCH.map(([mean, deviation], from) => ({ from, factor: 1 / (255 * deviation), offset: -mean / deviation }));
  }
  return CAFFE.map((mean, i) => ({ from: 2 - i, factor: 1, offset: -mean }));
}

/**
 * What is to be done to each image, if anything: resize it (bilinear, with antialias), then scale its values.
 *
 * @param white - the value of a white pixel of the data set
 */
export function pixelStage(
  { scale, size }: { readonly scale: Scale; readonly size?: readonly [number, number] | undefined },
  white: 1 | 255,
): ((example: Example) => Example) | undefined {
  const asIs = scale === 'none' || (scale === 'unit' && white === 1);
  if (asIs && !size) return undefined;
  return ([image, label]) => {
    const [height, width, channels] = image.shape as [number, number, number];
    const pixels: Pixels = { data: image.data as Float32Array, height, width, channels };
    const sized = size ? resizePixels(pixels, size, 'bilinear', true) : pixels.data;
    const shape = [...(size ?? [height, width]), channels];
    return [data.hostTensor(asIs ? sized : scaled(sized, channelsOf(scale, channels), white), shape), label];
  };
}

function scaled(values: ArrayLike<number>, channels: readonly Channel[], white: 1 | 255): Float32Array {
  const out = new Float32Array(values.length);
  const to255 = 255 / white;
  for (let at = 0; at < out.length; at += channels.length) {
    for (const [c, { from, factor, offset }] of channels.entries()) {
      out[at + c] = factor * to255 * (values[at + from] as number) + offset;
    }
  }
  return out;
}
