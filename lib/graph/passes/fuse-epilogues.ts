import { sameShape } from '../../tensor/shape.js';
import { kept, producersOf, readersOf, type ElementwiseStep, type Graph, type KernelStep, type Step } from '../ir.js';

const ACTIVATED = new Set(['conv2d', 'matmul', 'batchNorm']);

/**
 * Lets kernels do what directly follows them: conv2d and matmul add a bias and apply relu, conv2d adds a residual in
 * between, batchNorm applies relu, and the gradient of the bias comes out of conv2dBackwardKernel.
 */
export function fuseEpilogues(graph: Graph): Graph {
  return fuseBiasGradients(fuseBatchNormRelu(fuseActivations(fuseResiduals(fuseBias(graph)))));
}

/** The single instruction of an elementwise step, if it is that opcode. */
function isSingle(step: Step | undefined, opcode: string): step is ElementwiseStep {
  return (
    step?.kind === 'elementwise' &&
    step.program.instructions.length === 1 &&
    step.program.instructions[0]!.opcode === opcode
  );
}

/** The step that alone reads `id`, if `id` is not kept. */
function onlyReader(graph: Graph, readers: number[][], keep: Set<number>, id: number): number {
  return readers[id]!.length === 1 && !keep.has(id) ? readers[id]![0]! : -1;
}

function rewrite(graph: Graph, change: Map<number, Step | undefined>): Graph {
  const steps: Step[] = [];
  graph.steps.forEach((step, i) => {
    const next = change.has(i) ? change.get(i) : step;
    if (next) steps.push(next);
  });
  return { ...graph, steps };
}

function fuseBias(graph: Graph): Graph {
  const readers = readersOf(graph);
  const producers = producersOf(graph);
  const keep = kept(graph);
  const change = new Map<number, Step | undefined>();
  graph.steps.forEach((step, index) => {
    if (step.kind !== 'kernel' || (step.kernel !== 'conv2d' && step.kernel !== 'matmul') || step.inputs.length !== 2)
      return;
    const y = step.outputs[0]!;
    const at = onlyReader(graph, readers, keep, y);
    const add = graph.steps[at];
    if (!isSingle(add, 'add') || add.inputs.length !== 2) return;
    const bias = add.inputs[0] === y ? add.inputs[1]! : add.inputs[0]!;
    const shape = graph.values[bias]!.shape;
    const out = graph.values[y]!;
    const fits = shape.length === 1 && shape[0] === out.shape.at(-1) && graph.values[bias]!.dtype === out.dtype;
    const sameOutput = graph.values[add.outputs[0]!]!.shape.length === out.shape.length;
    if (!fits || !sameOutput || bias === y || producers[bias]! >= index) return;
    change.set(index, { ...step, inputs: [...step.inputs, bias], outputs: add.outputs });
    change.set(at, undefined);
  });
  return rewrite(graph, change);
}

/**
 * A convolution adds to its result the value that only an `add` joins with it, where that value is there before the
 * convolution runs: of two convolutions that meet (a block and its projection), the later one adds the other's result.
 */
function fuseResiduals(graph: Graph): Graph {
  const readers = readersOf(graph);
  const producers = producersOf(graph);
  const keep = kept(graph);
  const change = new Map<number, Step | undefined>();
  /** Whether the sum would be made within the one elementwise step that reads it, without being stored. */
  const joinsReader = (sum: number): boolean => {
    const at = onlyReader(graph, readers, keep, sum);
    const reader = graph.steps[at];
    return reader?.kind === 'elementwise' && !isSingle(reader, 'relu') && !change.has(at);
  };
  // From the end on: then it is known whether a sum is read by a step that stays.
  for (let index = graph.steps.length - 1; index >= 0; index--) {
    const step = graph.steps[index]!;
    if (step.kind !== 'kernel' || step.kernel !== 'conv2d' || step.attributes['activation'] !== 'linear') continue;
    const y = step.outputs[0]!;
    const at = onlyReader(graph, readers, keep, y);
    const add = graph.steps[at];
    if (!isSingle(add, 'add') || add.inputs.length !== 2) continue;
    const residual = add.inputs[0] === y ? add.inputs[1]! : add.inputs[0]!;
    const sum = add.outputs[0]!;
    const alike = [residual, sum].every((id) => isLike(graph, id, y)) && graph.values[residual]!.kind !== 'scalar';
    if (!alike || producers[residual]! >= index || joinsReader(sum)) continue;
    change.set(index, {
      ...step,
      inputs: [...step.inputs, residual],
      outputs: add.outputs,
      attributes: { ...step.attributes, residual: true },
    });
    change.set(at, undefined);
  }
  return rewrite(graph, change);
}

