import { mismatch } from '../../errors.js';

// The split syntax of TensorFlow Datasets: `train`, `train[:10%]`, `train[10%:25%]`, `train[-100:]`, and sums of these.

/** One end of a slice, or undefined for the end of the data. */
interface Bound {
  readonly value: number;
  readonly percent: boolean;
}

/** A part of the examples, from `from` up to `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

const SLICE = /^(\w+)(?:\[\s*(-?\d+(?:\.\d+)?%|-?\d+)?\s*:\s*(-?\d+(?:\.\d+)?%|-?\d+)?\s*\])?$/;

const SYNTAX = `'train', 'train[:10%]', 'train[10%:25%]', 'train[-100:]' or a sum of these with '+'`;

function parseBound(text: string | undefined): Bound | undefined {
  if (text === undefined) return undefined;
  return { value: Number.parseFloat(text), percent: text.endsWith('%') };
}

/** Rounds to the nearest whole number, halves to the even one, as Python does: 25% of 3670 are 918 here and there. */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

function place(op: string, split: string, bound: Bound, count: number): number {
  if (bound.percent && Math.abs(bound.value) > 100) {
    throw mismatch('ERR_ARGUMENT', { op }, 'percentages of at most 100 in split', `'${split}'`);
  }
  let index = bound.percent ? roundHalfEven((bound.value * count) / 100) : bound.value;
  if (index < 0) index += count;
  return Math.min(Math.max(index, 0), count);
}

/**
 * Which examples a split means.
 *
 * @param op - who asks, for messages
 * @param split - see above; the name before the bracket must be `train` or `all`: a folder has one set of examples
 * @param count - how many examples there are
 * @returns ranges in the order they were written
 * @throws FoveaError ERR_ARGUMENT
 */
export function parseSplit(op: string, split: string, count: number): Range[] {
  if (typeof split !== 'string') throw mismatch('ERR_ARGUMENT', { op }, `split to be ${SYNTAX}`, typeof split);
  return split.split('+').map((part) => {
    const [, name, from, to] = SLICE.exec(part.trim()) ?? [];
    if (name === undefined) throw mismatch('ERR_ARGUMENT', { op }, `split to be ${SYNTAX}`, `'${split}'`);
    if (name !== 'train' && name !== 'all') {
      const advice = `a split of 'train', the only set of examples there is (give the path of the folder '${name}' if it has one)`;
      throw mismatch('ERR_ARGUMENT', { op }, advice, `'${split}'`);
    }
    const [first, last] = [parseBound(from), parseBound(to)];
    const begin = first ? place(op, split, first, count) : 0;
    return { from: begin, to: Math.max(begin, last ? place(op, split, last, count) : count) };
  });
}

/** The members of a list that a split means. */
export function selectSplit<T>(op: string, split: string, items: readonly T[]): T[] {
  return parseSplit(op, split, items.length).flatMap(({ from, to }) => items.slice(from, to));
}
