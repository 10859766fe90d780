import { kept, type Graph } from '../ir.js';

/** Drops steps whose outputs nobody reads. */
export function deadCode(graph: Graph): Graph {
  const needed = kept(graph);
  const steps = [];
  for (let i = graph.steps.length - 1; i >= 0; i--) {
    const step = graph.steps[i]!;
    if (!step.outputs.some((o) => needed.has(o))) continue;
    steps.push(step);
    for (const input of step.inputs) needed.add(input);
  }
  return { ...graph, steps: steps.reverse() };
}
