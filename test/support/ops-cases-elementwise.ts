import { ops, type Tensor } from '../../lib/index.js';
import type { HostValue, OpCall, OpFamily } from './ops-cases.js';
import type { RandomValues } from './random-values.js';

const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** A shape of rank 0 to 5; now and then with an empty axis, unless `small`. */
export function drawShape(r: RandomValues, small: boolean, lowest = 0): number[] {
  const shape = r.shape(r.integer(lowest, small ? 3 : 5), 1, small ? 3 : 5);
  if (!small && shape.length > 0 && r.chance(0.05)) shape[r.integer(0, shape.length - 1)] = 0;
  if (!small && shape.length > 0 && r.chance(0.1)) shape[shape.length - 1] = r.pick([1, 3, 7, 16, 17, 64, 129]);
  return shape;
}

/** Floats that float32 holds, in [lo, hi), no nearer than 0.03 to any of `kinks`. */
export function floats(
  r: RandomValues,
  shape: readonly number[],
  lo = -2,
  hi = 2,
  kinks: readonly number[] = [],
): HostValue {
  const draw = (): number => {
    for (;;) {
      const v = Math.fround(r.uniform(lo, hi));
      if (kinks.every((k) => Math.abs(v - k) > 0.03)) return v;
    }
  };
  return { shape, dtype: 'float', data: Array.from({ length: sizeOf(shape) }, draw) };
}

/** Multiples of a quarter: quotients, floors and comparisons of them are the same in float32 and float64. */
export function quarters(r: RandomValues, shape: readonly number[], zero = true): HostValue {
  const data = Array.from({ length: sizeOf(shape) }, () => {
    const v = r.integer(-12, 12);
    return (v === 0 && !zero ? 1 : v) / 4;
  });
  return { shape, dtype: 'float', data };
}

export function ints(r: RandomValues, shape: readonly number[], lo = -9, hi = 9): HostValue {
  return { shape, dtype: 'int32', data: r.ints(shape, lo, hi) };
}

/** Two or more shapes that broadcast to one: axes of the result cut off in front, or made 1. */
export function broadcastable(r: RandomValues, small: boolean, count: number): number[][] {
  const whole = drawShape(r, small);
  return Array.from({ length: count }, (_, i) => {
    if (i > 0 && r.chance(0.4)) return [...whole];
    const cut = r.chance(0.3) ? r.integer(0, whole.length) : 0;
    return whole.slice(cut).map((d) => (r.chance(0.3) ? 1 : d));
  });
}

interface Unary {
  readonly name: string;
  readonly apply: (x: Tensor) => Tensor;
  readonly lo?: number;
  readonly hi?: number;
  readonly kinks?: readonly number[];
  /** No gradient, and results that are exact. */
  readonly step?: boolean;
  readonly relative?: number;
}

