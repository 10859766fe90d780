import { describe, expect, test } from 'vitest';
import { forCases } from '../../support/random-values.js';
import type { RandomValues } from '../../support/random-values.js';
import { dot, expectClose, numericGradient } from './gradients.js';
import { f64, runFloat, runKernel, valueOf } from './run-kernel.js';
import type { Value } from './run-kernel.js';

const PLAIN = { strides: [1, 1], dilations: [1, 1], padding: [0, 0, 0, 0], groups: 1 };
const LINEAR = { ...PLAIN, activation: 'linear' };

interface Case {
  readonly attributes: typeof PLAIN;
  readonly x: Value;
  readonly kernel: Value;
  readonly y: readonly number[];
}

/** A convolution whose output has at least one pixel. */
function randomCase(random: RandomValues): Case {
  for (;;) {
    const groups = random.integer(1, 3);
    const [n, h, w] = [random.integer(1, 2), random.integer(1, 7), random.integer(1, 7)];
    const [kh, kw, cg, og] = [random.integer(1, 4), random.integer(1, 4), random.integer(1, 3), random.integer(1, 3)];
    const attributes = {
      strides: random.integers(2, 1, 3),
      dilations: random.integers(2, 1, 3),
      padding: random.integers(4, 0, 3),
      groups,
    };
    const [top, bottom, left, right] = attributes.padding as [number, number, number, number];
    const rows = h + top + bottom - (kh - 1) * attributes.dilations[0]! - 1;
    const columns = w + left + right - (kw - 1) * attributes.dilations[1]! - 1;
    if (rows < 0 || columns < 0) continue;
    const y = [n, Math.floor(rows / attributes.strides[0]!) + 1, Math.floor(columns / attributes.strides[1]!) + 1];
    const [x, kernel] = [
      [n, h, w, cg * groups],
      [kh, kw, cg, og * groups],
    ];
    return {
      attributes,
      x: f64(x, random.doubles(x)),
      kernel: f64(kernel, random.doubles(kernel)),
      y: [...y, og * groups],
    };
  }
}

/** The definition with every index spelled out: no shared code with the kernel. */
function byDefinition({ attributes, x, kernel, y }: Case): number[] {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const [kh, kw, cg, o] = kernel.shape as [number, number, number, number];
  const [, oh, ow] = y as [number, number, number];
  const [sy, sx] = attributes.strides as [number, number];
  const [dy, dx] = attributes.dilations as [number, number];
  const [top, , left] = attributes.padding as [number, number, number];
  const out: number[] = [];
  for (let b = 0; b < n; b++)
    for (let i = 0; i < oh; i++)
      for (let j = 0; j < ow; j++)
        for (let k = 0; k < o; k++) {
          const group = Math.floor(k / (o / attributes.groups));
          let sum = 0;
          for (let p = 0; p < kh; p++)
            for (let q = 0; q < kw; q++)
              for (let m = 0; m < cg; m++) {
                const [row, column] = [i * sy - top + p * dy, j * sx - left + q * dx];
                if (row < 0 || row >= h || column < 0 || column >= w) continue;
                const pixel = x.data[((b * h + row) * w + column) * c + group * cg + m]!;
                sum += pixel * kernel.data[((p * kw + q) * cg + m) * o + k]!;
              }
          out.push(sum);
        }
  return out;
}

