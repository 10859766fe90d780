import type { Attributes } from '../backends/backend.js';
import { currentDevice } from '../backends/registry.js';
import { FoveaError } from '../errors.js';
import { evaluateValues } from '../graph/evaluate.js';
import { GraphNode, type Value, type ValueSpec } from '../graph/node.js';
import { currentTrace, isRecording, layerPath, refuseInTrace, type Trace } from '../graph/trace.js';
import { Tensor } from '../tensor/tensor.js';

/** Names of attributes, or a function from the node's to the kernel's. */
export type KernelAttributes = readonly string[] | ((attributes: Attributes) => Attributes);

/** How a node becomes kernel calls. */
export type Lowering =
  /** A kernel of docs/kernels.md. It is given the node's attributes, those of them that `attributes` names, or what it makes of them. */
  | { readonly kind: 'kernel'; readonly kernel: string; readonly attributes?: KernelAttributes }
  /** One instruction of an `elementwise` program; attributes `p0`, `p1` are its parameters. */
  | { readonly kind: 'elementwise'; readonly opcode: string }
  /** The elements of input 0 under another shape. */
  | { readonly kind: 'alias' };

/** What a gradient rule is given. */
export interface GradientContext<A extends Attributes> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: A;
  /** Gradients that arrived at the outputs; `undefined` where none did. */
  readonly dy: readonly (Tensor | undefined)[];
}

/** Gradient of one input, made only when someone needs it; `null` where there is none. */
export type InputGradient = (() => Tensor) | null;

/** One primitive op: the only place where its name, shape rule and gradient stand. */
export interface OpDefinition<A extends Attributes = Attributes> {
  readonly name: string;
  readonly lowering: Lowering;
  /** Shapes and types of the outputs; throws a FoveaError when the inputs do not fit. */
  readonly infer: (inputs: readonly ValueSpec[], attributes: A) => ValueSpec[];
  /** One entry an input. Ops without it stop gradients with an error unless `differentiable` is false. */
  readonly gradient?: (context: GradientContext<A>) => readonly InputGradient[];
  /** False for ops through which no gradient flows (comparisons, argMax). */
  readonly differentiable?: boolean;
}

/** Applies an op with one output to tensors. */
export type Op1<A extends Attributes> = (inputs: readonly Tensor[], attributes: A) => Tensor;

/** A graph longer than this is computed by itself, so that chains nobody reads do not grow without bound. */
const MAX_DEPTH = 2000;

const table = new Map<string, OpDefinition>();

/** All primitive ops by name: what conformance tests and documentation walk. */
export const opTable: ReadonlyMap<string, OpDefinition> = table;

/**
 * Adds an op to the table and returns the function that applies it.
 *
 * @returns a function from input tensors and attributes to output tensors
 */
export function defineOp<A extends Attributes>(
  definition: OpDefinition<A>,
): (inputs: readonly Tensor[], attributes: A) => Tensor[] {
  if (table.has(definition.name)) throw new FoveaError(`defineOp: ${definition.name} is defined twice`);
  // The table forgets which attributes an op has; each definition only ever meets its own.
  const erased = definition as unknown as OpDefinition;
  table.set(definition.name, erased);
  return (inputs, attributes) => applyOp(erased, inputs, attributes);
}

/** As {@link defineOp}, for ops with one output. */
export function defineOp1<A extends Attributes>(definition: OpDefinition<A>): Op1<A> {
  const apply = defineOp(definition);
  return (inputs, attributes) => apply(inputs, attributes)[0]!;
}

/** Makes the node of one op; shapes and types are checked here, at the caller's line. */
export function applyOp(op: OpDefinition, inputs: readonly Tensor[], attributes: Attributes): Tensor[] {
  const values = inputs.map((t) => t.value(op.name));
  const outputs = op.infer(inputs, attributes);
  const { device, trace } = placement(op.name, values);
  const node = new GraphNode(op, values, attributes, outputs, device, layerPath(), undefined, trace);
  const tensors = outputs.map((_, index) => new Tensor({ node, index }));
  if (node.depth >= MAX_DEPTH && !trace && !isRecording()) evaluateValues(outputs.map((_, index) => ({ node, index })));
  return tensors;
}

/** The device and trace all inputs agree on. */
function placement(op: string, values: readonly Value[]): { device: string; trace: Trace | undefined } {
  const open = currentTrace();
  let trace: Trace | undefined;
  let device: string | undefined;
  for (const { node } of values) {
    if (node.trace) {
      if (node.trace !== open) refuseInTrace(op, node.trace);
      trace = node.trace;
    }
    if (node.leaf?.kind === 'scalar') continue;
    if (device !== undefined && device !== node.device) {
      throw new FoveaError(`${op}: expected all inputs on one device, received ${device} and ${node.device}`, {
        code: 'ERR_DEVICE',
        op,
        expected: device,
        received: node.device,
      });
    }
    device = node.device;
  }
  return { device: device ?? open?.device ?? currentDevice(), trace };
}
