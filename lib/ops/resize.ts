import type { Attributes } from '../backends/backend.js';
import { asTensor, type TensorLike } from '../tensor/create.js';
import { formatShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { requireArgument, requireFloat, requireRank, requireShape } from './check.js';
import { defineOp1, type Op1 } from './define.js';
import { pair, type Pair } from './geometry.js';
import {
  RESIZE_METHODS,
  resizeWeights,
  spanAttributes,
  transposeSpans,
  type ResizeMethod,
  type Spans,
} from './resize-weights.js';
import { slice } from './shape.js';

export type { ResizeMethod };

interface ResizeAttributes extends Attributes {
  readonly method: ResizeMethod;
  readonly antialias: boolean;
  /** Height and width of the image, and of the image at another size. */
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
}

/** The weights of both axes; backward is the same kernel with the transposed weights. */
function weightsOf({ method, antialias, from, to }: ResizeAttributes, transposed: boolean): Attributes {
  const [rows, columns] = [0, 1].map((axis): Spans => {
    const spans = resizeWeights(from[axis]!, to[axis]!, method, antialias);
    return transposed ? transposeSpans(spans, from[axis]!) : spans;
  }) as [Spans, Spans];
  return spanAttributes(rows, columns);
}

const resizeOp: Op1<ResizeAttributes> = defineOp1({
  name: 'resize',
  lowering: { kind: 'kernel', kernel: 'resize', attributes: (a) => weightsOf(a as ResizeAttributes, false) },
  infer: ([x], { to }) => [{ shape: [x!.shape[0]!, ...to, x!.shape[3]!], dtype: x!.dtype }],
  gradient: ({ dy: [dy], attributes }) => [() => resizeBackward([dy!], attributes)],
});

const resizeBackward: Op1<ResizeAttributes> = defineOp1({
  name: 'resizeBackward',
  lowering: { kind: 'kernel', kernel: 'resize', attributes: (a) => weightsOf(a as ResizeAttributes, true) },
  infer: ([dy], { from }) => [{ shape: [dy!.shape[0]!, ...from, dy!.shape[3]!], dtype: dy!.dtype }],
  gradient: ({ dy: [ddx], attributes }) => [() => resizeOp([ddx!], attributes)],
});

export interface ResizeOptions {
  /** `'bilinear'` unless told. */
  readonly method?: ResizeMethod;
  /** Widens filters when the image shrinks, so that every pixel counts; without effect on `nearest` and `area`. */
  readonly antialias?: boolean;
}

/**
 * Resizes images as tf.image.resize does: half-pixel centres; without antialias unless told.
 *
 * @param x - [n, h, w, c]
 * @param size - new `[height, width]`
 */
export function resize(x: TensorLike, size: Pair, options: ResizeOptions = {}): Tensor {
  const { method = 'bilinear', antialias = false } = options;
  const t = asTensor('resize', x);
  requireRank('resize', 'x', t, 4);
  requireFloat('resize', 'x', t);
  requireArgument('resize', RESIZE_METHODS.includes(method), `method among ${RESIZE_METHODS.join(', ')}`, method);
  requireArgument('resize', typeof antialias === 'boolean', 'antialias true or false', antialias);
  requireShape('resize', t.shape[1]! > 0 && t.shape[2]! > 0, 'images with pixels', formatShape(t.shape));
  const to = pair('resize', 'size', size);
  return resizeOp([t], { method, antialias, from: [t.shape[1]!, t.shape[2]!], to });
}

/**
 * Resizes images without distorting them: the middle part with the proportions of `size`, as large as there is, is
 * brought to that size (Keras's `smart_resize`).
 *
 * @param x - [n, h, w, c]
 * @param size - new `[height, width]`
 */
export function smartResize(x: TensorLike, size: Pair, options: ResizeOptions = {}): Tensor {
  const t = asTensor('smartResize', x);
  requireRank('smartResize', 'x', t, 4);
  const [n, h, w, c] = t.shape as [number, number, number, number];
  const [height, width] = pair('smartResize', 'size', size);
  const cropHeight = Math.max(1, Math.min(h, Math.trunc((w * height) / width)));
  const cropWidth = Math.max(1, Math.min(w, Math.trunc((h * width) / height)));
  const begin = [0, Math.trunc((h - cropHeight) / 2), Math.trunc((w - cropWidth) / 2), 0];
  const part = cropHeight === h && cropWidth === w ? t : slice(t, begin, [n, cropHeight, cropWidth, c]);
  return resize(part, [height, width], options);
}
