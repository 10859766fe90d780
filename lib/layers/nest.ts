import { FoveaError } from '../errors.js';
import { format } from '../util/options.js';

/** One thing, a list of them, or a record of them: what models of several inputs or outputs take and give. */
export type Nest<T> = T | readonly T[] | Readonly<Record<string, T>>;

/** The things of a nest, in order (a record's by its keys). */
export function flattenNest<T extends object>(nest: Nest<T>, isLeaf: (value: unknown) => value is T): T[] {
  if (isLeaf(nest)) return [nest];
  const found: T[] = [];
  for (const value of Object.values(nest)) {
    if (!isLeaf(value))
      throw new FoveaError(`expected a tensor, or a list or record of them, received ${describe(value)}`);
    found.push(value);
  }
  return found;
}

/** The same structure around other things. */
export function mapNest<T extends object, U>(
  nest: Nest<T>,
  isLeaf: (value: unknown) => value is T,
  map: (leaf: T, index: number) => U,
): Nest<U> {
  if (isLeaf(nest)) return map(nest, 0);
  if (Array.isArray(nest)) return (nest as readonly T[]).map(map);
  return Object.fromEntries(Object.entries(nest).map(([key, leaf], index) => [key, map(leaf, index)]));
}

/** What a wrong value is, for messages. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${describe(value[0])}`;
  if (typeof value === 'object') return value.constructor?.name ?? 'an object';
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return value.name ? `the function ${value.name}` : 'a function';
  return format(value);
}
