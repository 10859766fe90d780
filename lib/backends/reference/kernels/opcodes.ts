import { rounderOf } from '../../../tensor/narrow.js';
import { toInt32 } from '../convert.js';
import { erf, erfc, flooredMod, pow, roundHalfToEven } from './special-functions.js';

/** Parameters of an instruction: `params[2i]` and `params[2i + 1]`. */
type Params = readonly [number, number];

/** What an opcode computes from the values of its arguments. */
export type Operation =
  | { readonly arity: 0; readonly make: (params: Params) => () => number }
  | { readonly arity: 1; readonly make: (params: Params) => (a: number) => number }
  | { readonly arity: 2; readonly make: (params: Params) => (a: number, b: number) => number }
  | { readonly arity: 3; readonly make: (params: Params) => (a: number, b: number, c: number) => number };

const constant = (make: (params: Params) => () => number): Operation => ({ arity: 0, make });
const unary = (f: (a: number) => number): Operation => ({ arity: 1, make: () => f });
const tuned = (make: (params: Params) => (a: number) => number): Operation => ({ arity: 1, make });
const binary = (f: (a: number, b: number) => number): Operation => ({ arity: 2, make: () => f });
const truth = (f: (a: number, b: number) => boolean): Operation => binary((a, b) => (f(a, b) ? 1 : 0));

// Constants of Klambauer et al. 2017, "Self-Normalizing Neural Networks".
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const relu = (x: number): number => (x < 0 ? 0 : x);
const relu6 = (x: number): number => clip(x, 0, 6);
const elu = (x: number, alpha: number): number => (x < 0 ? alpha * Math.expm1(x) : x);

/** NaN stays: it is neither below nor above. */
function clip(x: number, min: number, max: number): number {
  return x < min ? min : x > max ? max : x;
}

/** Comparisons and logic are the same for both compute types. */
const LOGIC: Readonly<Record<string, Operation>> = {
  not: unary((x) => (x === 0 ? 1 : 0)),
  equal: truth((a, b) => a === b),
  notEqual: truth((a, b) => a !== b),
  greater: truth((a, b) => a > b),
  greaterEqual: truth((a, b) => a >= b),
  less: truth((a, b) => a < b),
  lessEqual: truth((a, b) => a <= b),
  and: truth((a, b) => a !== 0 && b !== 0),
  or: truth((a, b) => a !== 0 || b !== 0),
  select: { arity: 3, make: () => (condition, a, b) => (condition !== 0 ? a : b) },
  // Math.max and Math.min give NaN when either is NaN.
  maximum: binary((a, b) => Math.max(a, b)),
  minimum: binary((a, b) => Math.min(a, b)),
};

/** The opcodes of `compute: 'float'`. */
export const FLOAT_OPERATIONS: Readonly<Record<string, Operation>> = {
  ...LOGIC,
  const: constant(
    ([value]) =>
      () =>
        value,
  ),
  identity: unary((x) => x),
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
  exp: unary(Math.exp),
  expm1: unary(Math.expm1),
  log: unary(Math.log),
  log1p: unary(Math.log1p),
  sqrt: unary(Math.sqrt),
  rsqrt: unary((x) => 1 / Math.sqrt(x)),
  square: unary((x) => x * x),
  reciprocal: unary((x) => 1 / x),
  floor: unary(Math.floor),
  ceil: unary(Math.ceil),
  round: unary(roundHalfToEven),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  erf: unary(erf),
  tanh: unary(Math.tanh),
  sigmoid: unary(sigmoid),
  relu: unary(relu),
  relu6: unary(relu6),
  leakyRelu: tuned(
    ([slope]) =>
      (x) =>
        x < 0 ? slope * x : x,
  ),
  elu: tuned(
    ([alpha]) =>
      (x) =>
        elu(x, alpha),
  ),
  selu: unary((x) => SELU_SCALE * elu(x, SELU_ALPHA)),
  gelu: unary((x) => (x / 2) * erfc(-x / Math.SQRT2)),
  geluTanh: unary((x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
  softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  silu: unary((x) => x * sigmoid(x)),
  hardSigmoid: unary((x) => relu6(x + 3) / 6),
  clip: tuned(
    ([min, max]) =>
      (x) =>
        clip(x, min, max),
  ),
  isNaN: unary((x) => (Number.isNaN(x) ? 1 : 0)),
  isFinite: unary((x) => (Number.isFinite(x) ? 1 : 0)),
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b),
  pow: binary(pow),
  mod: binary(flooredMod),
  floorDiv: binary((a, b) => Math.floor(a / b)),
  reluGrad: binary((y, dy) => (y > 0 ? dy : 0)),
  toInt: unary(toInt32),
  toBfloat16: unary(rounderOf('bfloat16')),
  toFloat16: unary(rounderOf('float16')),
};

/** The opcodes of `compute: 'int32'`: sums and products wrap, parameters are truncated. */
export const INT32_OPERATIONS: Readonly<Record<string, Operation>> = {
  ...LOGIC,
  const: constant(([value]) => {
    const whole = toInt32(value);
    return () => whole;
  }),
  identity: unary((x) => x),
  neg: unary((x) => -x | 0),
  abs: unary((x) => Math.abs(x) | 0),
  sign: unary(Math.sign),
  square: unary((x) => Math.imul(x, x)),
  relu: unary(relu),
  clip: tuned(([min, max]) => {
    const [low, high] = [toInt32(min), toInt32(max)];
    return (x) => clip(x, low, high);
  }),
  add: binary((a, b) => (a + b) | 0),
  sub: binary((a, b) => (a - b) | 0),
  mul: binary(Math.imul),
  mod: binary((a, b) => (b === 0 ? 0 : flooredMod(a, b) + 0)),
  floorDiv: binary((a, b) => (b === 0 ? 0 : Math.floor(a / b) | 0)),
};
