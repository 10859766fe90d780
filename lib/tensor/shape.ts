import { FoveaError, mismatch } from '../errors.js';

/** Dimensions, outermost first; `[]` is a scalar. Images are `[batch, height, width, channels]`. */
export type Shape = readonly number[];

/** The most elements one tensor may have (offsets are kept below 2^53, sizes below 2^47 bytes). */
const MAX_ELEMENTS = 2 ** 44;

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const d of shape) size *= d;
  return size;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i]!;
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** `[2,28,28,1]`, as it stands in messages. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(',')}]`;
}

/** Throws unless every dimension is a whole number of zero or more and the size is one that can exist. */
export function checkShape(op: string, shape: Shape): void {
  if (!Array.isArray(shape) || !shape.every((d) => Number.isInteger(d) && d >= 0) || sizeOf(shape) > MAX_ELEMENTS) {
    throw new FoveaError(
      `${op}: expected a shape of whole numbers of zero or more, received ${JSON.stringify(shape)}`,
      {
        code: 'ERR_SHAPE',
        op,
        expected: 'whole numbers of zero or more',
        received: shape,
      },
    );
  }
}

/** The shape that NumPy's broadcasting gives, or `undefined` when the two do not fit. */
export function broadcastShapes(a: Shape, b: Shape): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const da = a[a.length - rank + i] ?? 1;
    const db = b[b.length - rank + i] ?? 1;
    if (da !== db && da !== 1 && db !== 1) return undefined;
    out[i] = da === 1 ? db : da;
  }
  return out;
}

/** Turns `axes` (negative ones count from the end) into sorted, distinct, non-negative ones; `undefined` means all. */
export function normalizeAxes(op: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = (typeof axes === 'number' ? [axes] : axes).map((a) => normalizeAxis(op, a, rank));
  const distinct = [...new Set(list)].sort((x, y) => x - y);
  if (distinct.length !== list.length) {
    throw mismatch('ERR_SHAPE', { op }, 'distinct axes', JSON.stringify(axes));
  }
  return distinct;
}

/** Turns one axis into a non-negative one. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    const expected = rank === 0 ? 'a rank of at least 1' : `an axis between ${-rank} and ${rank - 1}`;
    throw mismatch('ERR_SHAPE', { op }, expected, rank === 0 ? 'a scalar' : String(axis));
  }
  return axis < 0 ? axis + rank : axis;
}
