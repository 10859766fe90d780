import { sameShape } from '../../tensor/shape.js';
import { kept, readersOf, type ElementwiseStep, type Graph, type Instruction, type IrValue, type Step } from '../ir.js';

/** Limits that keep a block of all registers in the first-level cache, and kernels' argument lists short. */
const MAX_INPUTS = 16;
const MAX_OUTPUTS = 8;
const MAX_INSTRUCTIONS = 48;

/**
 * Merges elementwise steps of one shape into programs that run block by block in cache. A step joins the steps that
 * made its inputs when they can all run where it stands: nobody else reads their outputs before that.
 */
export function fuseElementwise(graph: Graph): Graph {
  const readers = readersOf(graph);
  const keep = kept(graph);
  const place = graph.steps.map((_, i) => i); // where the group of a step runs: the index of its last member
  const group: (ElementwiseStep | undefined)[] = graph.steps.map((s) => (s.kind === 'elementwise' ? s : undefined));
  const owner = new Map<number, number>(); // value -> index under which the group that makes it is kept
  const steps: (Step | undefined)[] = [...graph.steps];

  graph.steps.forEach((step, index) => {
    if (step.kind !== 'elementwise') return;
    let merged = step;
    for (const input of new Set(step.inputs)) {
      const at = owner.get(input);
      if (at === undefined) continue;
      const producer = group[at]!;
      if (producer.program.compute !== merged.program.compute) continue;
      if (!sameShape(graph.values[producer.outputs[0]!]!.shape, graph.values[step.outputs[0]!]!.shape)) continue;
      if (!merged.inputs.every((i) => passesUnstored(producer, i, graph.values))) continue;
      const readLater = producer.outputs.every((o) => readers[o]!.every((r) => place[r] === at || place[r]! >= index));
      if (!readLater) continue;
      const joined = join(
        producer,
        merged,
        (o) => keep.has(o) || readers[o]!.some((r) => place[r] !== at && place[r] !== index),
      );
      if (!joined) continue;
      for (const output of producer.outputs) owner.delete(output);
      graph.steps.forEach((_, i) => {
        if (place[i] === at) place[i] = index;
      });
      steps[at] = undefined;
      group[at] = undefined;
      merged = joined;
    }
    group[index] = merged;
    steps[index] = merged;
    for (const output of merged.outputs) owner.set(output, index);
  });
  return { ...graph, steps: steps.filter((s) => s !== undefined) };
}

/** Opcodes whose result is 0 or 1, as bool keeps it. */
const TRUTHS = new Set('equal notEqual greater greaterEqual less lessEqual and or not isNaN isFinite'.split(' '));

/** Whether value `id`, if `producer` makes it, is in its register what a reader would load after it was stored. */
function passesUnstored(producer: ElementwiseStep, id: number, values: readonly IrValue[]): boolean {
  const at = producer.outputs.indexOf(id);
  if (at < 0) return true;
  const { compute, instructions, results } = producer.program;
  const opcode = instructions[results[at]! - producer.inputs.length]?.opcode ?? '';
  switch (values[id]!.dtype) {
    case 'float32':
    case 'float64':
    case 'bfloat16':
    case 'float16': // A register may hold more digits than would be stored; where a cast rounds, it is an instruction.
      return true;
    case 'int32':
      return compute === 'int32' || opcode === 'toInt';
    case 'bool':
      return TRUTHS.has(opcode);
    case 'uint8':
      return false;
  }
}

/**
 * One program that does first what `a` and then what `b` does. Outputs of `a` are stored only where `stored` says so.
 *
 * @returns undefined when the result would pass a limit
 */
export function join(
  a: ElementwiseStep,
  b: ElementwiseStep,
  stored: (value: number) => boolean,
): ElementwiseStep | undefined {
  const inputs = [...new Set([...a.inputs, ...b.inputs.filter((i) => !a.outputs.includes(i))])];
  const keptOutputs = a.outputs.flatMap((o, i) => (stored(o) ? [{ value: o, register: a.program.results[i]! }] : []));
  const outputs = [...keptOutputs.map((k) => k.value), ...b.outputs];
  const count = a.program.instructions.length + b.program.instructions.length;
  if (inputs.length > MAX_INPUTS || outputs.length > MAX_OUTPUTS || count > MAX_INSTRUCTIONS) return undefined;

  const shiftA = (r: number): number =>
    r < a.inputs.length ? inputs.indexOf(a.inputs[r]!) : r - a.inputs.length + inputs.length;
  const firstOfB = inputs.length + a.program.instructions.length;
  const moveB = (r: number): number => {
    if (r >= b.inputs.length) return r - b.inputs.length + firstOfB;
    const value = b.inputs[r]!;
    const fromA = a.outputs.indexOf(value);
    return fromA >= 0 ? shiftA(a.program.results[fromA]!) : inputs.indexOf(value);
  };
  const move = (list: readonly Instruction[], to: (r: number) => number): Instruction[] =>
    list.map((i) => ({ ...i, args: i.args.map(to) }));
  return {
    kind: 'elementwise',
    inputs,
    outputs,
    op: b.op,
    layer: b.layer || a.layer,
    program: {
      compute: a.program.compute,
      instructions: [...move(a.program.instructions, shiftA), ...move(b.program.instructions, moveB)],
      results: [...keptOutputs.map((k) => shiftA(k.register)), ...b.program.results.map(moveB)],
    },
  };
}
