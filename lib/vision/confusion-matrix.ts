import { formatShape, isHostTensor, type HostTensor } from '../data/host-tensor.js';
import { mismatch } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { checkNumber } from '../util/options.js';

/** Classes as numbers [n], or a number for each class [n, classes], of which the largest counts. */
export type ClassValues = Tensor | HostTensor | readonly number[];

/** The class of each example. */
async function classesOf(values: ClassValues, name: string, classes: number): Promise<number[]> {
  const op = 'confusionMatrix';
  if (!(values instanceof Tensor) && !isHostTensor(values)) return [...values];
  const data: ArrayLike<number> = values instanceof Tensor ? await values.data() : values.data;
  const { shape } = values;
  if (shape.length === 1 || (shape.length === 2 && shape[1] === 1)) return Array.from(data);
  if (shape.length !== 2 || shape[1] !== classes) {
    throw mismatch('ERR_SHAPE', { op }, `${name} of shape [n] or [n,${classes}]`, formatShape(shape));
  }
  return Array.from({ length: shape[0]! }, (_, i) => {
    let best = 0;
    for (let k = 1; k < classes; k++) if (data[i * classes + k]! > data[i * classes + best]!) best = k;
    return best;
  });
}

/**
 * Counts what a network takes for what: row t, column p is how many examples of class t were predicted as p.
 *
 * @param labels - the true classes, as numbers or one-hot
 * @param predictions - as numbers, or the network's outputs [n, classes]
 * @param classes - how many there are
 * @throws FoveaError ERR_SHAPE when the numbers of examples differ, ERR_ARGUMENT for a class out of range
 */
export async function confusionMatrix(
  labels: ClassValues,
  predictions: ClassValues,
  classes: number,
): Promise<number[][]> {
  const op = 'confusionMatrix';
  checkNumber(op, 'classes', classes, { min: 1, integer: true });
  const truth = await classesOf(labels, 'labels', classes);
  const guess = await classesOf(predictions, 'predictions', classes);
  if (truth.length !== guess.length) {
    throw mismatch('ERR_SHAPE', { op }, `as many predictions as labels, ${truth.length}`, String(guess.length));
  }
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [i, t] of truth.entries()) {
    const p = guess[i]!;
    const wrong = [t, p].find((k) => !Number.isInteger(k) || k < 0 || k >= classes);
    if (wrong !== undefined) {
      throw mismatch('ERR_ARGUMENT', { op }, `classes from 0 to ${classes - 1}`, String(wrong));
    }
    matrix[t]![p]! += 1;
  }
  return matrix;
}
