import type {
  Attributes,
  PlanDescription,
  SlotDescription,
  StepDescription,
  StorageDescription,
} from '../backends/backend.js';
import { bytesPerElement } from '../tensor/dtype.js';
import { sizeOf } from '../tensor/shape.js';
import { assignStorage, type Assigned, type Home } from './assign-storage.js';
import type { Graph, Program, Step } from './ir.js';
import { planArena, type Lifetime } from './memory-planner.js';
import { expandStrips } from './strips.js';

/**
 * Turns a graph into the plan a backend runs. The plan's externals are the graph's externals followed by one buffer
 * for each output.
 */
export function emitPlan(graph: Graph): PlanDescription {
  const assigned = expandStrips(assignStorage(graph));
  const { lifetimes, blockOf } = lifetimesOf(assigned);
  const arena = planArena(lifetimes);
  const externals = [...graph.externals, ...graph.outputs].map((id) => {
    const { dtype, shape } = graph.values[id]!;
    return { dtype, size: sizeOf(shape) };
  });
  const storages: StorageDescription[] = externals.map((_, index) => ({ kind: 'external', index }));
  lifetimes.forEach((life, i) => storages.push({ kind: 'arena', offset: arena.offsets[i]!, bytes: life.bytes }));

  const storageOf = (home: Home, size: number): number => {
    if (home.kind === 'block') return externals.length + blockOf.get(home.block)!;
    if (home.first === undefined) return home.index;
    return storages.push({ kind: 'external', index: home.index, first: home.first, size }) - 1;
  };

  const slots: SlotDescription[] = [];
  const slotOf = new Map<number, number>();
  const slot = (id: number): number => {
    let index = slotOf.get(id);
    if (index === undefined) {
      const { dtype, shape } = assigned.values[id]!;
      const storage = storageOf(assigned.homes.get(id)!, sizeOf(shape));
      index = slots.push({ storage, dtype, shape }) - 1;
      slotOf.set(id, index);
    }
    return index;
  };
  const steps = assigned.steps.map((step): StepDescription => {
    const { kernel, attributes } = kernelOf(step);
    const inputs = step.inputs.map(slot);
    return { kernel, attributes, inputs, outputs: step.outputs.map(slot), op: step.op, layer: step.layer };
  });
  return { storages, slots, steps, externals, arenaBytes: arena.bytes };
}

/** From first write to last read of every block, in steps. */
function lifetimesOf({ steps, homes, values }: Assigned): { lifetimes: Lifetime[]; blockOf: Map<number, number> } {
  const blockOf = new Map<number, number>();
  const lifetimes: { bytes: number; start: number; end: number }[] = [];
  steps.forEach((step, index) => {
    for (const id of [...step.outputs, ...step.inputs]) {
      const home = homes.get(id)!;
      if (home.kind !== 'block') continue;
      let at = blockOf.get(home.block);
      const bytes = sizeOf(values[id]!.shape) * bytesPerElement(values[id]!.dtype);
      if (at === undefined) {
        at = lifetimes.push({ bytes, start: index, end: index }) - 1;
        blockOf.set(home.block, at);
      }
      const life = lifetimes[at]!;
      life.end = index;
      life.bytes = Math.max(life.bytes, bytes);
    }
  });
  return { lifetimes, blockOf };
}

function kernelOf(step: Step): { kernel: string; attributes: Attributes } {
  if (step.kind === 'kernel') return step;
  if (step.kind === 'elementwise') return { kernel: 'elementwise', attributes: programAttributes(step.program) };
  if (step.kind === 'elementwiseGroup') {
    return { kernel: 'elementwiseGroup', attributes: { ...programAttributes(step.program), shared: step.shared } };
  }
  throw new Error(`a step of kind ${step.kind} has no kernel`);
}

/** The flat form a program has in a plan. */
export function programAttributes({ compute, instructions, results }: Program): Attributes {
  return {
    compute,
    opcodes: instructions.map((i) => i.opcode),
    args: instructions.flatMap((i) => [i.args[0] ?? -1, i.args[1] ?? -1, i.args[2] ?? -1]),
    params: instructions.flatMap((i) => [i.params[0] ?? 0, i.params[1] ?? 0]),
    results,
  };
}
