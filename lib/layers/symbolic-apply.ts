import { mismatch } from '../errors.js';
import { withoutTrace } from '../graph/trace.js';
import { broadcastTo } from '../ops/index.js';
import { scalar } from '../tensor/create.js';
import { Tensor } from '../tensor/tensor.js';
import { Layer } from './layer.js';
import { flattenNest, mapNest, type Nest } from './nest.js';
import { isSymbolic, LayerNode, SymbolicTensor, type SymbolicShape } from './symbolic.js';

const isTensor = (value: unknown): value is Tensor => value instanceof Tensor;
const isShape = (value: unknown): value is SymbolicShape =>
  Array.isArray(value) && value.every((d) => d === null || typeof d === 'number');

/** Sizes that stand for unknown ones: the batch, and any other. Outputs that differ between the two are unknown. */
const TRIALS = [
  { batch: 2, other: 64 },
  { batch: 3, other: 96 },
] as const;

/**
 * Uses a layer in a functional model: builds it, works out the shapes of its outputs and notes the use.
 *
 * @param training - what this use is always called with; undefined follows the model
 */
export function applySymbolic(
  layer: Layer,
  inputs: Nest<SymbolicTensor>,
  training: boolean | undefined,
): Nest<SymbolicTensor> {
  const node = new LayerNode(layer, inputs, training);
  const flat = node.inputTensors;
  const shapes = layer.within(training, () =>
    withoutTrace(() => {
      layer.checkInputs(flat.map(({ shape }) => shape));
      layer.build(...flat.map(({ shape }) => shape));
      return layer.outputShapes(mapNest(inputs, isSymbolic, ({ shape }) => shape));
    }),
  );
  const dtype = layer.outputDType(flat.map((t) => t.dtype));
  node.outputs = mapNest(shapes, isShape, (shape, index) => new SymbolicTensor(shape, dtype, node, index));
  layer.inboundNodes.push(node);
  return node.outputs;
}

/** The shapes of a layer's outputs, in the structure in which it returns them. */
export function outputShapes(layer: Layer, inputs: Nest<SymbolicShape>): Nest<SymbolicShape> {
  if (layer.computeOutputShape === Layer.prototype.computeOutputShape) return inferNest(layer, inputs);
  return layer.computeOutputShape(...flattenNest(inputs, isShape));
}

/** As {@link outputShapes} by calling the layer on placeholders, as a list. */
export function inferShapes(layer: Layer, inputs: Nest<SymbolicShape>): SymbolicShape[] {
  return flattenNest(inferNest(layer, inputs), isShape);
}

function inferNest(layer: Layer, inputs: Nest<SymbolicShape>): Nest<SymbolicShape> {
  const open = flattenNest(inputs, isShape).some((shape) => shape.includes(null));
  const [first, second] = TRIALS.slice(0, open ? 2 : 1).map(({ batch, other }) => {
    const made = mapNest(inputs, isShape, (shape) =>
      broadcastTo(
        scalar(0),
        shape.map((d, axis) => d ?? (axis === 0 ? batch : other)),
      ),
    );
    return mapNest(layer.apply<Nest<Tensor>>(made, { training: false }), isTensor, (t) => t.shape);
  });
  if (!second) return first!;
  const others = flattenNest<SymbolicShape>(second, isShape);
  return mapNest<SymbolicShape, SymbolicShape>(first!, isShape, (shape, index) => {
    const other = others[index];
    if (other?.length !== shape.length) {
      throw mismatch('ERR_SHAPE', layer.errorLabel(), 'outputs of one rank whatever the batch', 'outputs of several');
    }
    return shape.map((d, axis) => (d === other[axis] ? d : null));
  });
}