describe('conv2d', () => {
  test('slides the kernel without turning it', () => {
    const x = f64([1, 3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const kernel = f64([2, 2, 1, 1], [1, 10, 100, 1000]);
    expect(runFloat('conv2d', LINEAR, [x, kernel], [1, 2, 2, 1])).toEqual([5421, 6532, 8754, 9865]);
  });

  test('adds the bias before relu', () => {
    const x = f64([1, 1, 2, 1], [1, -3]);
    const [kernel, bias] = [f64([1, 1, 1, 2], [1, 2]), f64([2], [0.5, -10])];
    const relu = { ...LINEAR, activation: 'relu' };
    expect(runFloat('conv2d', LINEAR, [x, kernel, bias], [1, 1, 2, 2])).toEqual([1.5, -8, -2.5, -16]);
    expect(runFloat('conv2d', relu, [x, kernel, bias], [1, 1, 2, 2])).toEqual([1.5, 0, 0, 0]);
  });

  test('adds the residual, the last input, before relu', () => {
    const x = f64([1, 1, 2, 1], [1, -3]);
    const [kernel, bias] = [f64([1, 1, 1, 2], [1, 2]), f64([2], [0.5, -10])];
    const residual = f64([1, 1, 2, 2], [-2, 10, 1, 17]);
    const attributes = { ...LINEAR, residual: true };
    const relu = { ...attributes, activation: 'relu' };
    const y = [1, 1, 2, 2];
    expect(runFloat('conv2d', attributes, [x, kernel, bias, residual], y)).toEqual([-0.5, 2, -1.5, 1]);
    expect(runFloat('conv2d', relu, [x, kernel, bias, residual], y)).toEqual([0, 2, 0, 1]);
    expect(runFloat('conv2d', attributes, [x, kernel, residual], y)).toEqual([-1, 12, -2, 11]);
    expect(runFloat('conv2d', { ...LINEAR, residual: false }, [x, kernel, bias], y)).toEqual([1.5, -8, -2.5, -16]);
  });

  test('refuses a residual that is not like y, or not there', () => {
    const [x, kernel] = [f64([1, 1, 2, 1], [1, -3]), f64([1, 1, 1, 2], [1, 2])];
    const run = (...more: Value[]) =>
      runFloat('conv2d', { ...LINEAR, residual: true }, [x, kernel, ...more], [1, 1, 2, 2]);
    expect(() => run()).toThrow(/3 to 4 inputs/);
    expect(() => run(f64([2], [1, 2]))).toThrow(/residual of shape \[1,1,2,2\]/);
    expect(() => run(valueOf('float32', [1, 1, 2, 2], [1, 2, 3, 4]))).toThrow(/float32/);
  });

  test('relu lets NaN through', () => {
    const y = runFloat(
      'conv2d',
      { ...LINEAR, activation: 'relu' },
      [f64([1, 1, 1, 1], [NaN]), f64([1, 1, 1, 1], [1])],
      [1, 1, 1, 1],
    );
    expect(y).toEqual([NaN]);
  });

  test('agrees with the definition, and its gradients with it (adjoint identities)', async () => {
    await forCases('conv2d', 300, (random) => {
      const c = randomCase(random);
      const { attributes, x, kernel, y: shape } = c;
      const y = runFloat('conv2d', { ...attributes, activation: 'linear' }, [x, kernel], shape);
      expectClose(y, byDefinition(c));
      const dy = f64(shape, random.doubles(shape));
      const dx = runFloat('conv2dBackwardInput', attributes, [dy, kernel], x.shape);
      const [dkernel, dbias] = runKernel(
        'conv2dBackwardKernel',
        attributes,
        [x, dy],
        [kernel, { dtype: 'float64', shape: [shape[3]!] }],
      );
      // The map is linear in x and in the kernel: <dy, conv(x, k)> = <dx, x> = <dk, k>, also for other x and k.
      const [x2, kernel2] = [f64(x.shape, random.doubles(x.shape)), f64(kernel.shape, random.doubles(kernel.shape))];
      const yx = runFloat('conv2d', { ...attributes, activation: 'linear' }, [x2, kernel], shape);
      const yk = runFloat('conv2d', { ...attributes, activation: 'linear' }, [x, kernel2], shape);
      expectClose([dot(dx, x2.data), dot(dkernel!, kernel2.data)], [dot(dy.data, yx), dot(dy.data, yk)]);
      const ones = f64([shape[3]!], new Float64Array(shape[3]!).fill(1));
      const biased = runFloat('conv2d', { ...attributes, activation: 'linear' }, [x, kernel, ones], shape);
      expectClose([dot(dbias!, ones.data)], [dot(dy.data, biased) - dot(dy.data, y)], 1e-11);
    });
  });

  test('gradients agree with differences', () => {
    const attributes = { strides: [2, 1], dilations: [1, 2], padding: [1, 0, 2, 1], groups: 2 };
    const x = f64(
      [1, 4, 5, 2],
      Array.from({ length: 40 }, (_, i) => Math.sin(i)),
    );
    const kernel = f64(
      [2, 3, 1, 4],
      Array.from({ length: 24 }, (_, i) => Math.cos(i)),
    );
    const shape = [1, 2, 4, 4];
    const dy = f64(
      shape,
      Array.from({ length: 32 }, (_, i) => Math.sin(3 * i)),
    );
    const loss = (a: Value, b: Value): number =>
      dot(dy.data, runFloat('conv2d', { ...attributes, activation: 'linear' }, [a, b], shape));
    const dx = runFloat('conv2dBackwardInput', attributes, [dy, kernel], x.shape);
    expectClose(
      dx,
      numericGradient((v) => loss(f64(x.shape, v), kernel), x.data),
      1e-8,
    );
    const dkernel = runFloat('conv2dBackwardKernel', attributes, [x, dy], kernel.shape);
    expectClose(
      dkernel,
      numericGradient((v) => loss(x, f64(kernel.shape, v)), kernel.data),
      1e-8,
    );
  });

  test('an empty batch gives nothing, and zero gradients', () => {
    const [x, kernel] = [f64([0, 3, 3, 1], []), f64([2, 2, 1, 1], [1, 2, 3, 4])];
    expect(runFloat('conv2d', LINEAR, [x, kernel], [0, 2, 2, 1])).toEqual([]);
    expect(runFloat('conv2dBackwardKernel', PLAIN, [x, f64([0, 2, 2, 1], [])], kernel.shape)).toEqual([0, 0, 0, 0]);
  });

  test.each([
    [
      'an output of the wrong size',
      {
        inputs: [
          [1, 5, 5, 2],
          [3, 3, 2, 4],
        ],
        y: [1, 5, 5, 4],
        expected: /output of \[1,3,3/,
      },
    ],
    [
      'channels that do not fit',
      {
        inputs: [
          [1, 5, 5, 3],
          [3, 3, 2, 4],
        ],
        y: [1, 3, 3, 4],
        expected: /3 channels/,
      },
    ],
    [
      'a bias of the wrong size',
      { inputs: [[1, 5, 5, 2], [3, 3, 2, 4], [3]], y: [1, 3, 3, 4], expected: /bias of shape \[4\]/ },
    ],
    [
      'an image of rank 3',
      {
        inputs: [
          [5, 5, 2],
          [3, 3, 2, 4],
        ],
        y: [1, 3, 3, 4],
        expected: /rank 4/,
      },
    ],
  ])('refuses %s', (_, { inputs, y, expected }) => {
    const values = inputs.map((shape) => f64(shape, new Float64Array(shape.reduce((a, b) => a * b, 1))));
    expect(() => runFloat('conv2d', LINEAR, values, y)).toThrow(expected);
  });

  test.each([
    ['strides', [0, 1]],
    ['strides', [1]],
    ['padding', [0, 0, 0, -1]],
    ['dilations', [1, 1.5]],
    ['groups', 0],
    ['activation', 'gelu'],
    ['residual', 1],
  ])('refuses %s of %j', (name, value) => {
    const operands = [f64([1, 1, 1, 1], [1]), f64([1, 1, 1, 1], [1])];
    expect(() => runFloat('conv2d', { ...LINEAR, [name]: value }, operands, [1, 1, 1, 1])).toThrow(name);
  });

  test('refuses operands that are not one float dtype', () => {
    const kernel = f64([1, 1, 1, 1], [1]);
    const ints = valueOf('int32', [1, 1, 1, 1], [1]);
    expect(() => runFloat('conv2d', LINEAR, [ints, kernel], [1, 1, 1, 1])).toThrow(/float/);
    expect(() => runFloat('conv2d', LINEAR, [valueOf('float32', [1, 1, 1, 1], [1]), kernel], [1, 1, 1, 1])).toThrow(
      /float32/,
    );
  });
});
