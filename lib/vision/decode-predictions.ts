import { formatShape, isHostTensor, type HostTensor } from '../data/host-tensor.js';
import { mismatch } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { checkNumber } from '../util/options.js';
import { IMAGENET_CLASSES } from './imagenet-classes.js';

/** A class that a network holds for likely. */
export interface Prediction {
  /** The number of the output. */
  readonly index: number;
  readonly name: string;
  /** The class's synset in WordNet; undefined for classes that are not ImageNet's. */
  readonly wnid: string | undefined;
  readonly probability: number;
}

export interface DecodePredictionsOptions {
  /** How many classes of each image. 5 unless told. */
  readonly top?: number | undefined;
  /** The names of the outputs. ImageNet's 1,000 unless told. */
  readonly classes?: readonly string[] | undefined;
}

/**
 * Names the likeliest classes, best first (Keras's `decode_predictions`). Equal probabilities come in the order of the
 * outputs.
 *
 * @param probabilities - [n, classes], or [classes] of one image
 * @returns a list for each image
 * @throws FoveaError ERR_SHAPE when the number of outputs is not that of the classes
 */
export async function decodePredictions(
  probabilities: Tensor | HostTensor,
  options: DecodePredictionsOptions = {},
): Promise<Prediction[][]> {
  const op = 'decodePredictions';
  const { top = 5, classes } = options;
  checkNumber(op, 'top', top, { min: 1, integer: true });
  if (!(probabilities instanceof Tensor) && !isHostTensor(probabilities)) {
    throw mismatch('ERR_ARGUMENT', { op }, 'probabilities as tensor', typeof probabilities);
  }
  const { shape } = probabilities;
  const count = classes?.length ?? IMAGENET_CLASSES.length;
  if (!(shape.length === 1 || shape.length === 2) || shape.at(-1) !== count) {
    throw mismatch('ERR_SHAPE', { op }, `probabilities of shape [n,${count}]`, formatShape(shape));
  }
  const data = probabilities instanceof Tensor ? await probabilities.data() : probabilities.data;
  const name = (index: number): string => classes?.[index] ?? IMAGENET_CLASSES[index]!.name;
  const wnid = (index: number): string | undefined => (classes ? undefined : IMAGENET_CLASSES[index]!.wnid);
  const rows = shape.length === 1 ? 1 : shape[0]!;
  return Array.from({ length: rows }, (_, row) => {
    const values = data.subarray(row * count, (row + 1) * count);
    return bestOf(values, top).map((index) => ({
      ...{ index, name: name(index), wnid: wnid(index), probability: values[index]! },
    }));
  });
}

/** Indices of the largest, in order. NaN is worth less than any number. */
function bestOf(values: ArrayLike<number>, top: number): number[] {
  const worth = (i: number): number => (Number.isNaN(values[i]) ? -Infinity : values[i]!);
  const order = Array.from({ length: values.length }, (_, i) => i);
  return order.sort((a, b) => worth(b) - worth(a) || a - b).slice(0, top);
}
