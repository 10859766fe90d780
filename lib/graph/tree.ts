import { FoveaError } from '../errors.js';
import { formatShape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';

/** Tensors and numbers in arrays and plain records, nested at will; other values are kept as they are. */
export type Tree = unknown;

export interface FlatTree {
  /** Tensors and numbers, in order. */
  readonly leaves: readonly (Tensor | number)[];
  /** Text that is equal for trees of the same structure, shapes and types. */
  readonly key: string;
  /** The same structure around other tensors. */
  readonly rebuild: (tensors: readonly Tensor[]) => unknown;
}

/** Takes a structure apart into its leaves and a way to put it together again. */
export function flattenTree(tree: Tree): FlatTree {
  const leaves: (Tensor | number)[] = [];
  const key: string[] = [];
  type Builder = (tensors: readonly Tensor[]) => unknown;
  const visit = (node: unknown): Builder => {
    if (node instanceof Tensor || typeof node === 'number') {
      const at = leaves.push(node) - 1;
      key.push(node instanceof Tensor ? `${node.dtype}${formatShape(node.shape)}` : 'number');
      return (tensors) => tensors[at];
    }
    if (Array.isArray(node)) {
      key.push('(');
      const parts = node.map(visit);
      key.push(')');
      return (tensors) => parts.map((p) => p(tensors));
    }
    if (node !== null && typeof node === 'object' && isPlain(node)) {
      key.push('{');
      const parts = Object.entries(node).map(([name, value]) => {
        key.push(`${name}:`);
        return [name, visit(value)] as const;
      });
      key.push('}');
      return (tensors) => Object.fromEntries(parts.map(([name, p]) => [name, p(tensors)]));
    }
    if (node === undefined || node === null || typeof node === 'boolean' || typeof node === 'string') {
      key.push(JSON.stringify(node) ?? 'undefined');
      return () => node;
    }
    throw new FoveaError(
      `compile: expected tensors, numbers, strings, booleans, arrays and plain records, received ${
        typeof node === 'object' ? node.constructor.name || 'an object' : typeof node
      }`,
      { op: 'compile' },
    );
  };
  const build = visit(tree);
  return { leaves, key: key.join(' '), rebuild: build };
}

function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null;
}
