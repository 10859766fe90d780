import { describe, expect, test } from 'vitest';
import type { Attributes } from '../../../lib/backends/backend.js';
import type { DType } from '../../../lib/tensor/dtype.js';
import { expectClose } from './gradients.js';
import { f64, i32, runFloat, runKernel, valueOf } from './run-kernel.js';
import type { Value } from './run-kernel.js';

interface Instruction {
  readonly opcode: string;
  readonly args?: readonly number[];
  readonly params?: readonly number[];
}

/** Attributes of a program; `results` is the last register when left out. */
function program(
  inputs: number,
  instructions: readonly Instruction[],
  compute: 'float' | 'int32' = 'float',
  results: readonly number[] = [inputs + instructions.length - 1],
): Attributes {
  const pad = (list: readonly number[], length: number, fill: number): number[] =>
    Array.from({ length }, (_, i) => list[i] ?? fill);
  return {
    compute,
    opcodes: instructions.map(({ opcode }) => opcode),
    args: instructions.flatMap(({ args = [] }) => pad(args, 3, -1)),
    params: instructions.flatMap(({ params = [] }) => pad(params, 2, 0)),
    results,
  };
}

/** One opcode over lists of arguments. */
function apply(opcode: string, lists: readonly (readonly number[])[], params: readonly number[] = []): number[] {
  const inputs = lists.map((list) => f64([list.length], list));
  const attributes = program(inputs.length, [{ opcode, args: lists.map((_, i) => i), params }]);
  return runFloat('elementwise', attributes, inputs, [lists[0]!.length]);
}

function applyInts(opcode: string, lists: readonly (readonly number[])[], params: readonly number[] = []): number[] {
  const inputs = lists.map((list) => i32([list.length], list));
  const attributes = program(inputs.length, [{ opcode, args: lists.map((_, i) => i), params }], 'int32');
  return [...runKernel('elementwise', attributes, inputs, [{ dtype: 'int32', shape: [lists[0]!.length] }])[0]!];
}

describe('opcodes of one argument', () => {
  const INF = Infinity;
  test.each<[string, number[], number[], number[]?]>([
    ['identity', [1.5, -2, NaN], [1.5, -2, NaN]],
    ['neg', [1, -2, INF], [-1, 2, -INF]],
    ['abs', [-1.5, 2, -INF], [1.5, 2, INF]],
    ['sign', [-3, 0, 7, NaN], [-1, 0, 1, NaN]],
    ['exp', [0, 1, -1000, 1000, NaN], [1, Math.E, 0, INF, NaN]],
    ['expm1', [0, 1e-12, -1000], [0, 1e-12, -1]],
    ['log', [1, Math.E, 0, -1], [0, 1, -INF, NaN]],
    ['log1p', [0, 1e-12, -1], [0, 1e-12, -INF]],
    ['sqrt', [0, 2.25, -1], [0, 1.5, NaN]],
    ['rsqrt', [4, 0], [0.5, INF]],
    ['square', [-3, 0.5], [9, 0.25]],
    ['reciprocal', [4, -0.5], [0.25, -2]],
    ['floor', [1.5, -1.5], [1, -2]],
    ['ceil', [1.5, -1.2], [2, -1]],
    [
      'round',
      [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994, 2.6, 4503599627370497],
      [0, 2, 2, 0, -2, -2, 0, 3, 4503599627370497],
    ],
    ['sin', [0, Math.PI / 2], [0, 1]],
    ['cos', [0, Math.PI], [1, -1]],
    // Abramowitz and Stegun, table 7.1, and its tail by erfc.
    [
      'erf',
      [0, 0.5, 1, -1, 2, 3, 6, INF, -INF, NaN],
      [
        0,
        0.5204998778130465,
        0.8427007929497149,
        -0.8427007929497149,
        0.9953222650189527,
        0.9999779095030014,
        1,
        1,
        -1,
        NaN,
      ],
    ],
    ['tanh', [0, 1, -50], [0, 0.7615941559557649, -1]],
    ['sigmoid', [0, Math.log(3), -1000, 1000, NaN], [0.5, 0.75, 0, 1, NaN]],
    ['relu', [-1, 0, 2, NaN], [0, 0, 2, NaN]],
    ['relu6', [-1, 3, 7, NaN], [0, 3, 6, NaN]],
    ['leakyRelu', [-2, 0, 3, NaN], [-0.5, 0, 3, NaN], [0.25]],
    ['elu', [Math.log(0.5), 0, 3, -1000], [-1, 0, 3, -2], [2]],
    ['selu', [1, -1000], [1.0507009873554805, -1.7580993408473766]],
    ['gelu', [0, 1, -1, -40], [0, 0.8413447460685429, -0.15865525393145707, 0]],
    ['geluTanh', [0, 1, -40], [0, 0.8411919906082768, 0]],
    ['softplus', [0, 1000, -1000, NaN], [Math.LN2, 1000, 0, NaN]],
    ['silu', [0, Math.log(3), -1000], [0, 0.75 * Math.log(3), 0]],
    ['hardSigmoid', [-4, -3, 0, 1.5, 3, 9, NaN], [0, 0, 0.5, 0.75, 1, 1, NaN]],
    ['clip', [-2, 0.25, 2, NaN, -INF], [-1, 0.25, 0.5, NaN, -1], [-1, 0.5]],
    ['isNaN', [NaN, 0, INF], [1, 0, 0]],
    ['isFinite', [NaN, 0, INF, -INF], [0, 1, 0, 0]],
    ['not', [0, 1, -3, NaN], [1, 0, 0, 0]],
    ['toInt', [1.9, -1.9, 3e9, -3e9, NaN, INF], [1, -1, 2147483647, -2147483648, 0, 2147483647]],
  ])('%s', (opcode, x, expected, params) => {
    expectClose(apply(opcode, [x], params), expected, 1e-15);
  });

  test('erf keeps its precision where the series hands over', () => {
    const points = [2.4999999, 2.5, 2.5000001];
    const [below, at, above] = apply('erf', [points]) as [number, number, number];
    expect(at).toBeCloseTo(0.999593047982555, 15);
    const slope = (2 / Math.sqrt(Math.PI)) * Math.exp(-6.25);
    expect((at - below) / 1e-7).toBeCloseTo(slope, 7);
    expect((above - at) / 1e-7).toBeCloseTo(slope, 7);
  });
});

