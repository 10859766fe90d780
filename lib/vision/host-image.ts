import { formatShape, hostTensor, isHostTensor, type HostTensor } from '../data/host-tensor.js';
import { mismatch } from '../errors.js';

/** [batch, height, width, channels] of an image or a batch of them, checked. */
export type ImageShape = readonly [batch: number, height: number, width: number, channels: number];

/**
 * Reads the shape of an image [h, w, c] or of a batch [n, h, w, c].
 *
 * @throws FoveaError ERR_SHAPE for other ranks and images without pixels
 */
export function imageShape(op: string, shape: readonly number[]): ImageShape {
  const full = shape.length === 3 ? [1, ...shape] : shape;
  if (full.length === 4 && full[1]! > 0 && full[2]! > 0) return full as unknown as ImageShape;
  const expected = 'an image [height,width,channels] or a batch [n,height,width,channels], with pixels';
  throw mismatch('ERR_SHAPE', { op }, expected, formatShape(shape));
}

/** The same pixels in a new image: a batch when `like` is one. */
export function imageOf(data: Uint8Array | Float32Array, [n, ...rest]: ImageShape, like: HostTensor): HostTensor {
  return hostTensor(data, like.shape.length === 3 ? rest : [n, ...rest]);
}

/** Throws unless `image` is host pixels of rank 3 or 4. */
export function requireHostImage(op: string, image: unknown): ImageShape {
  if (!isHostTensor(image)) {
    throw mismatch('ERR_ARGUMENT', { op }, 'an image as host tensor, { data, shape, dtype }', typeof image);
  }
  return imageShape(op, image.shape);
}

/** Throws unless `size` is a whole number or [height, width]. */
export function sizePair(op: string, size: unknown, name = 'size'): readonly [height: number, width: number] {
  const pair: unknown = typeof size === 'number' ? [size, size] : size;
  const fits = (side: unknown): boolean => Number.isInteger(side) && (side as number) >= 1 && (side as number) <= 65535;
  if (Array.isArray(pair) && pair.length === 2 && pair.every(fits)) return [pair[0] as number, pair[1] as number];
  throw mismatch(
    'ERR_ARGUMENT',
    { op },
    `${name} to be [height, width] from 1 to 65535`,
    JSON.stringify(size) ?? 'none',
  );
}
