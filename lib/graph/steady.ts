import type { Graph, IrValue, Step } from './ir.js';
import { deadCode } from './passes/dead-code.js';

/** A graph cut in two: what depends on steady values only, and the rest, which takes its results as externals. */
export interface Split {
  /** Computes the values that `main` needs; its externals are steady ones of the whole graph. */
  readonly setup: Graph;
  readonly main: Graph;
}

/**
 * Values that follow from steady externals alone (variables that the graph does not write, constants): they are the same
 * in every run until somebody assigns a variable.
 */
export function steadyValues(graph: Graph): Set<number> {
  const targets = new Set(graph.updates.map((u) => u.target));
  const steady = new Set((graph.steady ?? []).filter((id) => !targets.has(id)));
  graph.values.forEach((value, id) => {
    if (value.kind === 'scalar') steady.add(id);
  });
  for (const step of graph.steps) {
    // What is made of nothing (a constant) is cheap and only steady in company.
    if (step.inputs.length > 0 && step.inputs.every((i) => steady.has(i))) for (const o of step.outputs) steady.add(o);
  }
  return steady;
}

/**
 * Takes the steps that depend on steady values only out of a graph, so that they run when those change and not at every
 * run. A prediction's folded weights are made this way.
 *
 * @returns undefined when there is nothing to take out
 */
export function splitSteady(graph: Graph): Split | undefined {
  if (!graph.steady?.length) return undefined;
  const steady = steadyValues(graph);
  const isSteady = (step: Step): boolean => step.inputs.length > 0 && step.inputs.every((i) => steady.has(i));
  const early = graph.steps.filter(isSteady);
  const made = new Set<number>();
  for (const step of early) {
    // Another shape of a variable costs nothing where it is used, but would cost a copy here.
    if (step.kind !== 'alias' || made.has(step.inputs[0]!)) for (const o of step.outputs) made.add(o);
  }
  if (made.size === 0) return undefined;
  const late = graph.steps.filter((step) => !step.outputs.some((o) => made.has(o)));
  const wanted = new Set([
    ...late.flatMap((step) => step.inputs),
    ...graph.outputs,
    ...graph.updates.map((u) => u.value),
  ]);
  const handed = [...made].filter((id) => wanted.has(id));
  const used = new Set(early.flatMap((step) => step.inputs));
  const asExternal = (value: IrValue): IrValue => ({ shape: value.shape, dtype: value.dtype, kind: 'external' });
  return {
    setup: deadCode({
      values: graph.values,
      steps: early,
      externals: graph.externals.filter((id) => used.has(id)),
      outputs: handed,
      updates: [],
    }),
    main: {
      ...graph,
      values: graph.values.map((value, id) => (made.has(id) && wanted.has(id) ? asExternal(value) : value)),
      steps: late,
      externals: [...graph.externals, ...handed],
    },
  };
}
