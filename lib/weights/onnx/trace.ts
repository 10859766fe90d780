import { backendOf, currentDevice } from '../../backends/registry.js';
import { FoveaError, mismatch } from '../../errors.js';
import { buildGraph } from '../../graph/build.js';
import type { Graph, Step } from '../../graph/ir.js';
import type { Value } from '../../graph/node.js';
import { commonSubexpressions } from '../../graph/passes/common-subexpressions.js';
import { deadCode } from '../../graph/passes/dead-code.js';
import { foldAffine } from '../../graph/passes/fold-affine.js';
import { fuseEpilogues } from '../../graph/passes/fuse-epilogues.js';
import { inlineScalars } from '../../graph/passes/inline-scalars.js';
import { planFor } from '../../graph/plan-cache.js';
import { splitSteady, steadyValues } from '../../graph/steady.js';
import { Trace, withTrace } from '../../graph/trace.js';
import { flattenTree } from '../../graph/tree.js';
import type { SymbolicTensor } from '../../layers/symbolic.js';
import type { TypedArray } from '../../tensor/dtype.js';
import { formatShape, sizeOf } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorOf } from '../../tensor/tensor.js';
import type { Model } from '../../training/model.js';

/** A constant of the graph: a weight, or what follows from weights alone. */
export interface Constant {
  /** For the reader of the file: the weight's name. */
  readonly name: string;
  readonly data: TypedArray;
}

/** An inference as a graph, with everything that follows from weights alone worked out. */
export interface Inference {
  readonly graph: Graph;
  /** By value. */
  readonly constants: ReadonlyMap<number, Constant>;
  readonly inputs: readonly number[];
}

/** The passes of a prediction that ONNX has words for: batch normalization goes into the convolution before it. */
function simplify(graph: Graph): Graph {
  return deadCode(foldAffine(deadCode(commonSubexpressions(inlineScalars(graph)))));
}

/** ONNX's operators repeat operands by themselves: what is repeated beforehand here (and so depends on the batch) need not be. */
function dropBroadcasts(graph: Graph): Graph {
  const steady = steadyValues(graph);
  const source = new Map<number, number>();
  for (const step of graph.steps) {
    if (step.kind !== 'elementwise' || step.op !== 'broadcastTo' || step.inputs.length !== 1) continue;
    const [from, to] = [step.inputs[0]!, step.outputs[0]!];
    source.set(to, source.get(from) ?? from);
  }
  const repeats = (step: Step): boolean =>
    step.kind === 'elementwise' || (step.kind === 'kernel' && step.kernel === 'matmul');
  const steps = graph.steps.map((step) =>
    repeats(step) && !step.outputs.some((id) => steady.has(id))
      ? { ...step, inputs: step.inputs.map((id) => source.get(id) ?? id) }
      : step,
  );
  return deadCode({ ...graph, steps });
}

/**
 * Traces a model in inference mode on placeholders; nothing but what follows from weights is computed.
 *
 * @param shapes - of the inputs, with the batch
 */
export function traceInference(
  model: Model,
  inputs: readonly SymbolicTensor[],
  shapes: readonly (readonly number[])[],
): {
  readonly inference: () => Promise<Inference>;
  /** The graph alone, for its shapes. */
  readonly graph: Graph;
} {
  const device = model.weights[0]?.device ?? currentDevice();
  const trace = new Trace('exportOnnx', device);
  const placeholders = shapes.map((shape, i) => trace.placeholder({ shape, dtype: inputs[i]!.dtype }));
  const tensors = placeholders.map((node) => tensorOf(node));
  const result = withTrace(trace, () =>
    model.apply<Tensor>((tensors.length === 1 ? tensors[0] : tensors) as Tensor, { training: false }),
  );
  const outputs = flattenTree(result).leaves.map((leaf) => (leaf as Tensor).value('exportOnnx'));
  const variables = [...trace.variables];
  const first: Value[] = [...placeholders, ...variables.map(([, node]) => node)].map((node) => ({ node, index: 0 }));
  const built = buildGraph({ outputs, updates: [] }, first);
  const steady = built.graph.externals.slice(placeholders.length);
  const simple = dropBroadcasts(simplify({ ...built.graph, steady }));
  const split = splitSteady(simple);
  const graph = deadCode(fuseEpilogues(split ? split.main : simple));

  const inference = async (): Promise<Inference> => {
    const constants = new Map<number, Constant>();
    const buffers = new Map(
      built.graph.externals.slice(placeholders.length).map((id, i) => {
        const { node, index } = built.externals[placeholders.length + i]!;
        const variable = variables[i]?.[0];
        const buffer = variable ? variable.storage().storage.buffer : node.storages[index]!.buffer;
        return [id, { name: variable?.name ?? `constant_${id}`, buffer }] as const;
      }),
    );
    const used = new Set([...graph.steps.flatMap((step) => step.inputs), ...graph.outputs]);
    for (const [id, { name, buffer }] of buffers) {
      if (used.has(id)) constants.set(id, { name, data: await buffer.read() });
    }
    if (split) await compute(split.setup, device, buffers, constants);
    return { graph, constants, inputs: built.graph.externals.slice(0, placeholders.length) };
  };
  return { inference, graph };
}

type Sources = ReadonlyMap<number, { readonly buffer: ReturnType<ReturnType<typeof backendOf>['createBuffer']> }>;

/** Runs the part of a graph that follows from weights alone. */
async function compute(
  setup: Graph,
  device: string,
  sources: Sources,
  constants: Map<number, Constant>,
): Promise<void> {
  const backend = backendOf(device);
  const made = setup.outputs.map((id) => {
    const { dtype, shape } = setup.values[id]!;
    return backend.createBuffer(dtype, sizeOf(shape));
  });
  try {
    const given = setup.externals.map((id) => sources.get(id)!.buffer);
    await planFor(device, setup).run([...given, ...made], given.length);
    for (const [i, id] of setup.outputs.entries()) {
      const layer = setup.steps.find((step) => step.outputs.includes(id))?.layer ?? '';
      constants.set(id, { name: `${layer || 'constant'}/folded_${id}`, data: await made[i]!.read() });
    }
  } finally {
    for (const buffer of made) buffer.dispose();
  }
}

/**
 * The shapes of a model's inputs without the batch.
 *
 * @throws FoveaError when a size is not known
 */
export function inputShapes(
  model: Model,
  given: readonly number[] | readonly (readonly number[])[] | undefined,
): readonly (readonly number[])[] {
  if (model.inputs.length === 0) {
    throw new FoveaError(
      `exportOnnx "${model.name}": expected a model made from inputs and outputs, or a built Sequential`,
      {
        op: 'exportOnnx',
        layer: model.name,
      },
    );
  }
  const list = given === undefined || given.length === 0 ? undefined : typeof given[0] === 'number' ? [given] : given;
  return model.inputs.map(({ shape }, i) => {
    const chosen = (list?.[i] ?? shape.slice(1)) as readonly (number | null)[];
    const own = shape.slice(1);
    const fits = chosen.length === own.length && chosen.every((d, axis) => own[axis] === null || own[axis] === d);
    if (!fits || chosen.includes(null)) {
      throw mismatch(
        'ERR_SHAPE',
        { op: 'exportOnnx', layer: model.name },
        `an inputShape of known sizes for ${formatShape(own as readonly number[])}`,
        formatShape(chosen as readonly number[]),
      );
    }
    return chosen as readonly number[];
  });
}