describe('opcodes of two and three arguments', () => {
  test.each<[string, number[], number[], number[]]>([
    ['add', [1, 2], [10, -2], [11, 0]],
    ['sub', [1, 2], [10, -2], [-9, 4]],
    ['mul', [3, 2], [10, -2], [30, -4]],
    ['div', [3, 1, 0], [2, 0, 0], [1.5, Infinity, NaN]],
    ['pow', [2, 4, -8, 1, NaN, 1], [3, 0.5, 2, Infinity, 0, NaN], [8, 2, 64, 1, 1, 1]],
    ['mod', [7, -7, 7, -7, 5.5, 6, 1], [3, 3, -3, -3, 2, 3, 0], [1, 2, -2, -1, 1.5, 0, NaN]],
    ['floorDiv', [7, -7, 7, 5.5], [3, 3, -3, 2], [2, -3, -3, 2]],
    ['maximum', [1, -1, NaN, 1], [2, -2, 1, NaN], [2, -1, NaN, NaN]],
    ['minimum', [1, -1, NaN, 1], [2, -2, 1, NaN], [1, -2, NaN, NaN]],
    ['equal', [1, 2, NaN], [1, 3, NaN], [1, 0, 0]],
    ['notEqual', [1, 2, NaN], [1, 3, NaN], [0, 1, 1]],
    ['greater', [1, 2, 2, NaN], [2, 1, 2, 0], [0, 1, 0, 0]],
    ['greaterEqual', [1, 2, 2, NaN], [2, 1, 2, 0], [0, 1, 1, 0]],
    ['less', [1, 2, 2, NaN], [2, 1, 2, 0], [1, 0, 0, 0]],
    ['lessEqual', [1, 2, 2, NaN], [2, 1, 2, 0], [1, 0, 1, 0]],
    ['and', [0, 0, 2, 2], [0, 3, 0, 3], [0, 0, 0, 1]],
    ['or', [0, 0, 2, 2], [0, 3, 0, 3], [0, 1, 1, 1]],
    ['reluGrad', [1, 0, -1, NaN], [5, 6, 7, 8], [5, 0, 0, 0]],
  ])('%s', (opcode, a, b, expected) => {
    expectClose(apply(opcode, [a, b]), expected, 1e-15);
  });

  test('select', () => {
    expect(
      apply('select', [
        [1, 0, -2, 0.5],
        [1, 2, 3, 4],
        [10, 20, 30, 40],
      ]),
    ).toEqual([1, 20, 3, 4]);
  });
});

