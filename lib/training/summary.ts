import { InputLayer } from '../layers/input.js';
import type { Layer } from '../layers/layer.js';
import { flattenNest } from '../layers/nest.js';
import type { SymbolicShape } from '../layers/symbolic.js';
import { bytesPerElement } from '../tensor/dtype.js';
import type { Variable } from '../tensor/variable.js';
import type { FunctionalGraph } from './functional.js';
import { drawTable } from './summary-table.js';
import { Model } from './model.js';

export interface SummaryOptions {
  /** Takes each line. `console.log` by default. */
  printFn?: ((line: string) => void) | undefined;
  /** Width of the table in characters. That of the terminal by default, within 60 to 120; 76 where there is none. */
  width?: number | undefined;
  /** Whether the layers of models in the model are shown. False by default. */
  expandNested?: boolean | undefined;
  /** Whether a column says which layers are trained. False by default. */
  showTrainable?: boolean | undefined;
}

/** Prints a model's layers, output shapes and numbers of parameters, as Keras does. */
export function printSummary(model: Model, graph: FunctionalGraph | undefined, options: SummaryOptions = {}): void {
  const { printFn = console.log, width = usualWidth(), expandNested = false, showTrainable = false } = options;
  const connected = graph !== undefined && !isChain(graph);
  const columns = [
    { title: 'Layer (type)', share: connected ? 0.3 : 0.46 },
    { title: 'Output Shape', share: connected ? 0.27 : 0.33 },
    { title: 'Param #', share: connected ? 0.16 : 0.21, right: true },
    ...(connected ? [{ title: 'Connected to', share: 0.27 }] : []),
    ...(showTrainable ? [{ title: 'Trained', share: 0.16 }] : []),
  ];
  const rows: string[][] = [];
  const add = (layers: readonly Layer[], own: FunctionalGraph | undefined, depth: number): void => {
    for (const layer of layers) {
      const indent = depth === 0 ? '' : `${'  '.repeat(depth - 1)}└ `;
      rows.push([
        `${indent}${layer.name} (${layer.className})`,
        shapeOf(layer),
        parametersOf(layer),
        ...(connected ? [own ? connectionsOf(layer, own) : '-'] : []),
        ...(showTrainable ? [layer.weights.length === 0 ? '-' : layer.trainable ? 'yes' : 'no'] : []),
      ]);
      if (expandNested && layer instanceof Model) add(layer.layers, layer.graph, depth + 1);
    }
  };
  add(model.layers, graph, 0);
  printFn(`Model: "${model.name}"`);
  drawTable(columns, rows, width).forEach((line) => printFn(line));
  const total = model.weights;
  const trainable = model.trainableWeights;
  printFn(` Total params: ${amount(total)}`);
  printFn(` Trainable params: ${amount(trainable)}`);
  printFn(` Non-trainable params: ${amount(model.nonTrainableWeights)}`);
}

function usualWidth(): number {
  const { isTTY, columns } = process.stdout;
  return isTTY && columns > 0 ? Math.min(Math.max(columns, 60), 120) : 76;
}

/** Whether each layer takes what the one before it makes: then connections go without saying. */
function isChain(graph: FunctionalGraph): boolean {
  if (graph.inputTensors.length !== 1 || graph.outputTensors.length !== 1) return false;
  return graph.nodes.every(
    (node, i) =>
      node.layer instanceof InputLayer ||
      (node.inputTensors.length === 1 && graph.parents(node)[0] === graph.nodes[i - 1]),
  );
}

function formatShape(shape: SymbolicShape): string {
  return `[${shape.map((d) => d ?? 'null').join(', ')}]`;
}

function shapeOf(layer: Layer): string {
  const node = layer.inboundNodes.at(-1);
  if (node) return node.outputTensors.map(({ shape }) => formatShape(shape)).join(', ');
  if (!layer.buildShapes) return '?';
  const made = layer.outputShapes(layer.buildShapes.length === 1 ? layer.buildShapes[0]! : layer.buildShapes);
  const isShape = (value: unknown): value is SymbolicShape =>
    Array.isArray(value) && value.every((d) => d === null || typeof d === 'number');
  return flattenNest(made, isShape).map(formatShape).join(', ');
}

function parametersOf(layer: Layer): string {
  const { weights } = layer;
  if (!layer.built && weights.length === 0) return '0 (unbuilt)';
  return group(count(weights));
}

function connectionsOf(layer: Layer, graph: FunctionalGraph): string {
  if (layer instanceof InputLayer) return '-';
  return graph
    .nodesOf(layer)
    .flatMap((node) => node.inputTensors)
    .map((tensor) => {
      const { producer, index } = graph.resolve(tensor);
      return `${producer.layer.name}[${graph.nodesOf(producer.layer).indexOf(producer)}][${index}]`;
    })
    .join(', ');
}

function count(weights: readonly Variable[]): number {
  return weights.reduce((sum, { size }) => sum + size, 0);
}

/** `1,413,834 (5.39 MB)`. */
function amount(weights: readonly Variable[]): string {
  const bytes = weights.reduce((sum, { size, dtype }) => sum + size * bytesPerElement(dtype), 0);
  return `${group(count(weights))} (${readableBytes(bytes)})`;
}

function group(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

function readableBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(2)} ${units[unit]}`;
}
