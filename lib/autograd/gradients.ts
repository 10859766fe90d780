import { FoveaError } from '../errors.js';
import { specOf, valueKey, type GraphNode, type Value } from '../graph/node.js';
import { withLayerPath } from '../graph/trace.js';
import { add } from '../ops/binary.js';
import { zerosLike } from '../ops/shape.js';
import { isFloat } from '../tensor/dtype.js';
import { sameShape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * Walks the graph back from `target` and builds the nodes of its gradients by `sources` (reverse mode). Only the part
 * of the graph that leads from a source to the target is walked, and each op is asked only for gradients that count.
 *
 * @param dy - the gradient that arrives at `target`, of its shape
 * @returns one tensor a source, like the source; zeros where the target does not depend on it
 */
export function gradientsOf(target: Tensor, dy: Tensor, sources: readonly Value[]): Tensor[] {
  const arrived = new Map<string, Tensor>([[valueKey(target.value('grad')), dy]]);
  const wanted = new Set(sources.map(valueKey));
  const { order, leads } = pathNodes(target.value(), wanted);
  for (const node of order) withLayerPath(node.layer, () => propagate(node, arrived, wanted, leads));
  return sources.map((source) => arrived.get(valueKey(source)) ?? zerosLike(new Tensor(source)));
}

/** Keeps the way from `sources` to `target` in the graph, so that {@link gradientsOf} can walk it at any later time. */
export function pinPath(target: Tensor, sources: readonly Value[]): void {
  for (const node of pathNodes(target.value(), new Set(sources.map(valueKey))).leads) node.pin();
}

/** Nodes from the target back, each before its inputs, and those of them that a source leads into. */
function pathNodes(target: Value, wanted: ReadonlySet<string>): { order: GraphNode[]; leads: Set<GraphNode> } {
  const seen = new Set<GraphNode>([target.node]);
  const stack = [target.node];
  for (let node = stack.pop(); node; node = stack.pop()) {
    for (const input of node.inputs) {
      if (seen.has(input.node)) continue;
      seen.add(input.node);
      stack.push(input.node);
    }
  }
  const ascending = [...seen].sort((a, b) => a.id - b.id);
  const leads = new Set<GraphNode>();
  for (const node of ascending) {
    if (node.inputs.some((v) => wanted.has(valueKey(v)) || leads.has(v.node))) leads.add(node);
  }
  return { order: ascending.reverse().filter((n) => leads.has(n)), leads };
}

function propagate(
  node: GraphNode,
  arrived: Map<string, Tensor>,
  wanted: ReadonlySet<string>,
  leads: ReadonlySet<GraphNode>,
): void {
  const dy = node.outputs.map((_, index) => arrived.get(valueKey({ node, index })));
  const op = node.op;
  if (!op || op.differentiable === false || dy.every((d) => d === undefined)) return;
  if (!op.gradient) {
    throw new FoveaError(
      `${op.name}${node.layer ? ` "${node.layer}"` : ''}: has no gradient; derivatives of this order are not supported`,
      {
        code: 'ERR_UNSUPPORTED',
        op: op.name,
        layer: node.layer,
      },
    );
  }
  const rules = op.gradient({
    inputs: node.inputs.map((v) => new Tensor(v)),
    outputs: node.outputs.map((_, index) => new Tensor({ node, index })),
    attributes: node.attributes,
    dy,
  });
  node.inputs.forEach((input, i) => {
    const key = valueKey(input);
    const rule = rules[i];
    if (!rule || !isFloat(specOf(input).dtype) || !(wanted.has(key) || leads.has(input.node))) return;
    const gradient = rule();
    if (!sameShape(gradient.shape, specOf(input).shape)) {
      throw new FoveaError(
        `${op.name}: its gradient rule made [${gradient.shape.join()}] for an input of [${specOf(input).shape.join()}]`,
        {
          code: 'ERR_SHAPE',
          op: op.name,
        },
      );
    }
    const before = arrived.get(key);
    arrived.set(key, before ? add(before, gradient) : gradient);
  });
}