describe('compute int32', () => {
  const [MIN, MAX] = [-2147483648, 2147483647];
  test.each<[string, number[][], number[], number[]?]>([
    [
      'add',
      [
        [MAX, 1],
        [1, 2],
      ],
      [MIN, 3],
    ],
    [
      'sub',
      [
        [MIN, 1],
        [1, 2],
      ],
      [MAX, -1],
    ],
    [
      'mul',
      [
        [65536, 123456789],
        [65536, 987654321],
      ],
      [0, Math.imul(123456789, 987654321)],
    ],
    ['square', [[46341, -3]], [-2147479015, 9]],
    ['neg', [[MIN, 5]], [MIN, -5]],
    ['abs', [[MIN, -5]], [MIN, 5]],
    ['sign', [[-7, 0, 7]], [-1, 0, 1]],
    [
      'mod',
      [
        [7, -7, 7, 5, -6],
        [3, 3, -3, 0, 3],
      ],
      [1, 2, -2, 0, 0],
    ],
    [
      'floorDiv',
      [
        [7, -7, 5, MIN],
        [2, 2, 0, -1],
      ],
      [3, -4, 0, MIN],
    ],
    [
      'maximum',
      [
        [1, -5],
        [3, -7],
      ],
      [3, -5],
    ],
    [
      'minimum',
      [
        [1, -5],
        [3, -7],
      ],
      [1, -7],
    ],
    [
      'less',
      [
        [1, 3],
        [2, 2],
      ],
      [1, 0],
    ],
    [
      'and',
      [
        [1, 0],
        [2, 2],
      ],
      [1, 0],
    ],
    ['not', [[0, 9]], [1, 0]],
    ['relu', [[-4, 4]], [0, 4]],
    ['clip', [[-9, 0, 9]], [-2, 0, 3], [-2.9, 3.9]],
    [
      'select',
      [
        [1, 0],
        [5, 6],
        [7, 8],
      ],
      [5, 8],
    ],
    ['identity', [[MIN, MAX]], [MIN, MAX]],
  ])('%s', (opcode, lists, expected, params) => {
    expect(applyInts(opcode, lists, params)).toEqual(expected);
  });

  test.each(['exp', 'div', 'sqrt', 'toInt', 'isNaN', 'reluGrad'])('%s has no int32 form', (opcode) => {
    expect(() => applyInts(opcode, [[1], [1]].slice(0, 1))).toThrow(new RegExp(`int32, received ${opcode}`));
  });
});

