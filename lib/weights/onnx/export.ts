import { FoveaError, mismatch } from '../../errors.js';
import type { Graph, Step } from '../../graph/ir.js';
import { sizeOf } from '../../tensor/shape.js';
import type { Model } from '../../training/model.js';
import { writeFileAtomic } from '../../util/atomic-file.js';
import { OnnxBuilder, type OpenShape } from './builder.js';
import { ElementwiseWriter, isExportable } from './elementwise.js';
import { unsupported, writeKernel } from './kernels.js';
import { encodeModel, type OnnxGraph, type OnnxPort } from './schema.js';
import { inputShapes, traceInference, type Inference } from './trace.js';

/** Options of {@link exportOnnx}. */
export interface OnnxOptions {
  /** The number of images the model takes at once; any number unless told. */
  readonly batch?: 'dynamic' | number | undefined;
  /** The set of operators, 13 to 21. 17 unless told. */
  readonly opset?: number | undefined;
  /** Shape of the input without the batch (a list of them for several inputs), where the model leaves sizes open. */
  readonly inputShape?: readonly number[] | readonly (readonly number[])[] | undefined;
}

const [LEAST_OPSET, MOST_OPSET] = [13, 21];
/** Protocol buffers end at 2 GiB. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * Writes a model as an ONNX file, for inference: inputs and outputs as here (images NHWC), convolutions in ONNX's layout
 * with as few transpositions as possible, batch normalization folded into convolutions, dropout gone.
 *
 * @param model - with weights
 * @param file - is replaced atomically
 * @throws FoveaError ERR_UNSUPPORTED that names the layer that ONNX has no words for, or when the file would be larger
 *   than 2 GiB; ERR_SHAPE where a size is not known; ERR_ARGUMENT
 */
export async function exportOnnx(model: Model, file: string, options: OnnxOptions = {}): Promise<void> {
  const { batch = 'dynamic', opset = 17 } = options;
  const where = { op: 'exportOnnx', layer: model.name };
  if (!Number.isInteger(opset) || opset < LEAST_OPSET || opset > MOST_OPSET) {
    throw mismatch('ERR_ARGUMENT', where, `an opset from ${LEAST_OPSET} to ${MOST_OPSET}`, String(opset));
  }
  if (batch !== 'dynamic' && !(Number.isSafeInteger(batch) && batch >= 1)) {
    throw mismatch('ERR_ARGUMENT', where, `batch to be 'dynamic' or a whole number of at least 1`, String(batch));
  }
  const graph = await onnxGraph(model, batch, opset, options.inputShape);
  const bytes = graph.initializers.reduce((sum, { data }) => sum + data.byteLength, 0);
  const message = bytes > MAX_BYTES ? undefined : encodeModel(graph, opset);
  if (!message || message.bytes > MAX_BYTES) {
    throw new FoveaError(`exportOnnx "${model.name}": expected at most 2 GiB, received ${bytes} bytes of weights`, {
      ...{ code: 'ERR_UNSUPPORTED', ...where, received: bytes },
    });
  }
  await writeFileAtomic(file, joined(message.pieces));
}

/** Small pieces together, so that a file is not written byte by byte. */
function* joined(pieces: readonly Uint8Array[]): Generator<Uint8Array> {
  let small: Uint8Array[] = [];
  for (const piece of pieces) {
    if (piece.length < 65_536) small.push(piece);
    else {
      yield Buffer.concat(small);
      small = [];
      yield piece;
    }
  }
  yield Buffer.concat(small);
}

/** Batches that tell, compared, which sizes depend on the batch. */
const PROBES = [2, 3] as const;

async function onnxGraph(
  model: Model,
  batch: 'dynamic' | number,
  opset: number,
  inputShape: OnnxOptions['inputShape'],
): Promise<OnnxGraph> {
  const shapes = inputShapes(model, inputShape);
  const traced = (n: number): ReturnType<typeof traceInference> =>
    traceInference(
      model,
      model.inputs,
      shapes.map((shape) => [n, ...shape]),
    );
  const one = traced(batch === 'dynamic' ? PROBES[0] : batch);
  const open =
    batch === 'dynamic' ? openShapes(model, one.graph, traced(PROBES[1]).graph) : one.graph.values.map((v) => v.shape);
  return await convert(model, await one.inference(), open, opset);
}

/** Shapes with `null` where two traces with other batches differ. */
function openShapes(model: Model, a: Graph, b: Graph): OpenShape[] {
  const fail = (what: string): FoveaError =>
    new FoveaError(`exportOnnx "${model.name}": ${what}; export it with a number as batch`, {
      ...{ code: 'ERR_UNSUPPORTED', op: 'exportOnnx', layer: model.name },
    });
  if (a.steps.length !== b.steps.length) throw fail('what it computes depends on the batch');
  const shapes: OpenShape[] = a.values.map(({ shape }) => shape);
  const pair = (x: number, y: number): void => {
    const [from, to] = [a.values[x]!.shape, b.values[y]!.shape];
    if (from.length !== to.length) throw fail('what it computes depends on the batch');
    shapes[x] = from.map((d, axis) => (d === to[axis] ? d : null));
  };
  a.externals.forEach((id, i) => pair(id, b.externals[i]!));
  a.steps.forEach((step, i) => {
    const other = b.steps[i]!;
    if (kernelOf(step) !== kernelOf(other)) throw fail('what it computes depends on the batch');
    step.outputs.forEach((id, k) => pair(id, other.outputs[k]!));
  });
  return shapes;
}

const kernelOf = (step: Step): string => (step.kind === 'kernel' ? step.kernel : step.op);

