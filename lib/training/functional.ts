import { mismatch } from '../errors.js';
import { InputLayer } from '../layers/input.js';
import type { Layer } from '../layers/layer.js';
import { flattenNest, mapNest, type Nest } from '../layers/nest.js';
import { isSymbolic, type LayerNode, type SymbolicShape, type SymbolicTensor } from '../layers/symbolic.js';
import { Tensor } from '../tensor/tensor.js';

const isTensor = (value: unknown): value is Tensor => value instanceof Tensor;
const isShape = (value: unknown): value is SymbolicShape =>
  Array.isArray(value) && value.every((d) => d === null || typeof d === 'number');

/** Whose graph it is, for messages. */
export interface GraphOwner {
  readonly errorLabel: () => { op: string; layer: string };
}

/** The layers between the inputs and the outputs of a functional model, in Keras's order. */
export class FunctionalGraph {
  readonly inputs: Nest<SymbolicTensor>;
  readonly outputs: Nest<SymbolicTensor>;
  /** The uses of layers, each behind those it depends on. */
  readonly nodes: readonly LayerNode[];
  /** From the inputs to the outputs, by depth, as Keras sorts them. */
  readonly layers: readonly Layer[];
  /** Inputs that were in the middle of another model, by the new ones that stand for them. */
  readonly #stands = new Map<SymbolicTensor, SymbolicTensor>();

  constructor(owner: GraphOwner, inputs: Nest<SymbolicTensor>, outputs: Nest<SymbolicTensor>) {
    const check = (what: string, nest: Nest<SymbolicTensor>): void => {
      const flat: unknown[] =
        isSymbolic(nest) || typeof nest !== 'object' || nest === null ? [nest] : Object.values(nest);
      if (flat.length > 0 && flat.every(isSymbolic)) return;
      const hint = isTensor(nest) || flat.some(isTensor) ? 'a tensor with a value' : 'something else';
      throw mismatch('ERR_ARGUMENT', owner.errorLabel(), `${what} made by input() and layers`, hint);
    };
    check('inputs', inputs);
    check('outputs', outputs);
    this.inputs = mapNest<SymbolicTensor, SymbolicTensor>(inputs, isSymbolic, (tensor) => this.#enter(tensor));
    this.outputs = outputs;
    if (new Set(this.inputTensors).size !== this.inputTensors.length) {
      throw mismatch('ERR_ARGUMENT', owner.errorLabel(), 'each input once', 'one twice');
    }
    const { nodes, order } = collect(owner, this.inputTensors, this.outputTensors, this.#stands);
    this.nodes = nodes;
    this.layers = byDepth(nodes, order, (node) => this.parents(node));
    const names = new Set<string>();
    for (const { name } of this.layers) {
      if (names.has(name)) {
        throw mismatch('ERR_ARGUMENT', owner.errorLabel(), 'layers with different names', `two layers named "${name}"`);
      }
      names.add(name);
    }
  }

  get inputTensors(): SymbolicTensor[] {
    return flattenNest(this.inputs, isSymbolic);
  }

  get outputTensors(): SymbolicTensor[] {
    return flattenNest(this.outputs, isSymbolic).map((tensor) => this.resolve(tensor));
  }

  /** What a node's input is in this graph. */
  resolve(tensor: SymbolicTensor): SymbolicTensor {
    return this.#stands.get(tensor) ?? tensor;
  }

  /** The nodes whose outputs a node takes. */
  parents(node: LayerNode): LayerNode[] {
    return node.inputTensors.map((tensor) => this.resolve(tensor).producer);
  }

  /** The uses of one layer in this graph, in the order in which they were made. */
  nodesOf(layer: Layer): LayerNode[] {
    const own = new Set(this.nodes);
    return layer.inboundNodes.filter((node) => own.has(node));
  }

  /** Computes the outputs. */
  run(inputs: readonly Tensor[], training: boolean): Nest<Tensor> {
    return this.#walk<Tensor>(inputs, (node, values) =>
      flattenNest(node.layer.apply<Nest<Tensor>>(values, { training: node.training ?? training }), isTensor),
    );
  }

  /** The shapes of the outputs for inputs of other shapes. */
  shapes(inputs: readonly SymbolicShape[]): Nest<SymbolicShape> {
    const same = this.inputTensors.every(({ shape }, i) => shape.every((d, axis) => d === inputs[i]![axis]));
    if (same) return mapNest(this.outputs, isSymbolic, ({ shape }) => shape);
    return this.#walk<SymbolicShape>(inputs, (node, values) =>
      flattenNest(
        node.layer.within(node.training, () => node.layer.outputShapes(values)),
        isShape,
      ),
    );
  }

