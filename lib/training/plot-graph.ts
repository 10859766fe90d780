import { InputLayer } from '../layers/input.js';
import type { Layer } from '../layers/layer.js';
import { formatSymbolicShape, type SymbolicTensor } from '../layers/symbolic.js';
import type { FunctionalGraph } from './functional.js';

/** One use of a layer in a picture. */
export interface Box {
  readonly layer: Layer;
  /** Shapes of its outputs, as text; empty when they are not known. */
  readonly shape: string;
  /** The boxes it reads, by index. */
  readonly inputs: readonly number[];
  /** The nested models it is in, outermost first: `name#number`. */
  readonly groups: readonly string[];
}

/** The graph of a functional model, or of a `Sequential` that is built. */
function graphOf(layer: Layer): FunctionalGraph | undefined {
  return (layer as Layer & { readonly graph?: FunctionalGraph | undefined }).graph;
}

/**
 * The boxes of a model, each behind those it reads. Models without a graph (subclassed ones, and those that were never
 * built) give their layers in the order of their fields; those of a `Sequential` are then a chain.
 *
 * @param expandNested - whether models in the model are opened
 */
export function boxesOf(model: Layer, expandNested: boolean): Box[] {
  const boxes: Box[] = [];
  const graph = graphOf(model);
  if (graph) {
    collect(graph, new Map(), [], expandNested, boxes);
    return boxes;
  }
  const chained = model.className === 'Sequential';
  return model.sublayers.map((layer, i) => ({ layer, shape: '', inputs: chained && i > 0 ? [i - 1] : [], groups: [] }));
}

/**
 * Adds the boxes of a graph.
 *
 * @param known - which box makes a value; for a nested model, its inputs are there already
 */
function collect(
  graph: FunctionalGraph,
  known: Map<SymbolicTensor, number>,
  groups: readonly string[],
  expandNested: boolean,
  boxes: Box[],
): void {
  for (const { layer, inputTensors, outputTensors } of graph.nodes) {
    if (layer instanceof InputLayer && known.has(outputTensors[0]!)) continue;
    const inputs = inputTensors.map((tensor) => known.get(graph.resolve(tensor))!);
    const nested = expandNested ? graphOf(layer) : undefined;
    if (nested) {
      const inner = new Map(nested.inputTensors.map((tensor, i) => [tensor, inputs[i]!]));
      collect(nested, inner, [...groups, `${layer.name}#${boxes.length}`], expandNested, boxes);
      const results = nested.outputTensors;
      for (const [i, tensor] of outputTensors.entries()) known.set(tensor, inner.get(results[i]!)!);
      continue;
    }
    const shape = outputTensors.map((tensor) => formatSymbolicShape(tensor.shape)).join(' ');
    boxes.push({ layer, shape, inputs: [...new Set(inputs)], groups });
    for (const tensor of outputTensors) known.set(tensor, boxes.length - 1);
  }
}
