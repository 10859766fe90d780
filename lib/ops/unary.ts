import type { Attributes } from '../backends/backend.js';
import { asTensor, type TensorLike } from '../tensor/create.js';
import { isDType, isFloat, isNarrow, type DType, type NarrowDType } from '../tensor/dtype.js';
import { sameValue, type Tensor } from '../tensor/tensor.js';
import {
  add,
  and,
  div,
  greater,
  greaterEqual,
  less,
  lessEqual,
  mul,
  notEqual,
  reluGrad,
  select,
  sub,
} from './binary.js';
import { requireArgument, requireFloat } from './check.js';
import { defineOp1, type GradientContext } from './define.js';

type Rule = (x: Tensor, y: Tensor, dy: Tensor, attributes: Attributes) => Tensor;

interface Options {
  /** Whether int32 inputs are taken too. */
  int32?: boolean;
  bool?: boolean;
}

function define(name: string, rule: Rule | null, { int32 = false, bool = false }: Options = {}) {
  const apply = defineOp1<Attributes>({
    name,
    lowering: { kind: 'elementwise', opcode: name },
    infer: ([x]) => {
      if (!int32) requireFloat(name, 'x', x!);
      return [{ shape: x!.shape, dtype: bool ? 'bool' : x!.dtype }];
    },
    ...(rule
      ? {
          gradient: ({ inputs: [x], outputs: [y], dy: [dy], attributes }: GradientContext<Attributes>) => [
            () => rule(x!, y!, dy!, attributes),
          ],
        }
      : { differentiable: false }),
  });
  return (x: TensorLike, attributes: Attributes = {}): Tensor => apply([asTensor(name, x)], attributes);
}

/** -x. */
export const neg = define('neg', (_x, _y, dy) => neg(dy), { int32: true });
/** |x|. */
export const abs = define('abs', (x, _y, dy) => mul(dy, sign(x)), { int32: true });
/** -1, 0 or 1. */
export const sign = define('sign', null, { int32: true });
export const exp = define('exp', (_x, y, dy) => mul(dy, y));
/** exp(x) - 1, exact near 0. */
export const expm1 = define('expm1', (_x, y, dy) => mul(dy, add(y, 1)));
/** Natural logarithm. */
export const log = define('log', (x, _y, dy) => div(dy, x));
/** log(1 + x), exact near 0. */
export const log1p = define('log1p', (x, _y, dy) => div(dy, add(x, 1)));
export const sqrt = define('sqrt', (_x, y, dy) => div(mul(dy, 0.5), y));
/** 1 / sqrt(x). */
export const rsqrt = define('rsqrt', (_x, y, dy) => mul(dy, mul(mul(y, square(y)), -0.5)));
export const square = define('square', (x, _y, dy) => mul(dy, mul(x, 2)), { int32: true });
/** 1 / x. */
export const reciprocal = define('reciprocal', (_x, y, dy) => neg(mul(dy, square(y))));
export const floor = define('floor', null);
export const ceil = define('ceil', null);
/** To the nearest whole number, halves to even. */
export const round = define('round', null);
export const sin = define('sin', (x, _y, dy) => mul(dy, cos(x)));
export const cos = define('cos', (x, _y, dy) => neg(mul(dy, sin(x))));
/** The error function. */
export const erf = define('erf', (x, _y, dy) => mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))));
export const isNaN = define('isNaN', null, { bool: true });
export const isFinite = define('isFinite', null, { bool: true });
/** Whether x is zero, as bool. */
export const not = define('not', null, { int32: true, bool: true });

// Activations. Formulas are Keras 3's.
/** max(x, 0). */
export const relu = define('relu', (_x, y, dy) => reluGrad(y, dy), { int32: true });
/** min(max(x, 0), 6). */
export const relu6 = define('relu6', (x, _y, dy) => select(and(greater(x, 0), less(x, 6)), dy, 0));
export const tanh = define('tanh', (_x, y, dy) => mul(dy, sub(1, square(y))));
/** 1 / (1 + exp(-x)). */
export const sigmoid = define('sigmoid', (_x, y, dy) => mul(dy, mul(y, sub(1, y))));
/** log(1 + exp(x)). */
export const softplus = define('softplus', (x, _y, dy) => mul(dy, sigmoid(x)));
/** x * sigmoid(x), also called swish. */
export const silu = define('silu', (x, _y, dy) => {
  const s = sigmoid(x);
  return mul(dy, mul(s, add(1, mul(x, sub(1, s)))));
});
/** relu6(x + 3) / 6. */
export const hardSigmoid = define('hardSigmoid', (x, _y, dy) =>
  select(and(greater(x, -3), less(x, 3)), mul(dy, 1 / 6), 0),
);

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;
/** Scaled exponential linear unit (Klambauer et al. 2017). */
export const selu = define('selu', (x, y, dy) =>
  select(greater(x, 0), mul(dy, SELU_SCALE), mul(dy, add(y, SELU_SCALE * SELU_ALPHA))),
);

