import { isNarrow, type NarrowDType } from '../../tensor/dtype.js';
import { kept, producersOf, readersOf, type Graph, type IrValue, type KernelStep, type Step } from '../ir.js';

/** Kernels that add up in float32 and may store the sums so, though their operands are narrower. */
const WIDE_RESULTS = new Set(['conv2dBackwardKernel', 'matmul', 'reduce']);

/**
 * Operands that a kernel of a 16-bit type takes in float32 too, by index: weights and biases, which it packs anyway. A
 * residual is none of them.
 */
const WIDE_OPERANDS: Readonly<Record<string, readonly number[]>> = {
  conv2d: [1, 2],
  conv2dBackwardInput: [1],
  matmul: [2],
};

/**
 * Takes away casts between 16-bit types and float32 that kernels do on the way: gradients of weights are stored in float32
 * by the kernel that sums them, weights are narrowed while they are packed. Casts there and back that change nothing
 * vanish. Runs before epilogues are fused; {@link takeWideOperands} after them, when biases are operands.
 */
export function foldCasts(graph: Graph): Graph {
  return storeWideResults(cancelCasts(graph));
}

/** The instruction that rounds to a 16-bit type; all others are widened by loading them. */
const ROUNDING: Readonly<Record<string, NarrowDType>> = { toBfloat16: 'bfloat16', toFloat16: 'float16' };

/** What a step that is nothing but a cast between float32 and a 16-bit type casts from and to. */
interface CastTypes {
  readonly narrow: NarrowDType;
  readonly widens: boolean;
}

function castOf(step: Step | undefined, values: readonly IrValue[]): CastTypes | undefined {
  if (step?.kind !== 'elementwise' || step.program.instructions.length !== 1 || step.inputs.length !== 1)
    return undefined;
  const { opcode } = step.program.instructions[0]!;
  const [from, to] = [values[step.inputs[0]!]!.dtype, values[step.outputs[0]!]!.dtype];
  if (opcode === 'identity' && isNarrow(from) && to === 'float32') return { narrow: from, widens: true };
  const rounded = opcode === 'identity' && isNarrow(to) ? to : ROUNDING[opcode];
  return from === 'float32' && rounded !== undefined && rounded === to ? { narrow: rounded, widens: false } : undefined;
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

/** A 16-bit number widened and narrowed again to its type is what it was. */
function cancelCasts(graph: Graph): Graph {
  const producers = producersOf(graph);
  const same = new Map<number, number>();
  for (const step of graph.steps) {
    const narrowing = castOf(step, graph.values);
    if (!narrowing || narrowing.widens) continue;
    const before = graph.steps[producers[step.inputs[0]!]!];
    const widening = castOf(before, graph.values);
    if (!widening?.widens || widening.narrow !== narrowing.narrow) continue;
    const source = before!.inputs[0]!;
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
      if (castOf(reader, graph.values)?.widens) {
        for (const id of chain) values[id] = { ...values[id]!, dtype: 'float32' };
        same.set(reader!.outputs[0]!, last);
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
    const dtype = wide && graph.values[step.inputs[0]!]!.dtype;
    if (dtype === undefined || !isNarrow(dtype)) return step;
    const residual = step.kind === 'kernel' && step.attributes['residual'] === true ? step.inputs.length - 1 : -1;
    const inputs = step.inputs.map((id, i) => {
      const before = graph.steps[producers[id]!];
      const cast = wide!.includes(i) && i !== residual ? castOf(before, graph.values) : undefined;
      return cast && !cast.widens && cast.narrow === dtype ? before!.inputs[0]! : id;
    });
    return { ...(step as KernelStep), inputs };
  });
  return { ...graph, steps };
}