describe('programs', () => {
  test('instructions read what earlier ones wrote; every result is stored', () => {
    const attributes = program(
      2,
      [
        { opcode: 'const', params: [10] },
        { opcode: 'mul', args: [0, 2] },
        { opcode: 'add', args: [3, 1] },
        { opcode: 'neg', args: [4] },
      ],
      'float',
      [5, 3, 0],
    );
    const outputs = [0, 1, 2].map(() => ({ dtype: 'float64' as const, shape: [2] }));
    const [a, b] = [f64([2], [1, 2]), f64([2], [5, 6])];
    expect(runKernel('elementwise', attributes, [a, b], outputs).map((y) => [...y])).toEqual([
      [-15, -26],
      [10, 20],
      [1, 2],
    ]);
  });

  test('no inputs at all', () => {
    expect(runFloat('elementwise', program(0, [{ opcode: 'const', params: [2.5] }]), [], [3])).toEqual([2.5, 2.5, 2.5]);
  });

  test.each<[readonly number[], readonly number[], readonly number[], number[]]>([
    [[2, 3], [3], [2, 3], [11, 22, 33, 14, 25, 36]],
    [
      [2, 1],
      [1, 3],
      [2, 3],
      [11, 21, 31, 12, 22, 32],
    ],
    [[2, 3], [], [2, 3], [11, 12, 13, 14, 15, 16]],
    [
      [2, 1],
      [3, 1, 2],
      [3, 2, 2],
      [11, 21, 12, 22, 31, 41, 32, 42, 51, 61, 52, 62],
    ],
    [[0, 3], [3], [0, 3], []],
  ])('broadcasts %j and %j', (a, b, shape, expected) => {
    const numbers = (s: readonly number[], factor: number): Value =>
      f64(
        s,
        Array.from({ length: s.reduce((p, d) => p * d, 1) }, (_, i) => (i + 1) * factor),
      );
    const y = runFloat(
      'elementwise',
      program(2, [{ opcode: 'add', args: [0, 1] }]),
      [numbers(a, 1), numbers(b, 10)],
      shape,
    );
    expect(y).toEqual(expected);
  });

  test('more elements than one block, broadcast across its edges', () => {
    const [rows, columns] = [37, 101];
    const a = f64(
      [rows, columns],
      Array.from({ length: rows * columns }, (_, i) => i),
    );
    const b = f64(
      [rows, 1],
      Array.from({ length: rows }, (_, i) => i * 10_000),
    );
    const y = runFloat('elementwise', program(2, [{ opcode: 'add', args: [0, 1] }]), [a, b], [rows, columns]);
    expect(y).toEqual(Array.from(a.data, (v, i) => v + Math.floor(i / columns) * 10_000));
  });

  test.each<[DType, number[], DType, number[]]>([
    ['float64', [1.9, -1.9, NaN, 5e9], 'int32', [1, -1, 0, 2147483647]],
    ['float64', [1.9, -1, 300, NaN], 'uint8', [1, 255, 44, 0]],
    ['float64', [0, 0.1, -1, NaN], 'bool', [0, 1, 1, 1]],
    ['int32', [2147483647, -3], 'float64', [2147483647, -3]],
    ['uint8', [200, 3], 'float32', [200, 3]],
    ['bool', [0, 1], 'float32', [0, 1]],
    ['float64', [0.1], 'float32', [Math.fround(0.1)]],
  ])('converts %s %j to %s', (from, values, to, expected) => {
    const shape = [values.length];
    const attributes = program(1, [{ opcode: 'identity', args: [0] }]);
    const [y] = runKernel('elementwise', attributes, [valueOf(from, shape, values)], [{ dtype: to, shape }]);
    expect([...y!]).toEqual(expected);
  });

  test('inputs are converted to the compute type', () => {
    const attributes = program(1, [{ opcode: 'identity', args: [0] }], 'int32');
    expect(runFloat('elementwise', attributes, [f64([3], [1.7, -1.7, NaN])], [3])).toEqual([1, -1, 0]);
  });

  test.each<[string, Attributes, RegExp]>([
    ['an unknown opcode', program(1, [{ opcode: 'frobnicate', args: [0] }]), /frobnicate/],
    ['a name every object has', program(1, [{ opcode: 'toString', args: [0] }]), /toString/],
    ['a register that is not yet written', program(1, [{ opcode: 'neg', args: [1] }]), /registers below 1/],
    ['an argument too few', program(1, [{ opcode: 'add', args: [0] }]), /2 registers/],
    ['an argument too many', program(1, [{ opcode: 'neg', args: [0, 0] }]), /1 registers/],
    ['a result that no one wrote', program(1, [{ opcode: 'neg', args: [0] }], 'float', [2]), /results/],
    ['results for other outputs', program(1, [{ opcode: 'neg', args: [0] }], 'float', [1, 1]), /results/],
    ['args of the wrong length', { ...program(1, [{ opcode: 'neg', args: [0] }]), args: [0] }, /args/],
    ['params of the wrong length', { ...program(1, [{ opcode: 'neg', args: [0] }]), params: [0] }, /params/],
    ['another compute type', { ...program(1, []), compute: 'float16' }, /compute/],
  ])('refuses %s', (_, attributes, message) => {
    expect(() => runFloat('elementwise', attributes, [f64([1], [1])], [1])).toThrow(message);
  });

  test('refuses inputs that do not broadcast to the output', () => {
    const attributes = program(1, [{ opcode: 'neg', args: [0] }]);
    expect(() => runFloat('elementwise', attributes, [f64([2], [1, 2])], [3])).toThrow(/broadcast/);
    expect(() => runFloat('elementwise', attributes, [f64([2], [1, 2])], [1])).toThrow(/broadcast/);
    expect(() => runFloat('elementwise', attributes, [f64([1, 2], [1, 2])], [2])).toThrow(/broadcast/);
  });
});
