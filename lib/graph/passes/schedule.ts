import type { Graph, Step } from '../ir.js';

/**
 * Moves the steps that only serve updates of variables to the end, keeping their order: everything that can fail (a
 * label out of range) has run before the first variable changes, and every reader of the old value comes before.
 */
export function updatesLast(graph: Graph): Graph {
  const needed = new Set(graph.outputs);
  const late: Step[] = [];
  const early: Step[] = [];
  for (let i = graph.steps.length - 1; i >= 0; i--) {
    const step = graph.steps[i]!;
    const serves = step.outputs.some((o) => needed.has(o));
    if (!serves && step.kind !== 'kernel') {
      late.push(step);
      continue;
    }
    early.push(step);
    for (const input of step.inputs) needed.add(input);
  }
  return { ...graph, steps: [...early.reverse(), ...late.reverse()] };
}
