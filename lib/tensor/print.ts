import type { DType, TypedArray } from './dtype.js';
import { sizeOf, type Shape } from './shape.js';

/** Numbers in as many levels of arrays as the tensor has dimensions. */
export type NestedArray = number | NestedArray[];

/** Arranges flat, row-major elements as nested arrays. */
export function nest(data: ArrayLike<number>, shape: Shape, offset = 0): NestedArray {
  if (shape.length === 0) return data[offset]!;
  const [head, ...rest] = shape;
  const step = sizeOf(rest);
  return Array.from({ length: head! }, (_, i) => nest(data, rest, offset + i * step));
}

/** Axes longer than this show their first and last {@link EDGE} entries. */
const LONG = 8;
const EDGE = 3;

/** The elements as text, aligned, at most a screenful. */
export function formatTensor(data: TypedArray, shape: Shape, dtype: DType): string {
  const cells = new Map<number, string>();
  const visit = (axis: number, offset: number): void => {
    if (axis === shape.length) {
      cells.set(offset, formatNumber(data[offset]!, dtype));
      return;
    }
    const step = sizeOf(shape.slice(axis + 1));
    for (const i of shown(shape[axis]!)) if (i >= 0) visit(axis + 1, offset + i * step);
  };
  visit(0, 0);
  const width = Math.max(0, ...[...cells.values()].map((c) => c.length));
  const draw = (axis: number, offset: number): string => {
    if (axis === shape.length) return cells.get(offset)!.padStart(width);
    const step = sizeOf(shape.slice(axis + 1));
    const parts = shown(shape[axis]!).map((i) => (i < 0 ? '...' : draw(axis + 1, offset + i * step)));
    const inner = axis === shape.length - 1;
    return `[${parts.join(inner ? ', ' : `,${'\n'.repeat(shape.length - 1 - axis)}${' '.repeat(axis + 1)}`)}]`;
  };
  return draw(0, 0);
}

/** Indices along an axis that are shown; -1 is the gap. */
function shown(length: number): number[] {
  const all = Array.from({ length }, (_, i) => i);
  return length <= LONG ? all : [...all.slice(0, EDGE), -1, ...all.slice(-EDGE)];
}

function formatNumber(value: number, dtype: DType): string {
  if (dtype === 'bool') return value ? 'true' : 'false';
  if (dtype === 'int32' || dtype === 'uint8' || !Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude >= 1e6 || magnitude < 1e-4)) return value.toExponential(4);
  return value.toFixed(4);
}
