import { asTensor, range, type TensorLike } from '../tensor/create.js';
import { formatShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { add, and, div, greater, greaterEqual, less, lessEqual, maximum, minimum, mul, select, sub } from './binary.js';
import { requireArgument, requireFloat, requireRank, requireShape } from './check.js';
import { pixelsAt } from './pixels.js';
import { reshape, slice } from './shape.js';
import { abs, cast, floor, neg, sign } from './unary.js';

/**
 * What lies outside of an image: `reflect` (dcba|abcd|dcba), `wrap` (abcd|abcd|abcd), `nearest` (aaaa|abcd|dddd) or
 * `constant`.
 */
export type FillMode = 'reflect' | 'wrap' | 'constant' | 'nearest';
export const FILL_MODES: readonly FillMode[] = ['reflect', 'wrap', 'constant', 'nearest'];

export interface AffineTransformOptions {
  /** `'bilinear'` unless told. */
  readonly interpolation?: 'bilinear' | 'nearest';
  /** `'constant'` unless told. */
  readonly fillMode?: FillMode;
  /** The value outside of images where `fillMode` is `'constant'`. 0 unless told. */
  readonly fillValue?: number;
}

const clamp = (x: Tensor, size: number): Tensor => minimum(maximum(x, 0), size - 1);
/** Towards 0, of what is not negative. */
const whole = (x: Tensor): Tensor => floor(x);

/** Brings coordinates into 0..size-1, with the arithmetic of TensorFlow's ImageProjectiveTransformV3. */
function inside(at: Tensor, size: number, mode: FillMode): Tensor {
  if (mode === 'constant') return at;
  if (mode === 'nearest') return clamp(at, size);
  if (size === 1) return mul(at, 0);
  if (mode === 'wrap') {
    const below = add(at, mul(add(whole(div(neg(at), size - 1)), 1), size));
    const above = sub(at, mul(whole(div(at, size - 1)), size));
    return clamp(select(less(at, 0), below, select(greater(at, size - 1), above, at)), size);
  }
  const period = 2 * size;
  const raised = add(at, mul(whole(div(neg(at), period)), period));
  const below = select(less(raised, -size), add(raised, period), sub(neg(raised), 1));
  const lowered = sub(at, mul(whole(div(at, period)), period));
  const above = select(greaterEqual(lowered, size), sub(period - 1, lowered), lowered);
  return clamp(select(less(at, 0), below, select(greater(at, size - 1), above, at)), size);
}

/**
 * Images under affine maps, each its own: the pixel (x, y) of the result is the image at (a0 x + a1 y + a2,
 * b0 x + b1 y + b2), as Keras's `affine_transform` has it.
 *
 * @param x - float [n, h, w, c]
 * @param transforms - [n, 6]: a0, a1, a2, b0, b1, b2
 * @returns [n, h, w, c]
 */
export function affineTransform(x: TensorLike, transforms: TensorLike, options: AffineTransformOptions = {}): Tensor {
  const op = 'affineTransform';
  const { interpolation = 'bilinear', fillMode = 'constant', fillValue = 0 } = options;
  const t = asTensor(op, x);
  const m = asTensor(op, transforms);
  requireRank(op, 'x', t, 4);
  requireFloat(op, 'x', t);
  requireFloat(op, 'transforms', m);
  const [n, h, w] = t.shape as [number, number, number, number];
  requireShape(op, m.rank === 2 && m.shape[0] === n && m.shape[1] === 6, `transforms [${n},6]`, formatShape(m.shape));
  requireArgument(op, FILL_MODES.includes(fillMode), `fillMode among ${FILL_MODES.join(', ')}`, fillMode);
  requireArgument(op, ['bilinear', 'nearest'].includes(interpolation), `bilinear or nearest`, interpolation);
  requireArgument(op, Number.isFinite(fillValue), 'a finite fillValue', fillValue);
  requireShape(op, h > 0 && w > 0, 'images with pixels', formatShape(t.shape));
  const entry = (i: number): Tensor => reshape(slice(m, [0, i], [n, 1]), [n, 1, 1]);
  const along = (size: number, shape: number[]): Tensor =>
    reshape(range(0, size, 1, { dtype: m.dtype, device: t.device }), shape);
  const [column, row] = [along(w, [1, 1, w]), along(h, [1, h, 1])];
  const source = (first: number): Tensor =>
    add(add(mul(entry(first), column), mul(entry(first + 1), row)), entry(first + 2));
  const [sx, sy] = [inside(source(0), w, fillMode), inside(source(3), h, fillMode)];

  /** Pixels at whole coordinates, with the fill outside. */
  const read = (px: Tensor, py: Tensor): Tensor => {
    const pixels = pixelsAt(t, cast(clamp(py, h), 'int32'), cast(clamp(px, w), 'int32'));
    if (fillMode !== 'constant') return pixels;
    const within = and(and(greaterEqual(px, 0), lessEqual(px, w - 1)), and(greaterEqual(py, 0), lessEqual(py, h - 1)));
    return select(reshape(within, [n, h, w, 1]), pixels, fillValue);
  };
  if (interpolation === 'nearest') return read(rounded(sx), rounded(sy));
  const [left, top] = [floor(sx), floor(sy)];
  const fraction = (at: Tensor, low: Tensor): Tensor => cast(reshape(sub(at, low), [n, h, w, 1]), t.dtype);
  const [fx, fy] = [fraction(sx, left), fraction(sy, top)];
  const mix = (a: Tensor, b: Tensor, f: Tensor): Tensor => add(mul(a, sub(1, f)), mul(b, f));
  const [right, bottom] = [add(left, 1), add(top, 1)];
  return mix(mix(read(left, top), read(right, top), fx), mix(read(left, bottom), read(right, bottom), fx), fy);
}

/** To whole numbers, halves away from 0. */
const rounded = (x: Tensor): Tensor => mul(sign(x), floor(add(abs(x), 0.5)));
