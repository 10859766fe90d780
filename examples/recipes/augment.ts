import { data } from '../../lib/index.js';
import type { Example } from './support.js';

// AlexNet's augmentation (Krizhevsky et al. 2012, section 4.1), on images as arrays.

/** Numbers in [0, 1). */
type Random = () => number;

/** How colours vary over a set of images: directions in red, green and blue, and the variance along each. */
export interface ColourComponents {
  readonly variances: readonly number[];
  /** One direction of length 1 for each variance. */
  readonly directions: readonly (readonly number[])[];
}

/** The principal components of the pixels' colours, over the first images of a dataset. */
export async function colourComponents(images: data.Dataset<Example>, most = 1000): Promise<ColourComponents> {
  const sum = [0, 0, 0];
  const products = [0, 1, 2].map(() => [0, 0, 0]);
  let count = 0;
  for await (const [{ data: pixels }] of images.take(most)) {
    for (let at = 0; at < pixels.length; at += 3, count++) {
      for (let i = 0; i < 3; i++) {
        const value = pixels[at + i] as number;
        sum[i]! += value;
        for (let j = 0; j <= i; j++) products[i]![j]! += value * (pixels[at + j] as number);
      }
    }
  }
  const covariance = products.map((row, i) =>
    row.map((_, j) => products[Math.max(i, j)]![Math.min(i, j)]! / count - (sum[i]! * sum[j]!) / count ** 2),
  );
  return eigen(covariance);
}

/** Eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's rotations. */
function eigen(symmetric: readonly (readonly number[])[]): ColourComponents {
  const n = symmetric.length;
  const a = symmetric.map((row) => [...row]);
  const v = a.map((_, i) => a.map((__, j) => Number(i === j)));
  const rotate = (m: number[][], i: number, j: number, k: number, l: number, s: number, c: number): void => {
    const [x, y] = [m[i]![j]!, m[k]![l]!];
    m[i]![j] = c * x - s * y;
    m[k]![l] = s * x + c * y;
  };
  for (let sweep = 0; sweep < 20; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (a[p]![q] === 0) continue;
        const theta = (a[q]![q]! - a[p]![p]!) / (2 * a[p]![q]!);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const s = t * c;
        for (let i = 0; i < n; i++) rotate(a, i, p, i, q, s, c);
        for (let i = 0; i < n; i++) rotate(a, p, i, q, i, s, c);
        for (let i = 0; i < n; i++) rotate(v, p, i, q, i, s, c);
      }
    }
  }
  return { variances: a.map((row, i) => Math.max(0, row[i]!)), directions: v };
}

/** Where a window of an image begins, whether it is mirrored, and what is added to its colours. */
interface Window {
  readonly top: number;
  readonly left: number;
  readonly mirrored?: boolean;
  readonly shift?: readonly number[];
}

function cut([image, label]: Example, size: number, { top, left, mirrored, shift = [0, 0, 0] }: Window): Example {
  const width = image.shape[1]!;
  const pixels = new Float32Array(size * size * 3);
  let at = 0;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const from = 3 * ((top + y) * width + left + (mirrored ? size - 1 - x : x));
      for (let c = 0; c < 3; c++) pixels[at++] = (image.data[from + c] as number) + shift[c]!;
    }
  }
  return [data.hostTensor(pixels, [size, size, 3]), label];
}

/**
 * For training: a random window of `size` pixels, mirrored half of the time, its colours shifted along each of their
 * principal components by a normal number of deviation 0.1 times the component's standard deviation. (The paper says
 * "eigenvalues", which depend on the unit of the pixels; those who repeated it took their roots.)
 */
export function augment(size: number, { variances, directions }: ColourComponents, random: Random) {
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return (example: Example): Example => {
    const [height, width] = example[0].shape as [number, number];
    const amounts = variances.map((variance) => 0.1 * normal() * Math.sqrt(variance));
    return cut(example, size, {
      top: Math.floor(random() * (height - size + 1)),
      left: Math.floor(random() * (width - size + 1)),
      mirrored: random() < 0.5,
      shift: [0, 1, 2].map((c) => amounts.reduce((sum, amount, i) => sum + amount * directions[i]![c]!, 0)),
    });
  };
}

/** For testing: the window in the middle. */
export function centreCrop(size: number) {
  return (example: Example): Example => {
    const [height, width] = example[0].shape as [number, number];
    return cut(example, size, { top: (height - size) >> 1, left: (width - size) >> 1 });
  };
}
