import { mismatch } from '../errors.js';
import type { ValueSpec } from '../graph/node.js';
import { asTensor, type TensorLike } from '../tensor/create.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { broadcastShapes, formatShape, type Shape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { requireFloat, requireSameDType, requireShape, where } from './check.js';
import { defineOp1, type GradientContext, type InputGradient } from './define.js';
import { sumTo } from './reduce.js';
import { log, neg } from './unary.js';

type NoAttributes = Record<never, never>;
type Rule = (context: {
  a: Tensor;
  b: Tensor;
  y: Tensor;
  dy: Tensor;
}) => [(() => Tensor) | null, (() => Tensor) | null];

/** Broadcasts the shapes of elementwise operands, or throws. */
function broadcastAll(op: string, inputs: readonly ValueSpec[]): Shape {
  let shape: Shape = inputs[0]!.shape;
  for (const input of inputs.slice(1)) {
    const next = broadcastShapes(shape, input.shape);
    requireShape(
      op,
      next !== undefined,
      'shapes that broadcast',
      inputs.map((i) => formatShape(i.shape)).join(' and '),
    );
    shape = next!;
  }
  return shape;
}

function define(name: string, output: 'same' | 'bool', rule: Rule | null, float = false) {
  return defineOp1<NoAttributes>({
    name,
    lowering: { kind: 'elementwise', opcode: name },
    infer: (inputs) => {
      requireSameDType(name, inputs);
      if (float) requireFloat(name, 'operands', inputs[0]!);
      return [{ shape: broadcastAll(name, inputs), dtype: output === 'bool' ? 'bool' : inputs[0]!.dtype }];
    },
    ...(rule ? { gradient: (c: GradientContext<NoAttributes>) => reduced(c, rule) } : { differentiable: false }),
  });
}

/** Gradients of broadcast operands, summed back to the operands' shapes. */
function reduced({ inputs, outputs, dy }: GradientContext<NoAttributes>, rule: Rule): InputGradient[] {
  const [a, b] = inputs as [Tensor, Tensor];
  const made = rule({ a, b, y: outputs[0]!, dy: dy[0]! });
  return made.map((g, i) => g && (() => sumTo(g(), inputs[i]!.shape)));
}

const ops = {
  add: define('add', 'same', ({ dy }) => [() => dy, () => dy]),
  sub: define('sub', 'same', ({ dy }) => [() => dy, () => neg(dy)]),
  mul: define('mul', 'same', ({ a, b, dy }) => [() => mul(dy, b), () => mul(dy, a)]),
  div: define('div', 'same', ({ b, y, dy }) => [() => div(dy, b), () => neg(div(mul(dy, y), b))]),
  pow: define(
    'pow',
    'same',
    ({ a, b, y, dy }) => [
      () => mul(dy, mul(b, pow(a, sub(b, 1)))),
      () => mul(dy, select(greater(a, 0), mul(y, log(select(greater(a, 0), a, 1))), 0)),
    ],
    true,
  ),
  mod: define('mod', 'same', ({ a, b, dy }) => [() => dy, () => neg(mul(dy, floorDiv(a, b)))]),
  floorDiv: define('floorDiv', 'same', null),
  maximum: define('maximum', 'same', ({ a, b, dy }) => [
    () => select(greaterEqual(a, b), dy, 0),
    () => select(greaterEqual(a, b), 0, dy),
  ]),
  minimum: define('minimum', 'same', ({ a, b, dy }) => [
    () => select(lessEqual(a, b), dy, 0),
    () => select(lessEqual(a, b), 0, dy),
  ]),
  equal: define('equal', 'bool', null),
  notEqual: define('notEqual', 'bool', null),
  greater: define('greater', 'bool', null),
  greaterEqual: define('greaterEqual', 'bool', null),
  less: define('less', 'bool', null),
  lessEqual: define('lessEqual', 'bool', null),
  and: define('and', 'bool', null),
  or: define('or', 'bool', null),
  reluGrad: define('reluGrad', 'same', ({ a, dy }) => [null, () => reluGrad(a, dy)]),
};

/** Applies a binary op; a plain number takes the other operand's dtype, arrays of numbers its device too. */
function apply(op: keyof typeof ops, a: TensorLike, b: TensorLike): Tensor {
  const { dtype, device } = likeOperands(a, b);
  return ops[op]([asTensor(op, a, dtype, device), asTensor(op, b, dtype, device)], {});
}

