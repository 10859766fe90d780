import type { HostTensor } from '../data/host-tensor.js';
import { mismatch } from '../errors.js';
import { imageOf, requireHostImage, sizePair, type ImageShape } from './host-image.js';

/** A part of an image, in pixels; it may reach beyond, where there is black. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Cuts a box out of an image; pixels outside of the image are 0.
 *
 * @param image - [h, w, c] or [n, h, w, c]
 */
export function cropImage(image: HostTensor, box: Box): HostTensor {
  return cut('cropImage', image, requireHostImage('cropImage', image), box);
}

function cut(op: string, image: HostTensor, [n, h, w, c]: ImageShape, { top, left, height, width }: Box): HostTensor {
  sizePair(op, [height, width], 'the box');
  if (!Number.isInteger(top) || !Number.isInteger(left)) {
    throw mismatch('ERR_ARGUMENT', { op }, 'whole numbers as top and left', `${top} and ${left}`);
  }
  const { data } = image;
  if (data instanceof Int32Array) throw mismatch('ERR_DTYPE', { op }, 'an image of uint8 or float32', 'int32');
  const make = (length: number): Uint8Array | Float32Array =>
    data instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  const out = make(n * height * width * c);
  const [fromX, toX] = [Math.max(0, left), Math.min(w, left + width)];
  for (let b = 0; b < n && fromX < toX; b++) {
    for (let y = Math.max(0, top); y < Math.min(h, top + height); y++) {
      const row = (b * h + y) * w;
      const to = ((b * height + y - top) * width + fromX - left) * c;
      out.set(data.subarray((row + fromX) * c, (row + toX) * c), to);
    }
  }
  return imageOf(out, [n, height, width, c], image);
}

/**
 * Cuts `size` out of the middle, with black borders where the image is smaller (torchvision's `center_crop`).
 *
 * @param image - [h, w, c] or [n, h, w, c]
 */
export function centerCrop(image: HostTensor, size: number | readonly [height: number, width: number]): HostTensor {
  const [n, h, w, c] = requireHostImage('centerCrop', image);
  const [height, width] = sizePair('centerCrop', size);
  // torchvision pads first, the smaller half before; then it crops, and Python rounds halves to even.
  const start = (from: number, to: number): number =>
    to > from ? -Math.floor((to - from) / 2) : roundHalfEven((from - to) / 2);
  const box = { top: start(h, height), left: start(w, width), height, width };
  return cut('centerCrop', image, [n, h, w, c], box);
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  return x - floor === 0.5 ? floor + (floor % 2) : Math.round(x);
}

/** The middle part of an image, a fraction of both sides (tf.image.central_crop). */
export function centralCrop(image: HostTensor, fraction: number): HostTensor {
  const op = 'centralCrop';
  const shape = requireHostImage(op, image);
  if (!(fraction > 0 && fraction <= 1)) {
    throw mismatch('ERR_ARGUMENT', { op }, 'a fraction above 0 and of at most 1', String(fraction));
  }
  const margin = (side: number): number => Math.trunc((side - side * fraction) / 2);
  const [top, left] = [margin(shape[1]), margin(shape[2])];
  return cut(op, image, shape, { top, left, height: shape[1] - 2 * top, width: shape[2] - 2 * left });
}

/** Cuts `size` out of the middle or adds black borders to reach it (tf.image.resize_with_crop_or_pad). */
export function cropOrPad(image: HostTensor, size: number | readonly [height: number, width: number]): HostTensor {
  const shape = requireHostImage('cropOrPad', image);
  const [height, width] = sizePair('cropOrPad', size);
  const start = (from: number, to: number): number =>
    to > from ? -Math.floor((to - from) / 2) : Math.floor((from - to) / 2);
  return cut('cropOrPad', image, shape, { top: start(shape[1], height), left: start(shape[2], width), height, width });
}

/** The middle part with the proportions of `size`, as large as there is: what Keras's `smart_resize` cuts out first. */
export function cropToAspect(image: HostTensor, size: number | readonly [height: number, width: number]): HostTensor {
  const shape = requireHostImage('cropToAspect', image);
  const [, h, w] = shape;
  const [toHeight, toWidth] = sizePair('cropToAspect', size);
  const height = Math.max(1, Math.min(h, Math.floor((w * toHeight) / toWidth)));
  const width = Math.max(1, Math.min(w, Math.floor((h * toWidth) / toHeight)));
  const [top, left] = [Math.floor((h - height) / 2), Math.floor((w - width) / 2)];
  return cut('cropToAspect', image, shape, { top, left, height, width });
}

/** The image seen in a mirror. */
export function flipLeftRight(image: HostTensor): HostTensor {
  const [, , w, c] = requireHostImage('flipLeftRight', image);
  const data = image.data.slice();
  for (let row = 0; row < data.length; row += w * c) {
    for (let x = 0; x < w; x++) data.set(image.data.subarray(row + x * c, row + (x + 1) * c), row + (w - 1 - x) * c);
  }
  return { ...image, data };
}
