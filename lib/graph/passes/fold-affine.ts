import { sameShape } from '../../tensor/shape.js';
import { kept, readersOf, type ElementwiseStep, type Graph, type IrValue, type KernelStep, type Step } from '../ir.js';
import { steadyValues } from '../steady.js';

/** What a chain of per-channel operations does to a convolution's output: y * scale + shift. */
interface Affine {
  scale: number | undefined;
  shift: number | undefined;
}

/**
 * Moves what follows a convolution channel by channel (batch normalization in inference, scales, biases) into its
 * kernel and bias, where all of these are steady: `conv(x, w) * s + t` becomes `conv(x, w * s, t)`, and the new weights
 * are computed only when the old ones change. See {@link splitSteady}.
 */
export function foldAffine(graph: Graph): Graph {
  if (!graph.steady?.length) return graph;
  const steady = steadyValues(graph);
  const readers = readersOf(graph);
  const keep = kept(graph);
  const values: IrValue[] = [...graph.values];
  const replaced = new Map<number, readonly Step[]>();

  graph.steps.forEach((step, index) => {
    if (step.kind !== 'kernel' || step.kernel !== 'conv2d' || step.attributes['activation'] !== 'linear') return;
    if (!step.inputs.slice(1).every((i) => steady.has(i))) return;
    const chain: number[] = [];
    let y = step.outputs[0]!;
    for (;;) {
      const at = readers[y]!.length === 1 && !keep.has(y) ? readers[y]![0]! : -1;
      const next = graph.steps[at];
      if (!next || vectorOf(next, y, graph, steady) === undefined) break;
      chain.push(at);
      y = next.outputs[0]!;
    }
    if (chain.length === 0) return;
    const steps = chain.map((at) => graph.steps[at] as ElementwiseStep);
    const last = chain.pop()!;
    replaced.set(index, []);
    for (const at of chain) replaced.set(at, []);
    replaced.set(last, fold(step, steps, graph, values));
  });
  const steps = graph.steps.flatMap((step, i) => replaced.get(i) ?? [step]);
  return { ...graph, values, steps };
}

/** The steady vector that `step` adds to, subtracts from or multiplies with each row of `y`, if it does that alone. */
function vectorOf(step: Step, y: number, graph: Graph, steady: ReadonlySet<number>): number | undefined {
  if (step.kind !== 'elementwise' || step.program.instructions.length !== 1 || step.inputs.length !== 2)
    return undefined;
  const { opcode, args } = step.program.instructions[0]!;
  const [left, right] = [step.inputs[args[0]!]!, step.inputs[args[1]!]!];
  const flips = opcode === 'add' || opcode === 'mul';
  if (!flips && opcode !== 'sub') return undefined;
  if (left !== y && !(flips && right === y)) return undefined;
  const vector = left === y ? right : left;
  const [from, to] = [graph.values[y]!, graph.values[step.outputs[0]!]!];
  const { shape, dtype } = graph.values[vector]!;
  const fits = shape.length === 1 && shape[0] === from.shape.at(-1) && dtype === from.dtype && dtype === to.dtype;
  return fits && steady.has(vector) && sameShape(from.shape, to.shape) ? vector : undefined;
}

/** The steps that make the new weights, and the convolution with them. */
function fold(conv: KernelStep, chain: readonly ElementwiseStep[], graph: Graph, values: IrValue[]): Step[] {
  const steps: Step[] = [];
  const apply = (opcode: string, a: number, b: number): number => {
    const { shape, dtype } = values[a]!;
    const output = values.push({ shape, dtype, kind: 'computed' }) - 1;
    const instructions = [{ opcode, args: [0, 1], params: [0, 0] }];
    const program = { compute: 'float' as const, instructions, results: [2] };
    const { op, layer } = conv;
    steps.push({ kind: 'elementwise', inputs: [a, b], outputs: [output], op, layer, program });
    return output;
  };
  const negated = (a: number): number => {
    const { shape, dtype } = values[a]!;
    const output = values.push({ shape, dtype, kind: 'computed' }) - 1;
    const instructions = [{ opcode: 'neg', args: [0], params: [0, 0] }];
    const program = { compute: 'float' as const, instructions, results: [1] };
    steps.push({ kind: 'elementwise', inputs: [a], outputs: [output], op: conv.op, layer: conv.layer, program });
    return output;
  };
  const affine: Affine = { scale: undefined, shift: conv.inputs[2] };
  let y = conv.outputs[0]!;
  for (const step of chain) {
    const { opcode } = step.program.instructions[0]!;
    const vector = step.inputs.find((i) => i !== y)!;
    if (opcode === 'mul') {
      affine.scale = affine.scale === undefined ? vector : apply('mul', affine.scale, vector);
      if (affine.shift !== undefined) affine.shift = apply('mul', affine.shift, vector);
    } else if (affine.shift === undefined) {
      affine.shift = opcode === 'sub' ? negated(vector) : vector;
    } else {
      affine.shift = apply(opcode, affine.shift, vector);
    }
    y = step.outputs[0]!;
  }
  const [x, w] = conv.inputs as [number, number];
  const kernel = affine.scale === undefined ? w : apply('mul', w, affine.scale);
  const inputs = affine.shift === undefined ? [x, kernel] : [x, kernel, affine.shift];
  const layer = conv.layer || chain.at(-1)!.layer;
  return [...steps, { ...conv, inputs, outputs: [y], layer }];
}
