import { asTensor, scalar, type TensorLike } from '../tensor/create.js';
import {
  broadcastShapes,
  checkShape,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  sameShape,
  sizeOf,
  type Shape,
} from '../tensor/shape.js';
import { sameValue, type Tensor } from '../tensor/tensor.js';
import { requireArgument, requireSameDType, requireShape } from './check.js';
import { defineOp1 } from './define.js';
import { sumTo } from './reduce.js';

const reshapeOp = defineOp1<{ shape: Shape }>({
  name: 'reshape',
  lowering: { kind: 'alias' },
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  gradient: ({ inputs: [x], dy: [dy] }) => [() => reshape(dy!, x!.shape)],
});

/** The same elements under another shape; one dimension may be -1 and is worked out. Costs nothing. */
export function reshape(x: TensorLike, shape: Shape): Tensor {
  const t = asTensor('reshape', x);
  const wanted = shape.includes(-1) ? inferDimension(t, shape) : shape;
  checkShape('reshape', wanted);
  requireShape('reshape', sizeOf(wanted) === t.size, `a shape of ${t.size} elements`, formatShape(shape));
  return sameShape(wanted, t.shape) ? sameValue('reshape', t) : reshapeOp([t], { shape: wanted });
}

function inferDimension(t: Tensor, shape: Shape): number[] {
  const known = shape.filter((d) => d !== -1);
  const rest = t.size / sizeOf(known);
  requireShape(
    'reshape',
    known.length === shape.length - 1 && Number.isInteger(rest),
    `a shape for ${t.size} elements`,
    formatShape(shape),
  );
  return shape.map((d) => (d === -1 ? rest : d));
}

/** Everything after the batch in one axis: [n, ...] to [n, m]. */
export function flatten(x: TensorLike): Tensor {
  const t = asTensor('flatten', x);
  requireShape('flatten', t.rank >= 1, 'a rank of at least 1', formatShape(t.shape));
  return reshape(t, [t.shape[0]!, sizeOf(t.shape.slice(1))]);
}

/** Adds an axis of length 1. */
export function expandDims(x: TensorLike, axis: number): Tensor {
  const t = asTensor('expandDims', x);
  const at = normalizeAxis('expandDims', axis, t.rank + 1);
  return reshape(t, [...t.shape.slice(0, at), 1, ...t.shape.slice(at)]);
}

/** Removes axes of length 1; all of them when none is named. */
export function squeeze(x: TensorLike, axes?: number | readonly number[]): Tensor {
  const t = asTensor('squeeze', x);
  const which = axes === undefined ? undefined : normalizeAxes('squeeze', axes, t.rank);
  which?.forEach((a) => requireShape('squeeze', t.shape[a] === 1, `axis ${a} of length 1`, formatShape(t.shape)));
  return reshape(
    t,
    t.shape.filter((d, i) => (which ? !which.includes(i) : d !== 1)),
  );
}

const transposeOp = defineOp1<{ perm: readonly number[] }>({
  name: 'transpose',
  lowering: { kind: 'kernel', kernel: 'transpose' },
  infer: ([x], { perm }) => [{ shape: perm.map((p) => x!.shape[p]!), dtype: x!.dtype }],
  gradient: ({ dy: [dy], attributes: { perm } }) => [
    () =>
      transpose(
        dy!,
        perm.map((_, i) => perm.indexOf(i)),
      ),
  ],
});

/** Reorders the axes; reversed when no order is given. Axis i of the result is axis perm[i] of x. */
export function transpose(x: TensorLike, perm?: readonly number[]): Tensor {
  const t = asTensor('transpose', x);
  const order = (perm ?? t.shape.map((_, i) => t.rank - 1 - i)).map((p) => normalizeAxis('transpose', p, t.rank));
  requireArgument(
    'transpose',
    order.length === t.rank && new Set(order).size === t.rank,
    `a permutation of ${t.rank} axes`,
    perm,
  );
  return order.every((p, i) => p === i) ? sameValue('transpose', t) : transposeOp([t], { perm: order });
}

const broadcastOp = defineOp1<{ shape: Shape }>({
  name: 'broadcastTo',
  lowering: { kind: 'elementwise', opcode: 'identity' },
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  gradient: ({ inputs: [x], dy: [dy] }) => [() => sumTo(dy!, x!.shape)],
});

/** Repeats along axes of length 1 until the shape is reached. */
export function broadcastTo(x: TensorLike, shape: Shape): Tensor {
  const t = asTensor('broadcastTo', x);
  if (sameShape(t.shape, shape)) return sameValue('broadcastTo', t);
  checkShape('broadcastTo', shape);
  const fits = broadcastShapes(t.shape, shape);
  requireShape(
    'broadcastTo',
    fits !== undefined && sameShape(fits, shape),
    `a shape that broadcasts to ${formatShape(shape)}`,
    formatShape(t.shape),
  );
  return broadcastOp([t], { shape });
}

const concatOp = defineOp1<{ axis: number }>({
  name: 'concat',
  lowering: { kind: 'kernel', kernel: 'concat' },
  infer: (inputs, { axis }) => {
    requireSameDType('concat', inputs);
    const first = inputs[0]!;
    for (const { shape } of inputs) {
      const fits = shape.length === first.shape.length && shape.every((d, i) => i === axis || d === first.shape[i]);
      requireShape('concat', fits, `shapes like ${formatShape(first.shape)} but for axis ${axis}`, formatShape(shape));
    }
    const length = inputs.reduce((n, i) => n + i.shape[axis]!, 0);
    return [{ shape: first.shape.map((d, i) => (i === axis ? length : d)), dtype: first.dtype }];
  },
  gradient: ({ inputs, dy: [dy], attributes: { axis } }) => {
    let offset = 0;
    return inputs.map((input) => {
      const begin = input.shape.map((_, i) => (i === axis ? offset : 0));
      offset += input.shape[axis]!;
      return () => slice(dy!, begin, input.shape);
    });
  },
});

