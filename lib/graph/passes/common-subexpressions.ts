import { exactJson } from '../build.js';
import type { Graph, Step } from '../ir.js';

/** Steps that compute the same from the same inputs are done once. All kernels are pure functions of their inputs. */
export function commonSubexpressions(graph: Graph): Graph {
  const replaced = new Map<number, number>();
  const fix = (id: number): number => replaced.get(id) ?? id;
  const seen = new Map<string, Step>();
  const steps: Step[] = [];
  for (const original of graph.steps) {
    const step = { ...original, inputs: original.inputs.map(fix) };
    const key = keyOf(step, graph);
    const twin = seen.get(key);
    if (twin) {
      step.outputs.forEach((id, i) => replaced.set(id, twin.outputs[i]!));
      continue;
    }
    seen.set(key, step);
    steps.push(step);
  }
  return {
    ...graph,
    steps,
    outputs: graph.outputs.map(fix),
    updates: graph.updates.map((u) => ({ target: u.target, value: fix(u.value) })),
  };
}

function keyOf(step: Step, graph: Graph): string {
  const what = step.kind === 'kernel' ? [step.kernel, step.attributes] : step.kind === 'elementwise' ? step.program : 0;
  const made = step.outputs.map((o) => [graph.values[o]!.shape, graph.values[o]!.dtype]);
  return exactJson([step.kind, what, step.inputs, made]);
}
