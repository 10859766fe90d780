import type { Attributes } from '../backends/backend.js';
import { asTensor, type TensorLike } from '../tensor/create.js';
import { broadcastShapes, formatShape, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { requireFloat, requireSameDType, requireShape } from './check.js';
import { biasAdd } from './conv.js';
import { defineOp1 } from './define.js';
import { broadcastTo, reshape } from './shape.js';

interface MatmulAttributes extends Attributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly activation: 'linear';
}

const rows = (shape: Shape, transposed: boolean): number => shape.at(transposed ? -1 : -2)!;
const columns = (shape: Shape, transposed: boolean): number => shape.at(transposed ? -2 : -1)!;

const matmulOp = defineOp1<MatmulAttributes>({
  name: 'matmul',
  lowering: { kind: 'kernel', kernel: 'matmul' },
  infer: ([a, b], { transposeA, transposeB }) => [
    { shape: [...a!.shape.slice(0, -2), rows(a!.shape, transposeA), columns(b!.shape, transposeB)], dtype: a!.dtype },
  ],
  gradient: ({ inputs: [a, b], dy: [dy], attributes: { transposeA: ta, transposeB: tb } }) => [
    () => (ta ? matmul(b!, dy!, { transposeA: tb, transposeB: true }) : matmul(dy!, b!, { transposeB: !tb })),
    () => (tb ? matmul(dy!, a!, { transposeA: true, transposeB: ta }) : matmul(a!, dy!, { transposeA: !ta })),
  ],
});

/**
 * Matrix product over the last two axes; leading axes broadcast.
 *
 * @param a - [..., m, k] ([..., k, m] with transposeA)
 * @param b - [..., k, n] ([..., n, k] with transposeB)
 * @returns [..., m, n]
 */
export function matmul(a: TensorLike, b: TensorLike, { transposeA = false, transposeB = false } = {}): Tensor {
  const op = 'matmul';
  let [x, y] = [asTensor(op, a), asTensor(op, b)];
  requireFloat(op, 'a', x);
  requireSameDType(op, [x, y]);
  requireShape(
    op,
    x.rank >= 2 && y.rank >= 2,
    'ranks of at least 2',
    `${formatShape(x.shape)} and ${formatShape(y.shape)}`,
  );
  const inner = columns(x.shape, transposeA);
  const batch = broadcastShapes(x.shape.slice(0, -2), y.shape.slice(0, -2));
  requireShape(
    op,
    inner === rows(y.shape, transposeB) && batch !== undefined,
    `b with ${inner} rows and leading axes that broadcast`,
    `a ${formatShape(x.shape)}${transposeA ? ' transposed' : ''} and b ${formatShape(y.shape)}${transposeB ? ' transposed' : ''}`,
  );
  x = broadcastTo(x, [...batch!, ...x.shape.slice(-2)]);
  y = broadcastTo(y, [...batch!, ...y.shape.slice(-2)]);
  return matmulOp([x, y], { transposeA, transposeB, activation: 'linear' });
}

/**
 * A dense layer's product: the last axis of x times the kernel.
 *
 * @param x - [..., k]
 * @param kernel - [k, units]
 * @param bias - [units], optional
 * @returns [..., units]
 */
export function dense(x: TensorLike, kernel: TensorLike, bias?: TensorLike): Tensor {
  const op = 'dense';
  const [t, k] = [asTensor(op, x), asTensor(op, kernel)];
  requireFloat(op, 'x', t);
  requireSameDType(op, [t, k]);
  requireShape(op, k.rank === 2, 'a kernel of rank 2', formatShape(k.shape));
  requireShape(
    op,
    t.rank >= 1 && t.shape.at(-1) === k.shape[0],
    `inputs with ${k.shape[0]} features (kernel is ${formatShape(k.shape)})`,
    formatShape(t.shape),
  );
  const lead = t.shape.slice(0, -1);
  const flat = t.rank === 2 ? t : reshape(t, [lead.reduce((n, d) => n * d, 1), k.shape[0]!]);
  const y = biasAdd(op, matmul(flat, k), bias);
  return t.rank === 2 ? y : reshape(y, [...lead, k.shape[1]!]);
}
