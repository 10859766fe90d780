import { data, vision } from '../index.js';
import { resizePixels } from '../data/images/resize.js';
import { UsageError } from './errors.js';

/** How pixels from 0 to 255 become inputs: `unit` is 0 to 1; the others are the modes of Keras's `preprocess_input`. */
export const SCALES = ['unit', 'none', 'tf', 'caffe', 'torch'] as const;
export type Scale = (typeof SCALES)[number];

/** Pairs of an image and its class. */
export type Example = [image: data.HostTensor, label: data.HostTensor];

/**
 * What is to be done to each image, if anything: resize it (bilinear, with antialias), then scale its values.
 *
 * @param white - the value of a white pixel of the data set
 */
export function pixelStage(
  { scale, size }: { readonly scale: Scale; readonly size?: readonly [number, number] | undefined },
  white: 1 | 255,
): ((example: Example) => Example) | undefined {
  const asIs = scale === 'unit' ? white === 1 : scale === 'none' && white === 255;
  if (asIs && !size) return undefined;
  return ([image, label]) => {
    const sized = size ? resizePixels(image, size, 'bilinear', true) : image;
    return [asIs ? sized : scaled(sized, scale, white), label];
  };
}

function scaled(image: data.HostTensor, scale: Scale, white: 1 | 255): data.HostTensor {
  const top = scale === 'unit' ? 1 : 255;
  const values = Float32Array.from(image.data, (value) => (value * top) / white);
  const pixels = data.hostTensor(values, image.shape);
  if (scale === 'unit' || scale === 'none') return pixels;
  const channels = image.shape.at(-1);
  if (channels === 3) return vision.preprocessInput(pixels, scale);
  throw new UsageError(`data.scale: '${scale}' is for images of 3 channels, received ${channels}`);
}
