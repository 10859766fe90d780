import { asTensor, type TensorLike } from '../tensor/create.js';
import { formatShape, normalizeAxis, sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { mul, sub } from './binary.js';
import { requireDType, requireFloat, requireRank, requireShape } from './check.js';
import { defineOp1 } from './define.js';
import { sum } from './reduce.js';
import { expandDims, transpose } from './shape.js';
import { exp, neg, widened } from './unary.js';

type None = Record<never, never>;

const softmaxOp = defineOp1<None>({
  name: 'softmax',
  lowering: { kind: 'kernel', kernel: 'softmax' },
  infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
  gradient: ({ outputs: [y], dy: [dy] }) => [() => softmaxBackward([y!, dy!], {})],
});
const softmaxBackward = defineOp1<None>({
  name: 'softmaxBackward',
  lowering: { kind: 'kernel', kernel: 'softmaxBackward' },
  infer: ([y]) => [{ shape: y!.shape, dtype: y!.dtype }],
  gradient: ({ inputs: [y, dy], dy: [ddx] }) => {
    // dx = y * (dy - s), s = sum(dy * y)
    const s = (): Tensor => sum(mul(dy!, y!), { axes: -1, keepDims: true });
    const t = (): Tensor => sum(mul(ddx!, y!), { axes: -1, keepDims: true });
    return [() => sub(mul(ddx!, sub(dy!, s())), mul(t(), dy!)), () => mul(y!, sub(ddx!, t()))];
  },
});
const logSoftmaxOp = defineOp1<None>({
  name: 'logSoftmax',
  lowering: { kind: 'kernel', kernel: 'logSoftmax' },
  infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
  gradient: ({ outputs: [y], dy: [dy] }) => [() => logSoftmaxBackward([y!, dy!], {})],
});
const logSoftmaxBackward = defineOp1<None>({
  name: 'logSoftmaxBackward',
  lowering: { kind: 'kernel', kernel: 'logSoftmaxBackward' },
  infer: ([y]) => [{ shape: y!.shape, dtype: y!.dtype }],
  gradient: ({ inputs: [y, dy], dy: [ddx] }) => {
    const p = (): Tensor => exp(y!);
    return [
      () => neg(mul(ddx!, mul(p(), sum(dy!, { axes: -1, keepDims: true })))),
      () => sub(ddx!, sum(mul(ddx!, p()), { axes: -1, keepDims: true })),
    ];
  },
});

/** Applies an op of the last axis along another one; probabilities need float32's digits. */
function alongAxis(op: string, x: TensorLike, axis: number, apply: (t: Tensor) => Tensor): Tensor {
  const t = widened(asTensor(op, x));
  requireFloat(op, 'x', t);
  requireShape(op, t.rank >= 1, 'a rank of at least 1', formatShape(t.shape));
  const at = normalizeAxis(op, axis, t.rank);
  if (at === t.rank - 1) return apply(t);
  const perm = t.shape.map((_, i) => (i === at ? t.rank - 1 : i === t.rank - 1 ? at : i));
  return transpose(apply(transpose(t, perm)), perm);
}

/** exp(x) / sum(exp(x)) along an axis, without overflow; float32 for 16-bit floats. */
export const softmax = (x: TensorLike, axis = -1): Tensor => alongAxis('softmax', x, axis, (t) => softmaxOp([t], {}));
/** log(softmax(x)) along an axis, exact for small probabilities. */
export const logSoftmax = (x: TensorLike, axis = -1): Tensor =>
  alongAxis('logSoftmax', x, axis, (t) => logSoftmaxOp([t], {}));

const sparseOp = defineOp1<None>({
  name: 'sparseSoftmaxCrossEntropy',
  lowering: { kind: 'kernel', kernel: 'sparseSoftmaxCrossEntropy' },
  infer: ([logits]) => [{ shape: [logits!.shape[0]!], dtype: logits!.dtype }],
  gradient: ({ inputs: [logits, labels], dy: [dy] }) => [() => sparseBackward([logits!, labels!, dy!], {}), null],
});
const sparseBackward = defineOp1<None>({
  name: 'sparseSoftmaxCrossEntropyBackward',
  lowering: { kind: 'kernel', kernel: 'sparseSoftmaxCrossEntropyBackward' },
  infer: ([logits]) => [{ shape: logits!.shape, dtype: logits!.dtype }],
});
const denseOp = defineOp1<None>({
  name: 'softmaxCrossEntropy',
  lowering: { kind: 'kernel', kernel: 'softmaxCrossEntropy' },
  infer: ([logits]) => [{ shape: [logits!.shape[0]!], dtype: logits!.dtype }],
  gradient: ({ inputs: [logits, targets], dy: [dy] }) => [
    () => denseBackward([logits!, targets!, dy!], {}),
    () => neg(mul(logSoftmax(logits!), expandDims(dy!, -1))),
  ],
});
const denseBackward = defineOp1<None>({
  name: 'softmaxCrossEntropyBackward',
  lowering: { kind: 'kernel', kernel: 'softmaxCrossEntropyBackward' },
  infer: ([logits]) => [{ shape: logits!.shape, dtype: logits!.dtype }],
});

/**
 * Cross-entropy of softmax(logits) with class numbers, fused.
 *
 * @param logits - [n, c]
 * @param labels - int32 [n], each in 0..c-1 (checked when it runs)
 * @returns loss [n]
 */
export function sparseSoftmaxCrossEntropy(logits: TensorLike, labels: TensorLike): Tensor {
  const op = 'sparseSoftmaxCrossEntropy';
  const [x, y] = [widened(asTensor(op, logits)), asTensor(op, labels, 'int32')];
  requireFloat(op, 'logits', x);
  requireRank(op, 'logits', x, 2);
  requireDType(op, 'labels', y, 'int32');
  requireShape(op, y.rank === 1 && y.shape[0] === x.shape[0], `labels of shape [${x.shape[0]}]`, formatShape(y.shape));
  return sparseOp([x, y], {});
}

/**
 * Cross-entropy of softmax(logits) with target probabilities, fused.
 *
 * @param logits - [n, c]
 * @param targets - [n, c]
 * @returns loss [n]
 */
export function softmaxCrossEntropy(logits: TensorLike, targets: TensorLike): Tensor {
  const op = 'softmaxCrossEntropy';
  const [x, y] = [widened(asTensor(op, logits)), widened(asTensor(op, targets))];
  requireFloat(op, 'logits', x);
  requireRank(op, 'logits', x, 2);
  requireFloat(op, 'targets', y);
  requireShape(op, sameShape(x.shape, y.shape), `targets of shape ${formatShape(x.shape)}`, formatShape(y.shape));
  return denseOp([x, y], {});
}
