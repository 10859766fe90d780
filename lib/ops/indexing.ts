import { mismatch } from '../errors.js';
import { asTensor, type TensorLike } from '../tensor/create.js';
import { isFloat, type DType, type FloatDType } from '../tensor/dtype.js';
import { formatShape, normalizeAxis, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { requireArgument, requireDType, requireShape, where } from './check.js';
import { defineOp1, type Op1 } from './define.js';

const argMaxOp: Op1<{ axis: number }> = defineOp1({
  name: 'argMax',
  lowering: { kind: 'kernel', kernel: 'argMax' },
  infer: ([x], { axis }) => [{ shape: x!.shape.filter((_, i) => i !== axis), dtype: 'int32' }],
  differentiable: false,
});

/** Index of the first largest element along an axis, as int32. */
export function argMax(x: TensorLike, axis = -1): Tensor {
  const t = asTensor('argMax', x);
  const at = normalizeAxis('argMax', axis, t.rank);
  const numeric = isFloat(t.dtype) || t.dtype === 'int32';
  if (!numeric) throw mismatch('ERR_DTYPE', where('argMax'), 'x of dtype float32 or int32', t.dtype);
  requireShape('argMax', t.shape[at]! > 0, `axis ${at} with at least one element`, formatShape(t.shape));
  return argMaxOp([t], { axis: at });
}

const oneHotOp: Op1<{ depth: number; dtype: DType }> = defineOp1({
  name: 'oneHot',
  lowering: { kind: 'kernel', kernel: 'oneHot', attributes: [] },
  infer: ([x], { depth, dtype }) => [{ shape: [...x!.shape, depth], dtype }],
  differentiable: false,
});

/** 1 at each index, else 0, along a new last axis; indices outside 0..depth-1 give zeros. */
export function oneHot(indices: TensorLike, depth: number, dtype: FloatDType | 'bool' = 'float32'): Tensor {
  const t = asTensor('oneHot', indices, 'int32');
  requireDType('oneHot', 'indices', t, 'int32');
  requireArgument('oneHot', Number.isInteger(depth) && depth > 0, 'a whole number of at least 1 as depth', depth);
  requireArgument('oneHot', isFloat(dtype) || dtype === 'bool', 'a result of dtype float32 or bool', dtype);
  return oneHotOp([t], { depth, dtype });
}

const gatherOp: Op1<{ axis: number }> = defineOp1({
  name: 'gather',
  lowering: { kind: 'kernel', kernel: 'gather' },
  infer: ([x, indices], { axis }) => [
    { shape: [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)], dtype: x!.dtype },
  ],
  gradient: ({ inputs: [x, indices], dy: [dy], attributes: { axis } }) => [
    () => scatterOp([indices!, dy!], { axis, shape: x!.shape }),
    null,
  ],
});

const scatterOp: Op1<{ axis: number; shape: Shape }> = defineOp1({
  name: 'scatterAdd',
  lowering: { kind: 'kernel', kernel: 'scatterAdd', attributes: ['axis'] },
  infer: ([, dy], { shape }) => [{ shape, dtype: dy!.dtype }],
  gradient: ({ inputs: [indices], dy: [ddx], attributes: { axis } }) => [
    null,
    () => gatherOp([ddx!, indices!], { axis }),
  ],
});

/**
 * The slices of x at the indices along an axis.
 *
 * @param indices - int32, any shape, each in range (checked when it runs)
 * @returns x.shape[:axis] + indices.shape + x.shape[axis+1:]
 */
export function gather(x: TensorLike, indices: TensorLike, axis = 0): Tensor {
  const [t, i] = [asTensor('gather', x), asTensor('gather', indices, 'int32')];
  requireDType('gather', 'indices', i, 'int32');
  return gatherOp([t, i], { axis: normalizeAxis('gather', axis, t.rank) });
}
