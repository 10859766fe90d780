import type { Attributes } from '../backends/backend.js';
import { isFloat } from '../tensor/dtype.js';
import type { KernelAttributes } from '../ops/define.js';
import { specOf, valueKey, type GraphNode, type Value } from './node.js';
import type { Graph, IrValue, Step } from './ir.js';

export interface BuildRequest {
  readonly outputs: readonly Value[];
  readonly updates: readonly { readonly target: Value; readonly value: Value }[];
}

/** A graph and, for each of its externals, the leaf or computed value that must be handed over. */
export interface Built {
  readonly graph: Graph;
  readonly externals: readonly Value[];
}

/**
 * Collects what the outputs and updates need, in an order where inputs come first. A value that is computed already, a
 * placeholder and a tensor on the device become externals.
 *
 * @param firstExternals - values that take the first external places, needed or not
 */
export function buildGraph(request: BuildRequest, firstExternals: readonly Value[] = []): Built {
  const ids = new Map<string, number>();
  const values: IrValue[] = [];
  const externals: Value[] = [];
  const externalIds: number[] = [];

  const add = (value: Value, kind: IrValue['kind'], scalar?: number): number => {
    const { shape, dtype } = specOf(value);
    values.push(scalar === undefined ? { shape, dtype, kind } : { shape, dtype, kind, scalar });
    ids.set(valueKey(value), values.length - 1);
    return values.length - 1;
  };
  const external = (value: Value): number => {
    const known = ids.get(valueKey(value));
    if (known !== undefined) return known;
    const id = add(value, 'external');
    externals.push(value);
    externalIds.push(id);
    return id;
  };
  const isExternal = ({ node, index }: Value): boolean =>
    node.storages[index] !== undefined || node.leaf?.kind === 'placeholder';

  for (const value of firstExternals) external(value);
  const nodes = collect([...request.outputs, ...request.updates.flatMap((u) => [u.value, u.target])], isExternal);
  const steps: Step[] = [];
  for (const node of nodes) {
    if (node.leaf?.kind === 'scalar') {
      add({ node, index: 0 }, 'scalar', node.leaf.value);
      continue;
    }
    const inputs = node.inputs.map((v) => (isExternal(v) ? external(v) : ids.get(valueKey(v))!));
    const outputs = node.outputs.map((_, index) => add({ node, index }, 'computed'));
    steps.push(lower(node, inputs, outputs));
  }
  const idOf = (value: Value): number => (isExternal(value) ? external(value) : ids.get(valueKey(value))!);
  const graph: Graph = {
    values,
    steps,
    externals: externalIds,
    outputs: request.outputs.map(idOf),
    updates: request.updates.map((u) => ({ target: idOf(u.target), value: idOf(u.value) })),
  };
  return { graph, externals };
}

/** Nodes to compute, by id: ids grow with creation, and inputs are created first. */
function collect(roots: readonly Value[], isExternal: (value: Value) => boolean): GraphNode[] {
  const seen = new Set<GraphNode>();
  const stack: GraphNode[] = [];
  const visit = (value: Value): void => {
    if (isExternal(value) || seen.has(value.node)) return;
    seen.add(value.node);
    stack.push(value.node);
  };
  roots.forEach(visit);
  for (let node = stack.pop(); node; node = stack.pop()) node.inputs.forEach(visit);
  return [...seen].sort((a, b) => a.id - b.id);
}

function lower(node: GraphNode, inputs: readonly number[], outputs: readonly number[]): Step {
  const op = node.op!;
  const base = { inputs, outputs, op: op.name, layer: node.layer };
  switch (op.lowering.kind) {
    case 'alias':
      return { ...base, kind: 'alias', inputs: inputs.slice(0, 1) };
    case 'kernel':
      return { ...base, kind: 'kernel', kernel: op.lowering.kernel, attributes: kernelAttributes(op.lowering, node) };
    case 'elementwise': {
      const { p0, p1 } = node.attributes as { p0?: number; p1?: number };
      const types = [...node.inputs.map((v) => specOf(v).dtype), node.outputs[0]!.dtype];
      const compute = types.some(isFloat) ? 'float' : 'int32';
      const args = inputs.map((_, i) => i);
      const params = [p0 ?? 0, p1 ?? 0];
      return {
        ...base,
        kind: 'elementwise',
        program: { compute, instructions: [{ opcode: op.lowering.opcode, args, params }], results: [inputs.length] },
      };
    }
  }
}

/** What the kernel itself is told: attributes that serve the shape rule only stay behind. */
function kernelAttributes(
  { attributes: names }: { attributes?: KernelAttributes },
  { attributes }: GraphNode,
): Attributes {
  if (!names) return attributes;
  if (typeof names === 'function') return names(attributes);
  return Object.fromEntries(names.map((name) => [name, attributes[name]!]));
}

/** Text that is equal for graphs that may share a plan. */
export function signatureOf(graph: Graph): string {
  return exactJson(graph);
}

/** JSON that tells apart the numbers JSON has no word for: infinities, NaN and -0. */
export function exactJson(data: unknown): string {
  return JSON.stringify(data, (_, value: unknown) => {
    if (typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0))) return value;
    return `#${Object.is(value, -0) ? '-0' : value}`;
  });
}
