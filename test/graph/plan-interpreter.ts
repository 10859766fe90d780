import type { PlanDescription, SlotDescription } from '../../lib/backends/backend.js';
import type { Graph, Program, Step } from '../../lib/graph/ir.js';
import { broadcastShapes } from '../../lib/tensor/shape.js';

const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** What the kernels of these tests compute, element for element. */
type ScalarFn = (...args: number[]) => number;
const OPCODES: Readonly<Record<string, ScalarFn>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  neg: (a) => -a,
  relu: (a) => Math.max(a, 0),
};

/** Kernels that may not run in place: all of x is read, from the other end. */
const KERNELS: Readonly<Record<string, (x: readonly number[]) => number[][]>> = {
  copy: (x) => [[...x]],
  reverse: (x) => [x.toReversed()],
  both: (x) => [x.map((v) => v + 1), x.map((v) => v * 2)],
};

interface ProgramLike {
  readonly opcodes: readonly string[];
  readonly args: readonly number[];
  readonly params: readonly number[];
  readonly results: readonly number[];
}

/** Element `i` of a program's outputs from element `i` of its inputs. */
function runProgram(p: ProgramLike, inputs: readonly number[]): number[] {
  const registers = [...inputs];
  p.opcodes.forEach((opcode, k) => {
    if (opcode === 'const') registers.push(p.params[2 * k]!);
    else registers.push(OPCODES[opcode]!(...p.args.slice(3 * k, 3 * k + 3).map((a) => (a < 0 ? 0 : registers[a]!))));
  });
  return p.results.map((r) => registers[r]!);
}

/** The index into an operand of `shape` for element `i` of the output, by NumPy's rules. */
function sourceIndex(i: number, out: readonly number[], shape: readonly number[]): number {
  let index = 0;
  let stride = 1;
  let rest = i;
  for (let axis = out.length - 1; axis >= 0; axis--) {
    const at = rest % out[axis]!;
    rest = Math.floor(rest / out[axis]!);
    const own = axis - out.length + shape.length;
    if (own < 0) continue;
    if (shape[own] !== 1) index += at * stride;
    stride *= shape[own]!;
  }
  return index;
}

/** What a graph means: every value computed apart, variables changed at the very end. */
export function evaluateNaively(
  graph: Graph,
  externals: readonly (readonly number[])[],
): { outputs: number[][]; after: number[][] } {
  const values = new Map<number, readonly number[]>();
  graph.externals.forEach((id, i) => values.set(id, externals[i]!));
  graph.values.forEach((v, id) => {
    if (v.kind === 'scalar') values.set(id, [v.scalar!]);
  });
  const get = (id: number): readonly number[] => values.get(id)!;
  for (const step of graph.steps) evaluateStep(step, graph, get, (id, data) => values.set(id, data));
  const after = externals.map((x) => [...x]);
  for (const u of graph.updates) after[graph.externals.indexOf(u.target)] = [...get(u.value)];
  return { outputs: graph.outputs.map((id) => [...get(id)]), after };
}

function evaluateStep(
  step: Step,
  graph: Graph,
  get: (id: number) => readonly number[],
  set: (id: number, data: number[]) => void,
): void {
  if (step.kind === 'alias') return set(step.outputs[0]!, [...get(step.inputs[0]!)]);
  if (step.kind === 'kernel') {
    KERNELS[step.kernel]!(get(step.inputs[0]!)).forEach((data, i) => set(step.outputs[i]!, data));
    return;
  }
  if (step.kind === 'updateInStrips') {
    for (const part of [step.gradient, step.update]) evaluateStep(part, graph, get, set);
    return;
  }
  const program = flat(step.program);
  const shared = step.kind === 'elementwiseGroup' ? step.shared : 0;
  for (const { inputs, outputs } of groupsOf(step.inputs, step.outputs, program.results.length, shared)) {
    const shape = graph.values[outputs[0]!]!.shape;
    const results: number[][] = outputs.map(() => []);
    for (let i = 0; i < sizeOf(shape); i++) {
      const given = inputs.map((id) => get(id)[sourceIndex(i, shape, graph.values[id]!.shape)]!);
      runProgram(program, given).forEach((v, j) => results[j]!.push(v));
    }
    results.forEach((data, j) => set(outputs[j]!, data));
  }
}