  #walk<T extends object>(inputs: readonly T[], apply: (node: LayerNode, values: Nest<T>) => T[]): Nest<T> {
    const known = new Map<SymbolicTensor, T>(this.inputTensors.map((tensor, i) => [tensor, inputs[i]!]));
    for (const node of this.nodes) {
      if (node.layer instanceof InputLayer) continue;
      const values = mapNest(node.inputs, isSymbolic, (tensor) => known.get(this.resolve(tensor))!);
      const made = apply(node, values);
      node.outputTensors.forEach((tensor, i) => known.set(tensor, made[i]!));
    }
    return mapNest(this.outputs, isSymbolic, (tensor) => known.get(this.resolve(tensor))!);
  }

  /** An input as one of this graph: a new input layer for a value in the middle of another model. */
  #enter(tensor: SymbolicTensor): SymbolicTensor {
    if (tensor.layer instanceof InputLayer) return tensor;
    const made = new InputLayer({ batchShape: tensor.shape, dtype: tensor.dtype }).output;
    this.#stands.set(tensor, made);
    return made;
  }
}

/** Follows the outputs back to the inputs (Keras's `_build_map`). */
function collect(
  owner: GraphOwner,
  inputs: readonly SymbolicTensor[],
  outputs: readonly SymbolicTensor[],
  stands: ReadonlyMap<SymbolicTensor, SymbolicTensor>,
): { nodes: LayerNode[]; order: Map<Layer, number> } {
  const finished = new Set<LayerNode>();
  const order = new Map<Layer, number>();
  const nodes: LayerNode[] = [];
  const open = new Set<LayerNode>();
  const visit = (tensor: SymbolicTensor, user: string): void => {
    const node = (stands.get(tensor) ?? tensor).producer;
    if (finished.has(node)) return;
    if (open.has(node))
      throw mismatch('ERR_ARGUMENT', owner.errorLabel(), 'a graph without cycles', 'one with a cycle');
    const isInput = node.layer instanceof InputLayer;
    if (isInput && !inputs.some((t) => t.producer === node)) {
      const received = `${user} that needs "${node.layer.name}", which is not one of them`;
      throw mismatch('ERR_ARGUMENT', owner.errorLabel(), 'outputs that follow from the inputs', received);
    }
    if (!order.has(node.layer)) order.set(node.layer, order.size);
    open.add(node);
    if (!isInput) node.inputTensors.forEach((t) => visit(t, `layer "${node.layer.name}"`));
    open.delete(node);
    finished.add(node);
    nodes.push(node);
  };
  for (const output of outputs) visit(output, 'an output');
  for (const input of inputs) {
    if (finished.has(input.producer)) continue;
    order.set(input.layer, -1);
    nodes.push(input.producer);
  }
  return { nodes, order };
}

/** Layers by their largest distance to an output, then in the order in which they were met (Keras's `map_graph`). */
function byDepth(
  nodes: readonly LayerNode[],
  order: ReadonlyMap<Layer, number>,
  parents: (node: LayerNode) => LayerNode[],
): Layer[] {
  const nodeDepths = new Map<LayerNode, number>();
  const layerDepths = new Map<Layer, number>();
  for (const node of [...nodes].reverse()) {
    const depth = Math.max(nodeDepths.get(node) ?? 0, layerDepths.get(node.layer) ?? 0);
    layerDepths.set(node.layer, depth);
    nodeDepths.set(node, depth);
    for (const parent of parents(node)) nodeDepths.set(parent, Math.max(depth + 1, nodeDepths.get(parent) ?? 0));
  }
  return [...layerDepths.keys()].sort(
    (a, b) => layerDepths.get(b)! - layerDepths.get(a)! || order.get(a)! - order.get(b)!,
  );
}