/** Whether two values have one shape and type. */
function isLike(graph: Graph, a: number, b: number): boolean {
  const [x, y] = [graph.values[a]!, graph.values[b]!];
  return x.dtype === y.dtype && sameShape(x.shape, y.shape);
}

function fuseActivations(graph: Graph): Graph {
  const readers = readersOf(graph);
  const keep = kept(graph);
  const change = new Map<number, Step | undefined>();
  graph.steps.forEach((step, index) => {
    if (step.kind !== 'kernel' || !ACTIVATED.has(step.kernel) || step.attributes['activation'] !== 'linear') return;
    const at = onlyReader(graph, readers, keep, step.outputs[0]!);
    const relu = graph.steps[at];
    if (!isSingle(relu, 'relu')) return;
    const outputs = [relu.outputs[0]!, ...step.outputs.slice(1)];
    change.set(index, { ...step, outputs, attributes: { ...step.attributes, activation: 'relu' } });
    change.set(at, undefined);
  });
  return rewrite(graph, change);
}

/** batchNormBackward masks by its sixth input itself when its dy is reluGrad of that input and nobody else needs it. */
function fuseBatchNormRelu(graph: Graph): Graph {
  const readers = readersOf(graph);
  const producers = producersOf(graph);
  const keep = kept(graph);
  const change = new Map<number, Step | undefined>();
  graph.steps.forEach((step, index) => {
    if (step.kind !== 'kernel' || step.kernel !== 'batchNormBackward' || step.inputs.length !== 5) return;
    const dz = step.inputs[4]!;
    const made = graph.steps[producers[dz]!];
    if (!isSingle(made, 'reluGrad') || onlyReader(graph, readers, keep, dz) !== index) return;
    const [y, dy] = made.inputs;
    if (graph.values[dy!]!.shape.length !== graph.values[dz]!.shape.length || made.inputs.length !== 2) return;
    if (graph.values[dy!]!.shape.some((d, i) => d !== graph.values[dz]!.shape[i])) return;
    change.set(index, { ...step, inputs: [...step.inputs.slice(0, 4), dy!, y!] });
    change.set(producers[dz]!, undefined);
  });
  return rewrite(graph, change);
}

function fuseBiasGradients(graph: Graph): Graph {
  const readers = readersOf(graph);
  const change = new Map<number, Step | undefined>();
  graph.steps.forEach((step, index) => {
    if (step.kind !== 'kernel' || step.kernel !== 'reduce' || step.attributes['mode'] !== 'sum') return;
    const dz = step.inputs[0]!;
    const sum = step.outputs[0]!;
    const axes = step.attributes['axes'] as readonly number[];
    if (graph.values[dz]!.shape.length !== 4 || graph.values[sum]!.shape.length !== 1 || axes.join() !== '0,1,2')
      return;
    const at = readers[dz]!.find((r) => isKernelGradient(graph.steps[r]!, dz) && !change.has(r));
    if (at === undefined || readers[sum]!.some((r) => r <= at)) return;
    const conv = graph.steps[at] as KernelStep;
    change.set(at, { ...conv, outputs: [...conv.outputs, sum] });
    change.set(index, undefined);
  });
  return rewrite(graph, change);
}

function isKernelGradient(step: Step, dz: number): boolean {
  return (
    step.kind === 'kernel' &&
    step.kernel === 'conv2dBackwardKernel' &&
    step.inputs[1] === dz &&
    step.outputs.length === 1
  );
}
