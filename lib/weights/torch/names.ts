import { FoveaError } from '../../errors.js';
import type { Layer } from '../../layers/layer.js';
import type { SymbolicTensor } from '../../layers/symbolic.js';
import type { TypedArray } from '../../tensor/dtype.js';
import type { Variable } from '../../tensor/variable.js';

/** How a weight of ours stands in a PyTorch `state_dict`. */
export interface TorchWeight {
  readonly variable: Variable;
  /** `layer1.0.conv1.weight` */
  readonly name: string;
  /** The shape it has there: convolutions OIHW, linear layers [out, in]. */
  readonly shape: readonly number[];
  /** Puts elements in PyTorch's order into ours. */
  readonly convert: (values: TypedArray) => TypedArray;
}

/** A tensor of a `state_dict`, row-major. */
export interface TorchTensor {
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** The last part of a variable's name, ours and theirs. */
const PARTS: Readonly<Record<string, string>> = {
  kernel: 'weight',
  bias: 'bias',
  gamma: 'weight',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};

/**
 * The weights of a model with their names and layouts in a PyTorch `state_dict`. The rule is mechanical: a layer bears
 * the path of the module (`layer1.0.conv1`), the last part of the name follows from the kind of weight, kernels change
 * from OIHW to HWIO, linear weights are transposed. A dense layer behind `Flatten` also has its rows put from
 * channels-first into channels-last order.
 */
export function torchWeights(model: Layer): TorchWeight[] {
  return model.flattenLayers().flatMap((layer) =>
    layer.ownWeights.map((variable) => {
      const path = variable.name.split('/');
      const part = path.pop() ?? '';
      const name = `${path.join('.')}.${PARTS[part] ?? part}`;
      return { variable, name, ...layoutOf(layer, variable, part) };
    }),
  );
}

/** Buffers of PyTorch that have no counterpart: how many batches a normalization has seen. */
export const IGNORED = /(^|\.)num_batches_tracked$/;

/**
 * The values of a `state_dict` in the order of `model.weights`, for `model.setWeights`.
 *
 * @param state - tensors by name
 * @param ignore - names in it that the model need not have: `/^aux/` for a GoogLeNet without its auxiliary heads
 * @throws FoveaError that lists what is missing, what nobody wants, and what has another shape
 */
export function fromStateDict(
  model: Layer,
  state: ReadonlyMap<string, TorchTensor>,
  { ignore }: { ignore?: RegExp } = {},
): TypedArray[] {
  const wanted = new Map(torchWeights(model).map((weight) => [weight.variable, weight]));
  const left = new Set([...state.keys()].filter((name) => !IGNORED.test(name) && !ignore?.test(name)));
  const wrong: string[] = [];
  const values = model.weights.map((variable) => {
    const weight = wanted.get(variable)!;
    const tensor = state.get(weight.name);
    left.delete(weight.name);
    if (!tensor) {
      wrong.push(`${weight.name}: missing (for ${variable.name})`);
    } else if (tensor.shape.join() !== weight.shape.join()) {
      wrong.push(`${weight.name}: expected [${weight.shape.join()}], received [${tensor.shape.join()}]`);
    } else {
      return weight.convert(tensor.data);
    }
    return new Float32Array(0);
  });
  for (const name of left) wrong.push(`${name}: no weight of the model has this name`);
  if (wrong.length > 0) {
    const shown = wrong.slice(0, 20);
    const more = wrong.length > shown.length ? `\n  and ${wrong.length - shown.length} more` : '';
    throw new FoveaError(`fromStateDict "${model.name}": the weights do not fit:\n  ${shown.join('\n  ')}${more}`, {
      code: 'ERR_SHAPE',
      op: 'fromStateDict',
      received: wrong,
    });
  }
  return values;
}

/** The shape in PyTorch and the order in which its axes become ours. */
function layoutOf(layer: Layer, { shape }: Variable, part: string): Pick<TorchWeight, 'shape' | 'convert'> {
  if (part !== 'kernel') return { shape, convert: (values) => values };
  if (shape.length === 4) {
    const [h, w, i, o] = shape as readonly [number, number, number, number];
    return layer.className === 'DepthwiseConv2D'
      ? { shape: [i * o, 1, h, w], convert: (values) => permute(values, [i, o, h, w], [2, 3, 0, 1]) }
      : { shape: [o, i, h, w], convert: (values) => permute(values, [o, i, h, w], [2, 3, 1, 0]) };
  }
  const [rows, units] = shape as readonly [number, number];
  const [h, w, c] = flattenedImage(layer) ?? [1, 1, rows];
  return { shape: [units, rows], convert: (values) => permute(values, [units, c, h, w], [2, 3, 1, 0]) };
}

/** Height, width and channels of the image that a dense layer sees flattened; its other inputs keep their order. */
function flattenedImage(layer: Layer): readonly [number, number, number] | undefined {
  for (let node = layer.inboundNodes[0]; node !== undefined;) {
    const input: SymbolicTensor | undefined = node.inputTensors[0];
    if (input?.rank === 4) return input.shape.slice(1) as unknown as readonly [number, number, number];
    // Only what leaves the elements where they are may stand between.
    if (!['Flatten', 'Dropout'].includes(input?.layer.className ?? '')) return undefined;
    node = input!.producer;
  }
  return undefined;
}

/** Row-major elements with their axes in another order, as a new array. */
function permute(values: TypedArray, shape: readonly number[], order: readonly number[]): TypedArray {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, d) => product * d, 1));
  const sizes = order.map((axis) => shape[axis]!);
  const steps = order.map((axis) => strides[axis]!);
  const made = new (values.constructor as new (length: number) => TypedArray)(values.length);
  let at = 0;
  const walk = (axis: number, from: number): void => {
    const [size, step] = [sizes[axis]!, steps[axis]!];
    if (axis < sizes.length - 1) for (let k = 0; k < size; k++) walk(axis + 1, from + k * step);
    else for (let k = 0; k < size; k++) made[at++] = values[from + k * step]!;
  };
  walk(0, 0);
  return made;
}