const UNARY: readonly Unary[] = [
  { name: 'neg', apply: ops.neg },
  { name: 'abs', apply: ops.abs, kinks: [0] },
  { name: 'exp', apply: ops.exp, lo: -6, hi: 4 },
  { name: 'expm1', apply: ops.expm1, lo: -3, hi: 3 },
  { name: 'log', apply: ops.log, lo: 0.05, hi: 9 },
  { name: 'log1p', apply: ops.log1p, lo: -0.9, hi: 5 },
  { name: 'sqrt', apply: ops.sqrt, lo: 0.05, hi: 9 },
  { name: 'rsqrt', apply: ops.rsqrt, lo: 0.1, hi: 9 },
  { name: 'square', apply: ops.square },
  { name: 'reciprocal', apply: ops.reciprocal, kinks: [-0.15, -0.1, -0.05, 0, 0.05, 0.1, 0.15] },
  { name: 'sin', apply: ops.sin, lo: -7, hi: 7 },
  { name: 'cos', apply: ops.cos, lo: -7, hi: 7 },
  { name: 'erf', apply: ops.erf, lo: -4, hi: 4 },
  { name: 'relu', apply: ops.relu, kinks: [0] },
  { name: 'relu6', apply: ops.relu6, lo: -3, hi: 9, kinks: [0, 6] },
  { name: 'tanh', apply: ops.tanh, lo: -5, hi: 5 },
  { name: 'sigmoid', apply: ops.sigmoid, lo: -9, hi: 9 },
  { name: 'softplus', apply: ops.softplus, lo: -9, hi: 9 },
  { name: 'silu', apply: ops.silu, lo: -6, hi: 6 },
  { name: 'hardSigmoid', apply: ops.hardSigmoid, lo: -5, hi: 5, kinks: [-3, 3] },
  { name: 'selu', apply: ops.selu, kinks: [0] },
  { name: 'leakyRelu', apply: (x) => ops.leakyRelu(x, 0.3), kinks: [0] },
  { name: 'elu', apply: (x) => ops.elu(x, 1.3), kinks: [0] },
  { name: 'gelu', apply: (x) => ops.gelu(x), lo: -4, hi: 4 },
  { name: 'geluTanh', apply: (x) => ops.gelu(x, true), lo: -4, hi: 4 },
  { name: 'clip', apply: (x) => ops.clip(x, -0.5, 0.75), kinks: [-0.5, 0.75] },
  { name: 'sign', apply: ops.sign, step: true },
  { name: 'floor', apply: ops.floor, step: true },
  { name: 'ceil', apply: ops.ceil, step: true },
  { name: 'round', apply: ops.round, step: true },
  { name: 'isNaN', apply: ops.isNaN, step: true },
  { name: 'isFinite', apply: ops.isFinite, step: true },
  { name: 'not', apply: ops.not, step: true },
  { name: 'castBfloat16', apply: (x) => ops.cast(x, 'bfloat16'), step: true },
  { name: 'castFloat16', apply: (x) => ops.cast(x, 'float16'), step: true },
  { name: 'castInt', apply: (x) => ops.cast(x, 'int32'), step: true },
];

const unaryFamilies: OpFamily[] = UNARY.map(({ name, apply, lo, hi, kinks, step, relative }) => ({
  name,
  covers: [name],
  weight: 1,
  draw: (r, small): OpCall => {
    const shape = drawShape(r, small);
    const x = step ? quarters(r, shape) : floats(r, shape, lo, hi, kinks);
    return {
      label: name,
      inputs: [x],
      apply: ([t]) => [apply(t!)],
      ...(step ? { noGradient: true, exact: true } : {}),
      ...(relative === undefined ? {} : { relative }),
    };
  },
}));

type Binary = (a: Tensor, b: Tensor) => Tensor;

function binaryFamily(
  name: string,
  apply: Binary,
  draw: (r: RandomValues, a: number[], b: number[]) => [HostValue, HostValue],
  extra: Partial<OpCall> = {},
): OpFamily {
  return {
    name,
    covers: [name],
    weight: 2,
    draw: (r, small) => {
      const [a, b] = broadcastable(r, small, 2) as [number[], number[]];
      return { label: name, inputs: draw(r, a, b), apply: ([x, y]) => [apply(x!, y!)], ...extra };
    },
  };
}

/** Two operands whose elements are never within 0.03 of each other, whatever broadcasting pairs up. */
function apart(r: RandomValues, a: number[], b: number[]): [HostValue, HostValue] {
  const grid = (offset: number, shape: number[]): HostValue => ({
    shape,
    dtype: 'float',
    data: Array.from({ length: sizeOf(shape) }, () => Math.fround(r.integer(-10, 10) * 0.2 + offset)),
  });
  return [grid(0, a), grid(0.1, b)];
}

const plain = (r: RandomValues, a: number[], b: number[]): [HostValue, HostValue] => [floats(r, a), floats(r, b)];
const EXACT = { noGradient: true, exact: true };

