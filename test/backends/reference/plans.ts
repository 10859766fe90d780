import type {
  Attributes,
  Backend,
  PlanDescription,
  SlotDescription,
  StepDescription,
  StorageDescription,
} from '../../../lib/backends/backend.js';
import type { DType } from '../../../lib/tensor/dtype.js';

/** y = x + value, a program of two instructions on one input. */
export function addConstant(value: number): Attributes {
  return {
    compute: 'float',
    opcodes: ['const', 'add'],
    args: [-1, -1, -1, 0, 1, -1],
    params: [value, 0, 0, 0],
    results: [2],
  };
}

/** A step with its op named after the kernel. */
export function step(
  kernel: string,
  attributes: Attributes,
  inputs: readonly number[],
  outputs: readonly number[],
  layer = 'block/layer',
): StepDescription {
  return { kernel, attributes, inputs, outputs, op: `${kernel}Op`, layer };
}

/** An external storage. */
export function external(index: number): StorageDescription {
  return { kind: 'external', index };
}

/** An arena storage. */
export function arena(offset: number, bytes: number): StorageDescription {
  return { kind: 'arena', offset, bytes };
}

/** A float32 slot, unless another dtype is named. */
export function slot(storage: number, shape: readonly number[], dtype: DType = 'float32'): SlotDescription {
  return { storage, dtype, shape };
}

/** A plan of float32 externals with the given sizes. */
export function planOf(
  externals: readonly number[],
  storages: readonly StorageDescription[],
  slots: readonly SlotDescription[],
  steps: readonly StepDescription[],
  arenaBytes = 1024,
): PlanDescription {
  return { storages, slots, steps, arenaBytes, externals: externals.map((size) => ({ dtype: 'float32', size })) };
}

/** y = x + value over `size` elements: externals x and y. */
export function addingPlan(size: number, value: number, steps = 1): PlanDescription {
  const first = step('elementwise', addConstant(value), [0], [1]);
  const again = step('elementwise', addConstant(value), [1], [1]);
  return planOf(
    [size, size],
    [external(0), external(1)],
    [slot(0, [size]), slot(1, [size])],
    [first, ...new Array<StepDescription>(steps - 1).fill(again)],
  );
}

/** A float32 buffer of these values. */
export function buffer(backend: Backend, values: readonly number[]): ReturnType<Backend['createBuffer']> {
  return backend.createBuffer('float32', values.length, Float32Array.from(values));
}