async function convert(
  model: Model,
  inference: Inference,
  open: readonly OpenShape[],
  opset: number,
): Promise<OnnxGraph> {
  const { graph, inputs, constants } = inference;
  for (const step of graph.steps) {
    const odd = [...step.inputs, ...step.outputs].find((id) => !isExportable(graph.values[id]!.dtype));
    if (odd !== undefined) throw unsupported(step, `${graph.values[odd]!.dtype} here (use the policy float32)`);
  }
  const names = portNames(model);
  const ports = new Map<number, string>();
  // An output that is an input, a constant or another output gets a node of its own below.
  const made = new Set(
    graph.steps.flatMap((step) => (step.kind === 'alias' && constants.has(step.inputs[0]!) ? [] : step.outputs)),
  );
  graph.outputs.forEach((id, i) => made.has(id) && !ports.has(id) && ports.set(id, names.outputs[i]!));
  const builder = new OnnxBuilder(inference, open, ports, opset);
  inputs.forEach((id, i) => builder.define(id, 'last', builder.fresh(names.inputs[i]!)));
  for (const step of graph.steps) writeStep(builder, step);
  graph.outputs.forEach((id, i) => {
    const name = builder.last(id);
    if (name !== names.outputs[i]) builder.node('Identity', [name], names.outputs[i]!, {}, names.outputs[i]);
  });
  const port = (id: number, name: string): OnnxPort => ({
    name,
    type: graph.values[id]!.dtype as OnnxPort['type'],
    shape: open[id]!.map((d, axis) => d ?? (axis === 0 ? 'batch' : `batch_${axis}`)),
  });
  return {
    name: model.name,
    nodes: builder.nodes,
    initializers: builder.initializers,
    inputs: inputs.map((id) => port(id, builder.last(id))),
    outputs: graph.outputs.map((id, i) => port(id, names.outputs[i]!)),
  };
}

/** Names of inputs and outputs: those of the layers, or of a record; numbered where they repeat. */
function portNames(model: Model): { inputs: string[]; outputs: string[] } {
  const seen = new Set<string>();
  const unique = (name: string): string => {
    let free = name;
    for (let i = 1; seen.has(free); i++) free = `${name}_${i}`;
    seen.add(free);
    return free;
  };
  const name = (kind: 'input' | 'output', list: Model['inputs'], given: readonly string[] | undefined): string[] =>
    list.map((tensor, i) => unique(given?.[i] ?? tensor.layer.name ?? kind));
  return {
    inputs: name('input', model.inputs, model.inputNames),
    outputs: name('output', model.outputs, model.outputNames),
  };
}

function writeStep(builder: OnnxBuilder, step: Step): void {
  const wish = step.layer || step.op;
  if (step.kind === 'kernel') writeKernel(builder, step, wish);
  else if (step.kind === 'alias') writeAlias(builder, step, wish);
  else if (step.kind === 'elementwise') writeElementwise(builder, step, wish);
  else throw unsupported(step, 'step that only training has');
}

/** Another shape for the same elements in the same order. */
function writeAlias(builder: OnnxBuilder, step: Step, wish: string): void {
  const [x, y] = [step.inputs[0]!, step.outputs[0]!];
  if (builder.constant(x)) return builder.aliasConstant(y, x);
  const narrow = (id: number): boolean =>
    builder.rankOf(id) === 4 && builder.shapeOf(id)[1] === 1 && builder.shapeOf(id)[2] === 1;
  // Images of one pixel have their elements in the same order in both layouts.
  const input = narrow(x) && builder.hasFirst(x) ? builder.first(x) : builder.last(x);
  const form = narrow(y) ? 'first' : 'last';
  const open = builder.shapes[y]!;
  if (open.filter((d) => d === null).length > 1)
    throw unsupported(step, 'reshape with two sizes that depend on the batch');
  const target = form === 'first' ? [open[0]!, open[3]!, 1, 1] : open;
  const name = builder.nameFor(y, form, wish);
  builder.node('Reshape', [input, builder.ints(target.map((d) => d ?? -1))], wish, {}, name);
  builder.define(y, form, name);
}

function writeElementwise(builder: OnnxBuilder, step: Step & { kind: 'elementwise' }, wish: string): void {
  const y = step.outputs[0]!;
  if (step.outputs.length !== 1) throw unsupported(step, 'step of several outputs');
  const images = step.inputs.filter((id) => builder.rankOf(id) === 4);
  const first = builder.rankOf(y) === 4 && images.some((id) => builder.hasFirst(id));
  const inputs = step.inputs.map((id) => {
    const dtype = builder.dtypeOf(id);
    if (!first) return { name: builder.last(id), dtype };
    return { name: builder.rankOf(id) === 4 ? builder.first(id) : builder.broadcastFirst(id), dtype };
  });
  checkRepeats(builder, step, y);
  const form = first ? 'first' : 'last';
  const name = builder.nameFor(y, form, wish);
  new ElementwiseWriter(builder, step, wish, inputs).write(builder.dtypeOf(y), name);
  builder.define(y, form, name);
}

/** A value that is only repeated along an axis would come out smaller than it must be. */
function checkRepeats(builder: OnnxBuilder, step: Step, y: number): void {
  const rank = builder.rankOf(y);
  const covered = builder.shapeOf(y).every((size, axis) =>
    step.inputs.some((id) => {
      const at = axis - (rank - builder.rankOf(id));
      return size === 1 || (at >= 0 && builder.shapeOf(id)[at] === size);
    }),
  );
  if (!covered && sizeOf(builder.shapeOf(y)) > 0) throw unsupported(step, 'repetition to a size of its own');
}