const binaryFamilies: OpFamily[] = [
  binaryFamily('add', ops.add, plain),
  binaryFamily('sub', ops.sub, plain),
  binaryFamily('mul', ops.mul, plain),
  binaryFamily('div', ops.div, (r, a, b) => [floats(r, a), floats(r, b, 0.3, 2)]),
  binaryFamily('pow', ops.pow, (r, a, b) => [floats(r, a, 0.2, 2), floats(r, b)]),
  binaryFamily('mod', ops.mod, (r, a, b) => [
    floats(r, a, 0.1, 0.9),
    { ...floats(r, b, 1, 1.9), data: Array.from({ length: sizeOf(b) }, () => r.pick([1, 1.25, 1.5, -1, -1.5])) },
  ]),
  binaryFamily('maximum', ops.maximum, apart),
  binaryFamily('minimum', ops.minimum, apart),
  ...(['equal', 'notEqual', 'greater', 'greaterEqual', 'less', 'lessEqual'] as const).map((name) =>
    binaryFamily(name, ops[name], (r, a, b) => [quarters(r, a), quarters(r, b)], EXACT),
  ),
  binaryFamily('floorDiv', ops.floorDiv, (r, a, b) => [quarters(r, a), quarters(r, b, false)], EXACT),
  ...(['and', 'or'] as const).map((name) =>
    binaryFamily(
      name,
      ops[name],
      (r, a, b) => [
        { shape: a, dtype: 'bool', data: r.ints(a, 0, 1) },
        { shape: b, dtype: 'bool', data: r.ints(b, 0, 1) },
      ],
      EXACT,
    ),
  ),
  {
    name: 'reluGrad',
    covers: ['reluGrad'],
    weight: 1,
    draw: (r, small) => {
      const shape = drawShape(r, small);
      const y = quarters(r, shape);
      // The gradient by y is 0 everywhere but where it jumps; it counts as no input of the derivative.
      return {
        label: 'reluGrad',
        inputs: [{ ...y, dtype: 'int32', data: Array.from(y.data, (v) => v * 4) }, floats(r, shape)],
        apply: ([s, dy]) => [ops.reluGrad(ops.cast(s!, dy!.dtype), dy!)],
      };
    },
  },
  {
    name: 'select',
    covers: ['select'],
    weight: 2,
    draw: (r, small) => {
      const [c, a, b] = broadcastable(r, small, 3) as [number[], number[], number[]];
      return {
        label: 'select',
        inputs: [{ shape: c, dtype: 'bool', data: r.ints(c, 0, 1) }, floats(r, a), floats(r, b)],
        apply: ([s, x, y]) => [ops.select(s!, x!, y!)],
      };
    },
  },
];

/** Operations of int32, where results are exact. Multiplication wraps, a divisor of 0 gives 0. */
const INT: Readonly<Record<string, Binary>> = {
  add: ops.add,
  sub: ops.sub,
  mul: ops.mul,
  mod: ops.mod,
  floorDiv: ops.floorDiv,
  maximum: ops.maximum,
  minimum: ops.minimum,
  equal: ops.equal,
  less: ops.less,
  'neg and abs': (a, b) => ops.add(ops.neg(a), ops.abs(b)),
  'sign and square': (a, b) => ops.mul(ops.sign(a), ops.square(b)),
  'relu and clip': (a, b) => ops.sub(ops.relu(a), ops.clip(b, -3, 5)),
  'select and not': (a, b) => ops.select(ops.not(a), b, a),
};

const integerFamily: OpFamily = {
  name: 'int32 elementwise',
  covers: [],
  weight: 10,
  draw: (r, small) => {
    const [a, b] = broadcastable(r, small, 2) as [number[], number[]];
    const name = r.pick(Object.keys(INT));
    const huge = r.chance(0.2);
    const range = huge ? [-(2 ** 31), 2 ** 31 - 1] : [-9, 9];
    return {
      label: `int32 ${name}`,
      inputs: [ints(r, a, ...(range as [number, number])), ints(r, b, ...(range as [number, number]))],
      apply: ([x, y]) => [INT[name]!(x!, y!)],
      ...EXACT,
    };
  },
};

const castFamily: OpFamily = {
  name: 'castFloat',
  covers: ['castFloat'],
  weight: 3,
  draw: (r, small) => {
    const shape = drawShape(r, small);
    const from = r.pick(['int32', 'bool', 'uint8'] as const);
    const [lo, hi] = from === 'int32' ? [-1000, 1000] : from === 'bool' ? [0, 1] : [0, 255];
    const x = { shape, dtype: from, data: r.ints(shape, lo, hi) };
    return {
      label: `cast from ${from}`,
      inputs: [x, floats(r, shape)],
      apply: ([t, f]) => [ops.mul(ops.cast(t!, f!.dtype), f!), ops.cast(t!, 'uint8'), ops.cast(t!, 'bool')],
    };
  },
};

export const elementwiseFamilies: readonly OpFamily[] = [
  ...unaryFamilies,
  ...binaryFamilies,
  integerFamily,
  castFamily,
];
