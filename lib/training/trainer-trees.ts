import { Tensor } from '../tensor/tensor.js';
import type { TensorTree } from './trainer-types.js';

/** One leaf of a structure with its place: the index in an array, the key in a record, `undefined` when it is alone. */
export interface NamedLeaf<T> {
  readonly key: string | number | undefined;
  readonly value: T;
}

/** Tensors of a structure one level deep, with their places. Deeper structures are flattened in order. */
export function leavesOf(tree: TensorTree): NamedLeaf<Tensor>[] {
  if (tree instanceof Tensor) return [{ key: undefined, value: tree }];
  const flatten = (key: string | number, value: TensorTree): NamedLeaf<Tensor>[] =>
    leavesOf(value).map((leaf) => ({ key, value: leaf.value }));
  if (isList(tree)) return tree.flatMap((item, index) => flatten(index, item));
  return Object.entries(tree).flatMap(([key, item]) => flatten(key, item));
}

/** The same structure with each tensor replaced, in the order of {@link leavesOf}. */
export function mapTree(tree: TensorTree, fn: (tensor: Tensor, index: number) => Tensor): TensorTree {
  let index = 0;
  const visit = (item: TensorTree): TensorTree => {
    if (item instanceof Tensor) return fn(item, index++);
    if (isList(item)) return item.map(visit);
    return Object.fromEntries(Object.entries(item).map(([key, value]) => [key, visit(value)]));
  };
  return visit(tree);
}

/** As `Array.isArray`, for types with readonly arrays. */
export function isList(value: unknown): value is readonly unknown[] & readonly TensorTree[] {
  return Array.isArray(value);
}

/** Something given once for all outputs, or for each by order or name, as a function of the output. */
export function perOutput<T>(
  spec: readonly T[] | { readonly [name: string]: T } | undefined,
  index: number,
  name: string,
): T | undefined {
  if (spec === undefined) return undefined;
  return isListOf<T>(spec) ? spec[index] : spec[name];
}

function isListOf<T>(value: readonly T[] | { readonly [name: string]: T }): value is readonly T[] {
  return Array.isArray(value);
}
