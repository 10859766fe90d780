import { isHostTensor, type HostTensor } from '../data/host-tensor.js';
import { mismatch } from '../errors.js';
import * as ops from '../ops/index.js';
import { RESIZE_METHODS, resizeWeights, type ResizeMethod, type Spans } from '../ops/resize-weights.js';
import { Tensor } from '../tensor/tensor.js';
import { cropToAspect } from './crop.js';
import { imageOf, imageShape, sizePair } from './host-image.js';

export interface ResizeImagesOptions {
  /** `'bilinear'` unless told. */
  readonly method?: ResizeMethod | undefined;
  /** Widens filters when the image shrinks. False unless told, as in TensorFlow. */
  readonly antialias?: boolean | undefined;
  /** Makes images as large as fits into `size` with their own proportions. */
  readonly preserveAspectRatio?: boolean | undefined;
}

type Size = number | readonly [height: number, width: number];

/** Weighted sums along one axis: [outer, size, inner] to [outer, targets, inner]. */
function along(x: ArrayLike<number>, outer: number, size: number, inner: number, spans: Spans): Float64Array {
  const { starts, taps, weights } = spans;
  const y = new Float64Array(outer * starts.length * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < starts.length; i++) {
      const to = (o * starts.length + i) * inner;
      for (let k = 0; k < taps; k++) {
        const weight = weights[i * taps + k]!;
        if (weight === 0) continue;
        const from = (o * size + starts[i]! + k) * inner;
        for (let c = 0; c < inner; c++) y[to + c]! += weight * x[from + c]!;
      }
    }
  }
  return y;
}

/**
 * Resizes images as `tf.image.resize` does: half-pixel centres, values not rounded. For bytes as Pillow makes them see
 * {@link resizeImage}.
 *
 * @param x - [h, w, c] or [n, h, w, c]
 * @param size - new height and width
 * @returns float32, on the host when `x` is
 */
export function resize(x: Tensor, size: Size, options?: ResizeImagesOptions): Tensor;
export function resize(x: HostTensor, size: Size, options?: ResizeImagesOptions): HostTensor;
export function resize(x: Tensor | HostTensor, size: Size, options?: ResizeImagesOptions): Tensor | HostTensor;
export function resize(x: Tensor | HostTensor, size: Size, options: ResizeImagesOptions = {}): Tensor | HostTensor {
  const op = 'resize';
  const { method = 'bilinear', antialias = false, preserveAspectRatio = false } = options;
  if (!(x instanceof Tensor) && !isHostTensor(x)) throw mismatch('ERR_ARGUMENT', { op }, 'a tensor', typeof x);
  const shape = imageShape(op, x.shape);
  const [n, h, w, c] = shape;
  let [height, width] = sizePair(op, size);
  if (preserveAspectRatio) {
    const scale = Math.min(height / h, width / w);
    [height, width] = [Math.max(1, Math.round(h * scale)), Math.max(1, Math.round(w * scale))];
  }
  if (x instanceof Tensor) {
    const float = ops.cast(x, x.dtype === 'float64' ? 'float64' : 'float32').reshape([...shape]);
    const y = ops.resize(float, [height, width], { method, antialias });
    return x.rank === 3 ? ops.squeeze(y, 0) : y;
  }
  if (!RESIZE_METHODS.includes(method)) {
    throw mismatch('ERR_ARGUMENT', { op }, `method among ${RESIZE_METHODS.join(', ')}`, String(method));
  }
  const columns = along(x.data, n * h, w, c, resizeWeights(w, width, method, antialias));
  const y = along(columns, n, h, width * c, resizeWeights(h, height, method, antialias));
  return imageOf(Float32Array.from(y), [n, height, width, c], x);
}

/**
 * Resizes images without distorting them: the middle part with the proportions of `size` is brought to that size (Keras's
 * `smart_resize`).
 *
 * @param x - [h, w, c] or [n, h, w, c]
 */
export function smartResize(x: Tensor, size: Size, options?: ResizeImagesOptions): Tensor;
export function smartResize(x: HostTensor, size: Size, options?: ResizeImagesOptions): HostTensor;
export function smartResize(
  x: Tensor | HostTensor,
  size: Size,
  options: ResizeImagesOptions = {},
): Tensor | HostTensor {
  if (!(x instanceof Tensor)) return resize(cropToAspect(x, size), size, options);
  const shape = imageShape('smartResize', x.shape);
  const y = ops.smartResize(ops.cast(x, 'float32').reshape([...shape]), sizePair('smartResize', size), {
    method: options.method ?? 'bilinear',
    antialias: options.antialias ?? false,
  });
  return x.rank === 3 ? ops.squeeze(y, 0) : y;
}
