import type { PlanDescription } from '../backends/backend.js';
import { bytesPerElement, type DType } from '../tensor/dtype.js';
import { sizeOf, type Shape } from '../tensor/shape.js';

/** A value that a plan makes or is given. */
export interface Activation {
  /** Path of the layer that made it; empty for an input. */
  readonly layer: string;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly bytes: number;
}

/** What a plan takes besides the buffers it is given. */
export interface PlanMemory {
  /** Where the values between inputs and outputs live. */
  readonly arenaBytes: number;
  /** Scratch memory of the kernels. */
  readonly workspaceBytes: number;
  /** Values made of the variables once and kept: folded, packed or converted weights. */
  readonly preparedBytes: number;
  /**
   * A step's operand and its result that together are the largest: both must be there at once. Undefined for a plan
   * that computes nothing.
   */
  readonly largestPair: readonly [from: Activation, to: Activation] | undefined;
}

/**
 * The operand and result of one step with the most bytes together. A result written over the operand is no second
 * value.
 *
 * @param isData - whether an external holds data (an argument or an output), and not a variable or what follows from them
 */
export function largestPair(
  plan: PlanDescription,
  isData: (external: number) => boolean,
): readonly [from: Activation, to: Activation] | undefined {
  const madeBy = new Map<number, string>(); // by storage: who wrote it last
  const isActivation = (slot: number): boolean => {
    const storage = plan.storages[plan.slots[slot]!.storage]!;
    return storage.kind === 'arena' || isData(storage.index);
  };
  const activation = (slot: number): Activation => {
    const { storage, shape, dtype } = plan.slots[slot]!;
    return { layer: madeBy.get(storage) ?? '', shape, dtype, bytes: sizeOf(shape) * bytesPerElement(dtype) };
  };
  let best: readonly [Activation, Activation] | undefined;
  for (const step of plan.steps) {
    const froms = step.inputs.filter(isActivation).map((slot) => ({ slot, value: activation(slot) }));
    for (const output of step.outputs) madeBy.set(plan.slots[output]!.storage, step.layer);
    for (const output of step.outputs.filter(isActivation)) {
      const to = activation(output);
      for (const { slot, value } of froms) {
        if (plan.slots[slot]!.storage === plan.slots[output]!.storage) continue;
        if (!best || value.bytes + to.bytes > best[0].bytes + best[1].bytes) best = [value, to];
      }
    }
  }
  return best;
}