const leaky = define('leakyRelu', (x, _y, dy, { p0 }) => select(greater(x, 0), dy, mul(dy, p0 as number)));
/** x where positive, else negativeSlope * x. */
export const leakyRelu = (x: TensorLike, negativeSlope = 0.2): Tensor => leaky(x, { p0: negativeSlope });

const eluOp = define('elu', (x, y, dy, { p0 }) => select(greater(x, 0), dy, mul(dy, add(y, p0 as number))));
/** x where positive, else alpha * (exp(x) - 1). */
export const elu = (x: TensorLike, alpha = 1): Tensor => eluOp(x, { p0: alpha });

const geluExact = define('gelu', (x, _y, dy) => {
  const cdf = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
  const pdf = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return mul(dy, add(cdf, mul(x, pdf)));
});
const GELU_C = Math.sqrt(2 / Math.PI);
const geluApproximate = define('geluTanh', (x, _y, dy) => {
  const t = tanh(mul(add(x, mul(mul(x, square(x)), 0.044715)), GELU_C));
  const inner = mul(add(mul(square(x), 3 * 0.044715), 1), GELU_C);
  const slope = mul(mul(x, mul(sub(1, square(t)), inner)), 0.5);
  return mul(dy, add(mul(add(t, 1), 0.5), slope));
});
/** Gaussian error linear unit; `approximate` by tanh (Hendrycks and Gimpel 2016). */
export const gelu = (x: TensorLike, approximate = false): Tensor => (approximate ? geluApproximate(x) : geluExact(x));

const clipOp = define(
  'clip',
  (x, _y, dy, { p0, p1 }) => select(and(greaterEqual(x, p0 as number), lessEqual(x, p1 as number)), dy, 0),
  { int32: true },
);
/** x moved into [min, max]; the gradient is 0 outside. */
export function clip(x: TensorLike, min: number, max: number): Tensor {
  requireArgument('clip', min <= max, 'min <= max', `${min} and ${max}`);
  return clipOp(x, { p0: min, p1: max });
}

const identityOp = defineOp1<{ dtype: DType }>({
  name: 'castFloat',
  lowering: { kind: 'elementwise', opcode: 'identity' },
  infer: ([x], { dtype }) => [{ shape: x!.shape, dtype }],
  gradient: ({ inputs: [x], dy: [dy] }) => [isFloat(x!.dtype) ? () => cast(dy!, x!.dtype) : null],
});
const narrowing = (name: string, opcode: string, dtype: NarrowDType) =>
  defineOp1<Attributes>({
    name,
    lowering: { kind: 'elementwise', opcode },
    infer: ([x]) => [{ shape: x!.shape, dtype }],
    gradient: ({ inputs: [x], dy: [dy] }) => [isFloat(x!.dtype) ? () => cast(dy!, x!.dtype) : null],
  });
const narrow = {
  bfloat16: narrowing('castBfloat16', 'toBfloat16', 'bfloat16'),
  float16: narrowing('castFloat16', 'toFloat16', 'float16'),
} satisfies Record<NarrowDType, unknown>;
const toInt = defineOp1<{ dtype: DType }>({
  name: 'castInt',
  lowering: { kind: 'elementwise', opcode: 'toInt' },
  infer: ([x], { dtype }) => [{ shape: x!.shape, dtype }],
  differentiable: false,
});

/** The elements as another dtype: to whole numbers by truncation, to bool by `!= 0`, to 16-bit floats by rounding. */
export function cast(x: TensorLike, dtype: DType): Tensor {
  const t = asTensor('cast', x);
  requireArgument('cast', isDType(dtype), 'a dtype', dtype);
  if (t.dtype === dtype) return sameValue('cast', t);
  if (dtype === 'bool') return notEqual(t, 0);
  if (isNarrow(dtype)) return narrow[dtype]([t], {});
  if (isFloat(t.dtype) && !isFloat(dtype)) return toInt([t], { dtype });
  return identityOp([t], { dtype });
}

/** The tensor in full precision: float32 in place of a 16-bit type, else what it is. */
export function widened(t: Tensor): Tensor {
  return isNarrow(t.dtype) ? cast(t, 'float32') : t;
}
