import type { GraphNode } from '../graph/node.js';

const sources = new WeakSet<GraphNode>();

/** Notes that gradients are asked for by this node's values, so no shortcut may lead around it. */
export function markSource(node: GraphNode): void {
  sources.add(node);
}

/** Whether gradients were ever asked for by this node's values. */
export function isSource(node: GraphNode): boolean {
  return sources.has(node);
}
