import { formatShape, sizeOf } from '../../../tensor/shape.js';
import type { ReferenceKernel, TensorType } from './kernel.js';

/** y[b,i,j] = bias[j] + sum over l of a[b,i,l] * b[b,l,j], with a or b stored transposed when the attributes say so. */
export const matmul: ReferenceKernel = {
  prepare(call) {
    call.count([2, 3], 1);
    const [a, b, bias] = call.inputs as [TensorType, TensorType, TensorType | undefined];
    const y = call.output(0);
    call.float(a, b);
    call.floatOrWider(a, bias, y);
    const transposeA = call.boolean('transposeA');
    const transposeB = call.boolean('transposeB');
    const relu = call.word('activation', 'linear', 'relu') === 'relu';
    if (a.shape.length < 2) throw call.invalid('a of rank 2 or more', formatShape(a.shape));
    const leading = a.shape.slice(0, -2);
    const [m, k] = orient(a.shape, transposeA);
    call.rank('b', b, a.shape.length);
    const n = orient(b.shape, transposeB)[1];
    call.shape('b', b, [...leading, ...(transposeB ? [n, k] : [k, n])]);
    call.shape('y', y, [...leading, m, n]);
    if (bias !== undefined) call.shape('bias', bias, [n]);

    const batch = sizeOf(leading);
    // Strides of a along i and l, and of b along l and j.
    const [ai, al] = transposeA ? [1, m] : [k, 1];
    const [bl, bj] = transposeB ? [1, k] : [n, 1];
    return ([as, bs, biases], [ys]) => {
      if (biases === undefined) ys!.fill(0);
      else for (let i = 0; i < ys!.length; i += n) ys!.set(biases, i);
      for (let s = 0; s < batch; s++) {
        for (let i = 0; i < m; i++) {
          const row = (s * m + i) * n;
          for (let l = 0; l < k; l++) {
            const value = as![s * m * k + i * ai + l * al]!;
            let from = s * k * n + l * bl;
            for (let j = 0; j < n; j++, from += bj) ys![row + j]! += value * bs![from]!;
          }
        }
      }
      if (relu) for (let i = 0; i < ys!.length; i++) ys![i] = ys![i]! < 0 ? 0 : ys![i]!;
    };
  },
};

/** The last two dimensions as rows and columns of the matrix that is meant. */
function orient(shape: readonly number[], transposed: boolean): [number, number] {
  const [first, second] = [shape.at(-2)!, shape.at(-1)!];
  return transposed ? [second, first] : [first, second];
}