/** Joins tensors along an axis (the last by default). */
export function concat(inputs: readonly TensorLike[], axis = -1): Tensor {
  const list = inputs.map((x) => asTensor('concat', x));
  requireArgument('concat', list.length > 0, 'at least one tensor', 'none');
  const at = normalizeAxis('concat', axis, list[0]!.rank);
  return list.length === 1 ? sameValue('concat', list[0]!) : concatOp(list, { axis: at });
}

/** Joins tensors of one shape along a new axis. */
export function stack(inputs: readonly TensorLike[], axis = 0): Tensor {
  const list = inputs.map((x) => asTensor('stack', x));
  requireArgument('stack', list.length > 0, 'at least one tensor', 'none');
  const { shape } = list[0]!;
  const other = list.find((t) => !sameShape(t.shape, shape));
  requireShape(
    'stack',
    !other,
    `tensors of one shape (the first is ${formatShape(shape)})`,
    formatShape(other?.shape ?? []),
  );
  requireSameDType('stack', list);
  return concat(
    list.map((t) => expandDims(t, axis)),
    axis,
  );
}

const sliceOp = defineOp1<{ begin: readonly number[]; size: readonly number[] }>({
  name: 'slice',
  lowering: { kind: 'kernel', kernel: 'slice', attributes: ['begin'] },
  infer: ([x], { size }) => [{ shape: size, dtype: x!.dtype }],
  gradient: ({ inputs: [x], dy: [dy], attributes: { begin, size } }) => [
    () =>
      pad(
        dy!,
        begin.map((b, i) => [b, x!.shape[i]! - b - size[i]!] as const),
      ),
  ],
});

/**
 * A block of the tensor.
 *
 * @param begin - first index of each axis; negative ones count from the end
 * @param size - length of each axis; -1 takes the rest
 */
export function slice(x: TensorLike, begin: readonly number[], size: readonly number[]): Tensor {
  const t = asTensor('slice', x);
  requireArgument('slice', begin.length === t.rank && size.length === t.rank, `begin and size of ${t.rank} numbers`, {
    begin,
    size,
  });
  const from = begin.map((b, i) => (b < 0 ? b + t.shape[i]! : b));
  const length = size.map((s, i) => (s === -1 ? t.shape[i]! - from[i]! : s));
  const inside = from.every(
    (b, i) =>
      Number.isInteger(b) && Number.isInteger(length[i]) && b >= 0 && length[i]! >= 0 && b + length[i]! <= t.shape[i]!,
  );
  requireShape(
    'slice',
    inside,
    `a block inside ${formatShape(t.shape)}`,
    `begin ${formatShape(begin)}, size ${formatShape(size)}`,
  );
  return sameShape(length, t.shape) ? sameValue('slice', t) : sliceOp([t], { begin: from, size: length });
}

/** Cuts a tensor into `count` equal parts along an axis. */
export function split(x: TensorLike, count: number, axis = -1): Tensor[] {
  const t = asTensor('split', x);
  const at = normalizeAxis('split', axis, t.rank);
  requireArgument('split', Number.isInteger(count) && count >= 1, 'a whole number of at least 1 as count', count);
  const length = t.shape[at]! / count;
  requireShape('split', Number.isInteger(length), `axis ${at} divisible by ${count}`, formatShape(t.shape));
  return Array.from({ length: count }, (_, i) =>
    slice(
      t,
      t.shape.map((_d, k) => (k === at ? i * length : 0)),
      t.shape.map((d, k) => (k === at ? length : d)),
    ),
  );
}

const padOp = defineOp1<{ before: readonly number[]; value: number; shape: Shape }>({
  name: 'pad',
  lowering: { kind: 'kernel', kernel: 'pad', attributes: ['before', 'value'] },
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  gradient: ({ inputs: [x], dy: [dy], attributes: { before } }) => [() => slice(dy!, before, x!.shape)],
});

/** Adds `paddings[axis] = [before, after]` elements of `value` around the tensor. */
export function pad(x: TensorLike, paddings: readonly (readonly [number, number])[], value = 0): Tensor {
  const t = asTensor('pad', x);
  const fits = paddings.length === t.rank && paddings.flat().every((p) => Number.isInteger(p) && p >= 0);
  requireArgument('pad', fits, `${t.rank} pairs of whole numbers of zero or more`, paddings);
  if (paddings.every(([a, b]) => a === 0 && b === 0)) return sameValue('pad', t);
  const shape = t.shape.map((d, i) => d + paddings[i]![0] + paddings[i]![1]);
  return padOp([t], { before: paddings.map((p) => p[0]), value, shape });
}

const stopOp = defineOp1<Record<never, never>>({
  name: 'stopGradient',
  lowering: { kind: 'alias' },
  infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
  gradient: () => [null],
});

/** The same value, through which no gradient flows. */
export function stopGradient(x: TensorLike): Tensor {
  return stopOp([asTensor('stopGradient', x)], {});
}

/** Zeros of a tensor's shape and type. */
export function zerosLike(x: Tensor): Tensor {
  return broadcastTo(scalar(0, x.dtype), x.shape);
}

/** Ones of a tensor's shape and type. */
export function onesLike(x: Tensor): Tensor {
  return broadcastTo(scalar(1, x.dtype), x.shape);
}
