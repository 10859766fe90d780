import { currentDevice } from '../backends/registry.js';
import { FoveaError, mismatch } from '../errors.js';
import { specOf, type GraphNode, type Value } from '../graph/node.js';
import { Trace, withTrace } from '../graph/trace.js';
import type { Layer } from '../layers/layer.js';
import { flattenNest, mapNest, type Nest } from '../layers/nest.js';
import type { SymbolicShape } from '../layers/symbolic.js';
import { sizeOf } from '../tensor/shape.js';
import { Tensor, tensorOf } from '../tensor/tensor.js';

/** The work of one inference on one example. */
export interface FlopCount {
  /** Multiply-adds of convolutions and matrix products: what papers and model tables call "FLOPs" or "GMACs". */
  readonly multiplyAdds: number;
  /** The same by layer path, in the order of computation; layers without any are left out. */
  readonly layers: ReadonlyMap<string, number>;
}

export interface FlopOptions {
  /** Shape of the input without the batch, or a list or record of them for several inputs. The model's own unless given. */
  inputShape?: Nest<SymbolicShape> | undefined;
}

/** A layer, or a model that knows its inputs. */
type Countable = Layer & { readonly inputShape?: SymbolicShape | readonly SymbolicShape[] | undefined };

const isShape = (value: unknown): value is SymbolicShape =>
  Array.isArray(value) && value.every((d) => d === null || typeof d === 'number');

/**
 * Counts the multiply-adds of a model: it is called in inference mode on placeholders for one example (nothing is
 * computed), and the graph that this makes is walked. Convolutions (grouped and depthwise ones with their true share),
 * transposed convolutions and matrix products count; pooling, normalization and activations do not, as is the custom.
 *
 * @example
 * countFlops(createModel('resnet50')).multiplyAdds; // 4.09e9
 *
 * @throws FoveaError when the size of an input is not known
 */
export function countFlops(model: Layer, { inputShape }: FlopOptions = {}): FlopCount {
  const shapes = inputShape ?? declaredShapes(model);
  const trace = new Trace('countFlops', currentDevice());
  const inputs = mapNest(shapes, isShape, (shape) => {
    if (shape.includes(null)) {
      throw mismatch(
        'ERR_SHAPE',
        { op: 'countFlops', layer: model.name },
        'an inputShape of known sizes',
        String(shape),
      );
    }
    return tensorOf(trace.placeholder({ shape: [1, ...(shape as readonly number[])], dtype: 'float32' }));
  });
  const alone = Array.isArray(inputs) && inputs.length === 1 ? (inputs[0] as Tensor) : inputs;
  const outputs = withTrace(trace, () => model.apply<Nest<Tensor>>(alone, { training: false }));
  const values = flattenNest(outputs, (value): value is Tensor => value instanceof Tensor).map((t) =>
    t.value('countFlops'),
  );
  const layers = new Map<string, number>();
  let multiplyAdds = 0;
  for (const node of reachable(values)) {
    const count = multiplyAddsOf(node);
    if (count === 0) continue;
    multiplyAdds += count;
    layers.set(node.layer, (layers.get(node.layer) ?? 0) + count);
  }
  return { multiplyAdds, layers };
}

/** The shapes of a model's inputs, without the batch. */
function declaredShapes(model: Countable): readonly SymbolicShape[] {
  const shape = model.inputShape;
  if (shape === undefined || shape.length === 0) {
    throw new FoveaError(`countFlops "${model.name}": expected an inputShape, as the model does not know its own`, {
      code: 'ERR_ARGUMENT',
      op: 'countFlops',
      layer: model.name,
    });
  }
  return (isShape(shape) ? [shape] : shape).map((one) => one.slice(1));
}

/** All nodes that the values depend on, in the order in which they were made. */
function reachable(values: readonly Value[]): GraphNode[] {
  const found = new Set<GraphNode>();
  const open = values.map(({ node }) => node);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    for (const input of node.inputs) open.push(input.node);
  }
  return [...found].sort((a, b) => a.id - b.id);
}

function multiplyAddsOf(node: GraphNode): number {
  const output = node.outputs[0]?.shape ?? [];
  const shapeOf = (index: number): readonly number[] => specOf(node.inputs[index]!).shape;
  switch (node.op?.name) {
    case 'conv2d': {
      // [kh, kw, channels of the group, filters]: each output element sums kh * kw * channels products.
      const [kh, kw, channels] = shapeOf(1) as readonly [number, number, number];
      return sizeOf(output) * kh * kw * channels;
    }
    case 'conv2dBackwardInput': {
      // A transposed convolution: each input element is spread over kh * kw * channels outputs.
      const [kh, kw, channels] = shapeOf(1) as readonly [number, number, number];
      return sizeOf(shapeOf(0)) * kh * kw * channels;
    }
    case 'matmul':
      return sizeOf(output) * shapeOf(0).at(node.attributes['transposeA'] === true ? -2 : -1)!;
    default:
      return 0;
  }
}
