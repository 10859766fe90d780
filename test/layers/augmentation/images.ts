import { tensor } from '../../../lib/tensor/create.js';
import type { Tensor } from '../../../lib/tensor/tensor.js';

/** Images whose elements are 0, 1, 2, ... */
export function countingImages(n: number, h: number, w: number, c: number): Tensor {
  return tensor(
    Float32Array.from({ length: n * h * w * c }, (_, i) => i),
    [n, h, w, c],
  );
}
