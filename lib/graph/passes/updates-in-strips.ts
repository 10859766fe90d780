import { bytesPerElement } from '../../tensor/dtype.js';
import { sizeOf } from '../../tensor/shape.js';
import { kept, producersOf, readersOf, type ElementwiseStep, type Graph, type KernelStep, type Step } from '../ir.js';
import { STRIP_BYTES } from '../strip-bytes.js';

/**
 * Computes and applies the gradients of large dense kernels in strips of rows. Such a gradient is as large as the kernel
 * (411 MB in VGG-16's first dense layer), and it is there when all activations still are. The product then runs where its
 * update does, which comes behind everything that could fail and behind the readers of the old value; its operands, a
 * row for each image, live until then.
 */
export function updatesInStrips(graph: Graph): Graph {
  const producers = producersOf(graph);
  const readers = readersOf(graph);
  const needed = kept(graph);
  const replaced = new Map<Step, Step | undefined>();
  for (const step of graph.steps) {
    if (step.kind !== 'elementwise') continue;
    const value = step.inputs.find((id) => {
      const maker = graph.steps[producers[id]!];
      return maker && isLargeGradient(graph, maker) && readers[id]!.length === 1 && !needed.has(id);
    });
    if (value === undefined || !canStrip(graph, step, value)) continue;
    const gradient = graph.steps[producers[value]!] as KernelStep;
    const inputs = [...gradient.inputs, ...step.inputs.filter((id) => id !== value)];
    const { outputs, op, layer } = step;
    replaced.set(gradient, undefined);
    replaced.set(step, { kind: 'updateInStrips', gradient, update: step, inputs, outputs, op, layer });
  }
  if (replaced.size === 0) return graph;
  return { ...graph, steps: graph.steps.flatMap((step) => (replaced.has(step) ? (replaced.get(step) ?? []) : [step])) };
}

/** A product xᵀ · dy of several strips, without a bias, whose operands are small beside it. */
function isLargeGradient({ values }: Graph, step: Step): step is KernelStep {
  if (step.kind !== 'kernel' || step.kernel !== 'matmul' || step.inputs.length !== 2) return false;
  const { transposeA, activation } = step.attributes;
  const bytes = (id: number): number => sizeOf(values[id]!.shape) * bytesPerElement(values[id]!.dtype);
  const result = bytes(step.outputs[0]!);
  const operands = step.inputs.reduce((sum, id) => sum + bytes(id), 0);
  const plain = transposeA === true && activation === 'linear' && values[step.outputs[0]!]!.shape.length === 2;
  return plain && result > 2 * STRIP_BYTES && operands < result / 4;
}

/** Whether an update can take rows of its gradient: all else it reads is variables of the same shape, or one row at most. */
function canStrip({ values, updates }: Graph, update: ElementwiseStep, gradient: number): boolean {
  const { shape } = values[gradient]!;
  const targets = new Set(updates.map((u) => u.value));
  const alike = (id: number): boolean => String(values[id]!.shape) === String(shape);
  return (
    update.outputs.every((id) => targets.has(id) && alike(id)) &&
    update.inputs.every(
      (id) => id === gradient || values[id]!.shape.length < 2 || (values[id]!.kind === 'external' && alike(id)),
    )
  );
}
