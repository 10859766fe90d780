import type { Attributes } from '../backends/backend.js';
import { asTensor, type TensorLike } from '../tensor/create.js';
import { formatShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { requireArgument, requireFloat, requireRank, requireShape } from './check.js';
import { defineOp1, type Op1 } from './define.js';
import { pair, type Pair } from './geometry.js';
import { slice } from './shape.js';

export type ResizeMethod = 'bilinear' | 'nearest';

interface ResizeAttributes extends Attributes {
  readonly method: ResizeMethod;
  readonly output: readonly [number, number];
}

const resizeOp: Op1<ResizeAttributes> = defineOp1({
  name: 'resize',
  lowering: { kind: 'kernel', kernel: 'resize', attributes: ['method'] },
  infer: ([x], { output }) => [{ shape: [x!.shape[0]!, ...output, x!.shape[3]!], dtype: x!.dtype }],
  gradient: ({ inputs: [x], dy: [dy], attributes }) => [
    () => resizeBackward([dy!], { ...attributes, output: [x!.shape[1]!, x!.shape[2]!] }),
  ],
});

const resizeBackward: Op1<ResizeAttributes> = defineOp1({
  name: 'resizeBackward',
  lowering: { kind: 'kernel', kernel: 'resizeBackward', attributes: ['method'] },
  infer: ([dy], { output }) => [{ shape: [dy!.shape[0]!, ...output, dy!.shape[3]!], dtype: dy!.dtype }],
  gradient: ({ inputs: [dy], dy: [ddx], attributes }) => [
    () => resizeOp([ddx!], { ...attributes, output: [dy!.shape[1]!, dy!.shape[2]!] }),
  ],
});

export interface ResizeOptions {
  readonly method?: ResizeMethod;
}

/**
 * Resizes images as tf.image.resize does without antialias: half-pixel centres.
 *
 * @param x - [n, h, w, c]
 * @param size - new `[height, width]`
 */
export function resize(x: TensorLike, size: Pair, { method = 'bilinear' }: ResizeOptions = {}): Tensor {
  const t = asTensor('resize', x);
  requireRank('resize', 'x', t, 4);
  requireFloat('resize', 'x', t);
  requireArgument('resize', method === 'bilinear' || method === 'nearest', `method 'bilinear' or 'nearest'`, method);
  requireShape('resize', t.shape[1]! > 0 && t.shape[2]! > 0, 'images with pixels', formatShape(t.shape));
  return resizeOp([t], { method, output: pair('resize', 'size', size) });
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
