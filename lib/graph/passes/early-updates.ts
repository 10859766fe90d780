import { rootsOf, type Graph, type Step } from '../ir.js';

/** Kernels that can fail on what the data holds: labels and indices out of range. */
export const FALLIBLE = new Set([
  'sparseSoftmaxCrossEntropy',
  'sparseSoftmaxCrossEntropyBackward',
  'gather',
  'scatterAdd',
]);

/**
 * Runs the update of each variable as soon as its gradient is there, instead of all of them at the end: gradients are
 * read while they are in cache, and their memory is free for the next ones. An update still comes after everything that
 * reads the variable's old value and after everything that can fail, so that a failing run leaves all variables alone.
 */
export function earlyUpdates(graph: Graph): Graph {
  const root = rootsOf(graph);
  const targetsOf = new Map<number, number[]>(); // the root of a new value -> the variables that take it
  for (const { target, value } of graph.updates) {
    const list = targetsOf.get(root[value]!);
    if (list) list.push(target);
    else targetsOf.set(root[value]!, [target]);
  }
  const late = onlyForUpdates(graph);
  const lastRead = new Map<number, number>(); // of the bytes of a value, by steps that stay where they are
  const place = new Map<number, number>(); // value -> index of the step after which it is there
  let safe = -1; // from here on nothing fails
  graph.steps.forEach((step, index) => {
    if (step.kind === 'kernel' && FALLIBLE.has(step.kernel)) safe = index;
    if (late.has(step)) return;
    for (const input of step.inputs) lastRead.set(root[input]!, index);
    for (const output of step.outputs) place.set(output, index);
  });

  const moved = graph.steps.map((): Step[] => []);
  for (const step of graph.steps) {
    if (!late.has(step)) continue;
    const targets = step.outputs.flatMap((o) => targetsOf.get(root[o]!) ?? []);
    const after = Math.max(
      safe,
      ...step.inputs.map((i) => place.get(i) ?? -1),
      ...targets.map((t) => lastRead.get(t) ?? -1),
    );
    // Later ones that read the same variable, or this step's results, come behind it.
    for (const input of step.inputs) lastRead.set(root[input]!, Math.max(lastRead.get(root[input]!) ?? -1, after));
    for (const output of step.outputs) place.set(output, after);
    (moved[after] ?? moved[0]!).push(step);
  }
  const first = graph.steps.findIndex((step) => !late.has(step));
  if (first < 0) return graph;
  const steps = graph.steps.flatMap((step, i) => (late.has(step) ? moved[i]! : [step, ...moved[i]!]));
  return { ...graph, steps };
}

/** Elementwise steps that no output of the graph depends on and that only others of their kind read. */
export function onlyForUpdates(graph: Graph): Set<Step> {
  const needed = new Set(graph.outputs);
  const late = new Set<Step>();
  for (let i = graph.steps.length - 1; i >= 0; i--) {
    const step = graph.steps[i]!;
    if (step.kind === 'elementwise' && !step.outputs.some((o) => needed.has(o))) late.add(step);
    else for (const input of step.inputs) needed.add(input);
  }
  return late;
}