/** The operands of each group of an elementwise step; one that is no group step has one group. */
export function groupsOf<T>(
  inputs: readonly T[],
  outputs: readonly T[],
  perGroup: number,
  shared: number,
): { inputs: T[]; outputs: T[] }[] {
  const groups = outputs.length / perGroup;
  const own = (inputs.length - shared) / groups;
  return Array.from({ length: groups }, (_, g) => ({
    inputs: [...inputs.slice(0, shared), ...inputs.slice(shared + g * own, shared + (g + 1) * own)],
    outputs: outputs.slice(g * perGroup, (g + 1) * perGroup),
  }));
}

function flat(program: Program): ProgramLike {
  return {
    opcodes: program.instructions.map((i) => i.opcode),
    args: program.instructions.flatMap((i) => [0, 1, 2].map((k) => i.args[k] ?? -1)),
    params: program.instructions.flatMap((i) => [i.params[0] ?? 0, i.params[1] ?? 0]),
    results: program.results,
  };
}

/**
 * Runs a plan in a real arena, as unkindly as the contract allows: the arena and the outputs start as NaN, and a kernel
 * that may not run in place clears its outputs before it reads.
 *
 * @param buffers - externals first, then one for each output; changed in place
 */
export function interpretPlan(plan: PlanDescription, buffers: readonly Float64Array[]): void {
  const arena = new ArrayBuffer(plan.arenaBytes);
  new Float64Array(arena).fill(Number.NaN);
  const view = ({ storage, shape }: SlotDescription): Float64Array => {
    const s = plan.storages[storage]!;
    if (s.kind === 'external') return buffers[s.index]!.subarray(0, sizeOf(shape));
    if (sizeOf(shape) * 8 > s.bytes) throw new Error(`a slot of [${shape.join()}] in ${s.bytes} bytes`);
    return new Float64Array(arena, s.offset, sizeOf(shape));
  };
  for (const step of plan.steps) {
    const inputs = step.inputs.map((i) => plan.slots[i]!);
    const outputs = step.outputs.map((i) => plan.slots[i]!);
    const [reads, writes] = [inputs.map(view), outputs.map(view)];
    if (!step.kernel.startsWith('elementwise')) {
      for (const w of writes) w.fill(Number.NaN);
      KERNELS[step.kernel]!(Array.from(reads[0]!)).forEach((data, i) => writes[i]!.set(data));
      continue;
    }
    const program = step.attributes as unknown as ProgramLike;
    const shared = (step.attributes['shared'] as number | undefined) ?? 0;
    const reading = inputs.map((slot, i) => ({ slot, data: reads[i]! }));
    const writing = outputs.map((slot, i) => ({ slot, data: writes[i]! }));
    const groups = groupsOf(reading, writing, program.results.length, shared);
    for (const group of groups) {
      // Groups run at the same time: what one writes, no other reads.
      const others = [...reading.slice(0, shared), ...groups.filter((g) => g !== group).flatMap((g) => g.inputs)];
      for (const { data } of group.outputs) {
        if (others.some((other) => overlap(other.data, data))) throw new Error('a group reads what another one writes');
      }
      runGroup(program, group.inputs, group.outputs);
    }
  }
}

interface Operand {
  readonly slot: SlotDescription;
  readonly data: Float64Array;
}

function runGroup(program: ProgramLike, inputs: readonly Operand[], outputs: readonly Operand[]): void {
  const { shape } = outputs[0]!.slot;
  for (const { slot } of inputs) {
    const fits = broadcastShapes(slot.shape, shape);
    if (fits?.join() !== shape.join())
      throw new Error(`[${slot.shape.join()}] does not broadcast to [${shape.join()}]`);
  }
  for (let i = 0; i < sizeOf(shape); i++) {
    const given = inputs.map(({ slot, data }) => data[sourceIndex(i, shape, slot.shape)]!);
    runProgram(program, given).forEach((v, j) => (outputs[j]!.data[i] = v));
  }
}

function overlap(a: Float64Array, b: Float64Array): boolean {
  const [from, to] = [
    Math.max(a.byteOffset, b.byteOffset),
    Math.min(a.byteOffset + a.byteLength, b.byteOffset + b.byteLength),
  ];
  return a.buffer === b.buffer && from < to;
}
