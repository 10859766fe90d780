import type { Attributes, Backend } from '../../../lib/backends/backend.js';
import { createReferenceBackend } from '../../../lib/backends/reference/index.js';
import { allocateTyped } from '../../../lib/tensor/dtype.js';
import type { DType, TypedArray } from '../../../lib/tensor/dtype.js';
import type { Shape } from '../../../lib/tensor/shape.js';
import { sizeOf } from '../../../lib/tensor/shape.js';

/** An operand and its elements. */
export interface Value {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

/** What an output is to be. */
export interface Type {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A float64 operand, the dtype in which the reference loses nothing. */
export function f64(shape: Shape, values: ArrayLike<number>): Value {
  return { dtype: 'float64', shape, data: Float64Array.from(values) };
}

/** An int32 operand. */
export function i32(shape: Shape, values: ArrayLike<number>): Value {
  return { dtype: 'int32', shape, data: Int32Array.from(values) };
}

/** A value of any dtype from plain numbers. */
export function valueOf(dtype: DType, shape: Shape, values: ArrayLike<number>): Value {
  const data = allocateTyped(dtype, sizeOf(shape));
  data.set(values);
  return { dtype, shape, data };
}

const shared = createReferenceBackend();

/** Runs one kernel alone: a plan of one step with all operands external. */
export function runKernel(
  kernel: string,
  attributes: Attributes,
  inputs: readonly Value[],
  outputs: readonly Type[],
  backend: Backend = shared,
): TypedArray[] {
  const operands: readonly Type[] = [...inputs, ...outputs];
  const plan = backend.preparePlan({
    storages: operands.map((_, index) => ({ kind: 'external' as const, index })),
    slots: operands.map(({ dtype, shape }, storage) => ({ storage, dtype, shape })),
    steps: [
      {
        kernel,
        attributes,
        inputs: inputs.map((_, i) => i),
        outputs: outputs.map((_, i) => inputs.length + i),
        op: kernel,
        layer: 'test',
      },
    ],
    arenaBytes: 0,
    externals: operands.map(({ dtype, shape }) => ({ dtype, size: sizeOf(shape) })),
  });
  const buffers = [
    ...inputs.map(({ dtype, shape, data }) => backend.createBuffer(dtype, sizeOf(shape), data)),
    ...outputs.map(({ dtype, shape }) => backend.createBuffer(dtype, sizeOf(shape))),
  ];
  try {
    plan.runSync(buffers);
    return buffers.slice(inputs.length).map((buffer) => buffer.readSync());
  } finally {
    plan.dispose();
    for (const buffer of buffers) buffer.dispose();
  }
}

/** {@link runKernel} for a kernel with one float64 output, as plain numbers. */
export function runFloat(kernel: string, attributes: Attributes, inputs: readonly Value[], shape: Shape): number[] {
  return [...runKernel(kernel, attributes, inputs, [{ dtype: 'float64', shape }])[0]!];
}
