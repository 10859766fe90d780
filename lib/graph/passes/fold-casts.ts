import {
  kept,
  producersOf,
  readersOf,
  type ElementwiseStep,
  type Graph,
  type IrValue,
  type KernelStep,
  type Step,
} from '../ir.js';

/** Kernels that add up in float32 and may store the sums so, though their operands are bfloat16. */
const WIDE_RESULTS = new Set(['conv2dBackwardKernel', 'matmul', 'reduce']);

/**
 * Operands that a bfloat16 kernel takes in float32 too, by index: weights and biases, which it packs anyway. A residual
 * is none of them.
 */
const WIDE_OPERANDS: Readonly<Record<string, readonly number[]>> = {
  conv2d: [1, 2],
  conv2dBackwardInput: [1],
  matmul: [2],
};

/**
 * Takes away casts between bfloat16 and float32 that kernels do on the way: gradients of weights are stored in float32
 * by the kernel that sums them, weights are narrowed while they are packed. Casts there and back that change nothing
 * vanish. Runs before epilogues are fused; {@link takeWideOperands} after them, when biases are operands.
 */
export function foldCasts(graph: Graph): Graph {
  return storeWideResults(cancelCasts(graph));
}

/** A step that is a cast alone, from and to the given types. */
function isCast(step: Step | undefined, values: readonly IrValue[], from: string, to: string): step is ElementwiseStep {
  if (step?.kind !== 'elementwise' || step.program.instructions.length !== 1 || step.inputs.length !== 1) return false;
  const { opcode } = step.program.instructions[0]!;
  if (opcode !== 'identity' && opcode !== 'toBfloat16') return false;
  return values[step.inputs[0]!]!.dtype === from && values[step.outputs[0]!]!.dtype === to;
}

/** The graph with values replaced by others, without the steps that made them. */
function replaced(graph: Graph, same: ReadonlyMap<number, number>): Graph {
  const fix = (id: number): number => same.get(id) ?? id;
  return {
    ...graph,
    steps: graph.steps
      .filter((step) => !step.outputs.some((o) => same.has(o)))
      .map((step) => (step.inputs.some((i) => same.has(i)) ? { ...step, inputs: step.inputs.map(fix) } : step)),
    outputs: graph.outputs.map(fix),
    updates: graph.updates.map((u) => ({ target: u.target, value: fix(u.value) })),
  };
}

/** bfloat16 widened and narrowed again is what it was. */
function cancelCasts(graph: Graph): Graph {
  const producers = producersOf(graph);
  const same = new Map<number, number>();
  for (const step of graph.steps) {
    if (!isCast(step, graph.values, 'float32', 'bfloat16')) continue;
    const widening = graph.steps[producers[step.inputs[0]!]!];
    if (!isCast(widening, graph.values, 'bfloat16', 'float32')) continue;
    const source = widening.inputs[0]!;
    same.set(step.outputs[0]!, same.get(source) ?? source);
  }
  return replaced(graph, same);
}

/** A result that is only widened, perhaps under another shape, is stored wide at once. */
function storeWideResults(graph: Graph): Graph {
  const readers = readersOf(graph);
  const keep = kept(graph);
  const values = [...graph.values];
  const same = new Map<number, number>();
  for (const step of graph.steps) {
    if (step.kind !== 'kernel' || !WIDE_RESULTS.has(step.kernel)) continue;
    const chain = [step.outputs[0]!];
    for (;;) {
      const last = chain.at(-1)!;
      const reader = readers[last]!.length === 1 && !keep.has(last) ? graph.steps[readers[last]![0]!] : undefined;
      if (reader?.kind === 'alias') {
        chain.push(reader.outputs[0]!);
        continue;
      }
      if (isCast(reader, graph.values, 'bfloat16', 'float32')) {
        for (const id of chain) values[id] = { ...values[id]!, dtype: 'float32' };
        same.set(reader.outputs[0]!, last);
      }
      break;
    }
  }
  return replaced({ ...graph, values }, same);
}

/** Weights that are narrowed for a kernel that does so itself are handed over as they are. */
export function takeWideOperands(graph: Graph): Graph {
  const producers = producersOf(graph);
  const steps = graph.steps.map((step): Step => {
    const wide = step.kind === 'kernel' ? WIDE_OPERANDS[step.kernel] : undefined;
    if (!wide || graph.values[step.inputs[0]!]!.dtype !== 'bfloat16') return step;
    const residual = step.kind === 'kernel' && step.attributes['residual'] === true ? step.inputs.length - 1 : -1;
    const inputs = step.inputs.map((id, i) => {
      const cast = graph.steps[producers[id]!];
      return wide.includes(i) && i !== residual && isCast(cast, graph.values, 'float32', 'bfloat16')
        ? cast.inputs[0]!
        : id;
    });
    return { ...(step as KernelStep), inputs };
  });
  return { ...graph, steps };
}
