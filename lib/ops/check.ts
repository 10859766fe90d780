import { mismatch } from '../errors.js';
import type { ValueSpec } from '../graph/node.js';
import { layerPath } from '../graph/trace.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { formatShape } from '../tensor/shape.js';

/** An op's name with the layer that is being applied, for messages. */
export function where(op: string): { op: string; layer?: string } {
  const layer = layerPath();
  return layer ? { op, layer } : { op };
}

/** Throws ERR_SHAPE unless `ok`. */
export function requireShape(op: string, ok: boolean, expected: string, received: string): void {
  if (!ok) throw mismatch('ERR_SHAPE', where(op), expected, received);
}

/** Throws ERR_ARGUMENT unless `ok`. */
export function requireArgument(op: string, ok: boolean, expected: string, received: unknown): void {
  if (ok) return;
  const plain = typeof received === 'string' || typeof received === 'number';
  const text = plain ? String(received) : (JSON.stringify(received) ?? 'undefined');
  throw mismatch('ERR_ARGUMENT', where(op), expected, text);
}

/** Throws unless the value has the rank. */
export function requireRank(op: string, name: string, value: ValueSpec, rank: number): void {
  requireShape(op, value.shape.length === rank, `${name} of rank ${rank}`, formatShape(value.shape));
}

/** Throws unless the value is floating point. */
export function requireFloat(op: string, name: string, value: ValueSpec): void {
  if (!isFloat(value.dtype)) throw mismatch('ERR_DTYPE', where(op), `${name} of dtype float32`, value.dtype);
}

/** Throws unless the value has the dtype. */
export function requireDType(op: string, name: string, value: ValueSpec, dtype: DType): void {
  if (value.dtype !== dtype) throw mismatch('ERR_DTYPE', where(op), `${name} of dtype ${dtype}`, value.dtype);
}

/** Throws unless all values have one dtype. */
export function requireSameDType(op: string, values: readonly ValueSpec[]): void {
  const first = values[0]!.dtype;
  const other = values.find((v) => v.dtype !== first);
  if (other) throw mismatch('ERR_DTYPE', where(op), `inputs of one dtype (the first is ${first})`, other.dtype);
}
