import { mismatch } from '../../errors.js';
import type { FoveaError } from '../../errors.js';
import { bytesPerElement, isDType, isNarrow } from '../../tensor/dtype.js';
import { roundAll } from '../../tensor/narrow.js';
import { formatShape, sizeOf } from '../../tensor/shape.js';
import type { PlanDescription, SlotDescription, StepDescription, StorageDescription } from '../backend.js';
import { partOf, type ExternalStorage } from '../parts.js';
import { REFERENCE_KERNELS } from './kernels/index.js';
import { KernelCall, describeType } from './kernels/kernel.js';
import type { PreparedKernel, ReferenceKernel } from './kernels/kernel.js';

/** Native kernels want arena storages to start on a cache line; a plan that runs here must run there. */
const ALIGNMENT = 64;

/** A step that was found good, ready to run. */
export interface CheckedStep {
  readonly description: StepDescription;
  readonly compute: PreparedKernel;
}

/** The plan's own errors, outside any step. */
function invalid(expected: string, received: string): FoveaError {
  return mismatch('ERR_ARGUMENT', { op: 'plan' }, expected, received);
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/**
 * Checks a whole plan against docs/kernels.md before anything of it runs: storages, slots, kernel names, attributes,
 * operand shapes, in-place rules, and that every value in the arena is still there when it is read.
 *
 * @returns the steps with their kernels prepared
 * @throws FoveaError `ERR_ARGUMENT` (a step's error names its op and layer), `ERR_UNSUPPORTED` for an unknown kernel
 */
export function checkPlan(plan: PlanDescription): CheckedStep[] {
  if (!isSize(plan.arenaBytes)) throw invalid('arenaBytes of zero or more', String(plan.arenaBytes));
  plan.externals.forEach(({ dtype, size }, i) => {
    if (!isDType(dtype)) throw invalid(`external ${i} of a known dtype`, String(dtype));
    if (!isSize(size)) throw invalid(`external ${i} of a size of zero or more`, String(size));
  });
  plan.storages.forEach((storage, i) => checkStorage(plan, storage, i));
  plan.slots.forEach((slot, i) => checkSlot(plan, slot, i));

  const flow = new ArenaFlow(plan);
  return plan.steps.map((description) => {
    const call = callOf(plan, description);
    const kernel = REFERENCE_KERNELS.get(description.kernel);
    if (kernel === undefined) {
      const { op, layer } = description;
      throw mismatch('ERR_UNSUPPORTED', { op, layer }, 'a kernel of docs/kernels.md', `'${description.kernel}'`);
    }
    const compute = kernel.prepare(call);
    checkSharing(plan, description, call, kernel);
    for (const slot of description.inputs) flow.read(call, plan.slots[slot]!);
    for (const slot of description.outputs) flow.write(plan.slots[slot]!);
    return { description, compute: rounding(call, compute) };
  });
}

function checkStorage(plan: PlanDescription, storage: StorageDescription, i: number): void {
  if (storage.kind === 'external') {
    if (!isSize(storage.index) || storage.index >= plan.externals.length) {
      throw invalid(`storage ${i} on one of ${plan.externals.length} externals`, String(storage.index));
    }
    checkPart(plan.externals[storage.index]!, storage, i);
    return;
  }
  const { offset, bytes } = storage;
  if (offset % ALIGNMENT !== 0) throw invalid(`storage ${i} at a multiple of ${ALIGNMENT} bytes`, String(offset));
  if (!isSize(offset) || !isSize(bytes) || offset + bytes > plan.arenaBytes) {
    throw invalid(`storage ${i} within an arena of ${plan.arenaBytes} bytes`, `${bytes} bytes at ${offset}`);
  }
}

/** A part of an external lies within it and starts where a kernel may want it to. */
function checkPart({ dtype, size }: PlanDescription['externals'][number], part: ExternalStorage, i: number): void {
  const { first, count } = partOf(part, size);
  if (!isSize(first) || !isSize(count) || first + count > size) {
    throw invalid(`storage ${i} within an external of ${size} elements`, `${count} elements from ${first}`);
  }
  if ((first * bytesPerElement(dtype)) % ALIGNMENT !== 0) {
    throw invalid(`storage ${i} from an element at a multiple of ${ALIGNMENT} bytes`, String(first));
  }
}

function checkSlot(plan: PlanDescription, slot: SlotDescription, i: number): void {
  const storage = plan.storages[slot.storage];
  if (storage === undefined) throw invalid(`slot ${i} on one of ${plan.storages.length} storages`, `${slot.storage}`);
  if (!isDType(slot.dtype)) throw invalid(`slot ${i} of a known dtype`, String(slot.dtype));
  if (!Array.isArray(slot.shape) || !slot.shape.every(isSize)) {
    throw invalid(`slot ${i} with a shape of whole numbers`, JSON.stringify(slot.shape));
  }
  const size = sizeOf(slot.shape);
  if (storage.kind === 'external') {
    const external = plan.externals[storage.index]!;
    const { count } = partOf(storage, external.size);
    if (slot.dtype !== external.dtype || size !== count) {
      throw invalid(`slot ${i} of ${count} elements of ${external.dtype}`, describeType(slot));
    }
  } else if (size * bytesPerElement(slot.dtype) > storage.bytes) {
    throw invalid(`slot ${i} of at most ${storage.bytes} bytes`, describeType(slot));
  }
}

function callOf(plan: PlanDescription, step: StepDescription): KernelCall {
  const slotsOf = (numbers: readonly number[]): SlotDescription[] =>
    numbers.map((number) => {
      const slot = plan.slots[number];
      if (slot !== undefined) return slot;
      throw mismatch(
        'ERR_ARGUMENT',
        { op: step.op, layer: step.layer },
        `one of ${plan.slots.length} slots`,
        `slot ${number}`,
      );
    });
  return new KernelCall(step, slotsOf(step.inputs), slotsOf(step.outputs));
}

/** Kernels compute in float64 whatever the type; what is stored in 16 bits is rounded once the kernel is done. */
function rounding(call: KernelCall, compute: PreparedKernel): PreparedKernel {
  const narrow = call.outputs.flatMap(({ dtype }, i) => (isNarrow(dtype) ? [{ dtype, i }] : []));
  if (narrow.length === 0) return compute;
  return (inputs, outputs) => {
    compute(inputs, outputs);
    for (const { dtype, i } of narrow) roundAll(dtype, outputs[i]!);
  };
}

/** The elements, or bytes of the arena, that a storage stands for. */
function rangeOf(plan: PlanDescription, number: number): { of: number; begin: number; end: number } {
  const storage = plan.storages[number]!;
  if (storage.kind === 'arena') return { of: -1, begin: storage.offset, end: storage.offset + storage.bytes };
  const { first, count } = partOf(storage, plan.externals[storage.index]!.size);
  return { of: storage.index, begin: first, end: first + count };
}

/** Whether two storages are the same one: the same number, or parts of one external that begin at the same element. */
function sameStorage(plan: PlanDescription, a: number, b: number): boolean {
  const [first, second] = [rangeOf(plan, a), rangeOf(plan, b)];
  return a === b || (first.of >= 0 && first.of === second.of && first.begin === second.begin);
}

/** Whether two storages have bytes in common. */
function overlap(plan: PlanDescription, a: number, b: number): boolean {
  if (sameStorage(plan, a, b)) return true;
  const [first, second] = [rangeOf(plan, a), rangeOf(plan, b)];
  return first.of === second.of && Math.max(first.begin, second.begin) < Math.min(first.end, second.end);
}

/** Outputs share memory with nothing, but where the kernel runs in place with inputs of their size and dtype. */
function checkSharing(
  plan: PlanDescription,
  step: StepDescription,
  call: KernelCall,
  { inPlace }: ReferenceKernel,
): void {
  step.outputs.forEach((output, j) => {
    const out = plan.slots[output]!;
    for (const other of step.outputs.slice(0, j)) {
      if (overlap(plan, out.storage, plan.slots[other]!.storage)) {
        throw call.invalid('outputs that share no memory', `output ${j} on that of another`);
      }
    }
    step.inputs.forEach((input, i) => {
      const from = plan.slots[input]!;
      if (!overlap(plan, out.storage, from.storage)) return;
      const allowed =
        inPlace?.(call, j, i) &&
        sameStorage(plan, out.storage, from.storage) &&
        out.dtype === from.dtype &&
        sizeOf(out.shape) === sizeOf(from.shape);
      if (allowed) return;
      throw call.invalid(
        inPlace ? 'an output in place of an input of its size and dtype' : 'outputs apart from the inputs',
        `output ${j} ${describeType(out)} on the memory of input ${i} ${describeType(from)}`,
      );
    });
  });
}

/** Follows which values the arena holds while the steps run. */
class ArenaFlow {
  readonly #plan: PlanDescription;
  /** What was last written to a storage, while no storage that overlaps it has been written since. */
  readonly #held = new Map<number, SlotDescription>();

  constructor(plan: PlanDescription) {
    this.#plan = plan;
  }

  /** Throws unless the storage holds a value of the slot's dtype and at least its size. */
  read(call: KernelCall, slot: SlotDescription): void {
    if (this.#plan.storages[slot.storage]!.kind === 'external') return;
    const held = this.#held.get(slot.storage);
    if (held === undefined) {
      throw call.invalid(
        `a value in arena storage ${slot.storage}`,
        'none: no step wrote it, or another storage overwrote it',
      );
    }
    if (held.dtype !== slot.dtype || sizeOf(held.shape) !== sizeOf(slot.shape)) {
      throw call.invalid(`a view of ${held.dtype} ${formatShape(held.shape)}`, describeType(slot));
    }
  }

  write(slot: SlotDescription): void {
    for (const storage of this.#held.keys()) {
      if (storage !== slot.storage && overlap(this.#plan, storage, slot.storage)) this.#held.delete(storage);
    }
    if (this.#plan.storages[slot.storage]!.kind === 'arena') this.#held.set(slot.storage, slot);
  }
}