function likeOperands(a: TensorLike, b: TensorLike): { dtype: DType; device: string | undefined } {
  const tensor = a instanceof Tensor ? a : b instanceof Tensor ? b : undefined;
  return { dtype: tensor?.dtype ?? 'float32', device: tensor?.isDisposed === false ? tensor.device : undefined };
}

/** a + b with NumPy's broadcasting. */
export const add = (a: TensorLike, b: TensorLike): Tensor => apply('add', a, b);
/** a - b. */
export const sub = (a: TensorLike, b: TensorLike): Tensor => apply('sub', a, b);
/** a * b. */
export const mul = (a: TensorLike, b: TensorLike): Tensor => apply('mul', a, b);
/** a / b; floating point only. */
export const div = (a: TensorLike, b: TensorLike): Tensor => {
  const y = apply('div', a, b);
  if (!isFloat(y.dtype)) {
    throw mismatch('ERR_DTYPE', where('div'), 'float32 operands (or use floorDiv or cast)', y.dtype);
  }
  return y;
};
/** a to the power b. */
export const pow = (a: TensorLike, b: TensorLike): Tensor => apply('pow', a, b);
/** Floored remainder, with the sign of the divisor (Python's %). */
export const mod = (a: TensorLike, b: TensorLike): Tensor => apply('mod', a, b);
/** floor(a / b). */
export const floorDiv = (a: TensorLike, b: TensorLike): Tensor => apply('floorDiv', a, b);
/** The larger of each pair; NaN propagates. At a tie the gradient goes to a. */
export const maximum = (a: TensorLike, b: TensorLike): Tensor => apply('maximum', a, b);
/** The smaller of each pair; NaN propagates. At a tie the gradient goes to a. */
export const minimum = (a: TensorLike, b: TensorLike): Tensor => apply('minimum', a, b);
/** a == b, as bool. */
export const equal = (a: TensorLike, b: TensorLike): Tensor => apply('equal', a, b);
/** a != b, as bool. */
export const notEqual = (a: TensorLike, b: TensorLike): Tensor => apply('notEqual', a, b);
/** a > b, as bool. */
export const greater = (a: TensorLike, b: TensorLike): Tensor => apply('greater', a, b);
/** a >= b, as bool. */
export const greaterEqual = (a: TensorLike, b: TensorLike): Tensor => apply('greaterEqual', a, b);
/** a < b, as bool. */
export const less = (a: TensorLike, b: TensorLike): Tensor => apply('less', a, b);
/** a <= b, as bool. */
export const lessEqual = (a: TensorLike, b: TensorLike): Tensor => apply('lessEqual', a, b);
/** Whether both are not zero. */
export const and = (a: TensorLike, b: TensorLike): Tensor => apply('and', a, b);
/** Whether either is not zero. */
export const or = (a: TensorLike, b: TensorLike): Tensor => apply('or', a, b);
/** dy where y > 0, else 0: the gradient of relu by its output. */
export const reluGrad = (y: Tensor, dy: Tensor): Tensor => ops.reluGrad([y, dy], {});

const selectOp = defineOp1<NoAttributes>({
  name: 'select',
  lowering: { kind: 'elementwise', opcode: 'select' },
  infer: (inputs) => {
    requireSameDType('select', inputs.slice(1));
    return [{ shape: broadcastAll('select', inputs), dtype: inputs[1]!.dtype }];
  },
  gradient: ({ inputs: [condition, a, b], dy: [dy] }) => [
    null,
    () => sumTo(select(condition!, dy!, 0), a!.shape),
    () => sumTo(select(condition!, 0, dy!), b!.shape),
  ],
});

/** a where the condition holds, else b, with broadcasting. */
export function select(condition: Tensor, a: TensorLike, b: TensorLike): Tensor {
  const { dtype, device } = likeOperands(a, b);
  // A float condition would have whole numbers computed as floats, which do not hold all of them.
  const truth = isFloat(condition.dtype) && !isFloat(dtype) ? notEqual(condition, 0) : condition;
  return selectOp([truth, asTensor('select', a, dtype, device), asTensor('select', b, dtype, device)], {});
}

/** (a - b)², elementwise. */
export function squaredDifference(a: TensorLike, b: TensorLike): Tensor {
  const d = sub(a, b);
  return mul(d, d);
}
