import type { Nest } from '../../layers/nest.js';
import { badConfig, isRecord, type Json } from './json.js';

/** Where a value comes from, as the library's own configurations say it. */
interface Reference {
  readonly tensor: readonly [layer: string, use: number, output: number];
}

/** Layers whose uses are counted from 1. */
export type FromOne = ReadonlySet<string>;

/** One use of a layer. */
export interface GraphNode {
  readonly inputs: (fromOne: FromOne) => Nest<Reference>;
  readonly training: boolean | undefined;
}

/**
 * The uses of a layer, in either dialect.
 *
 * Keras 2: a list of `[layer, use, output, keywords]` for each use; models count from 1. Keras 3: the arguments of each
 * call, with values as `{ class_name: '__keras_tensor__', config: { keras_history } }`; models count from 0.
 */
export function readNodes(file: string, name: string, json: unknown): GraphNode[] {
  if (json === undefined || json === null) return [];
  if (!Array.isArray(json)) throw badConfig(file, `layer "${name}": expected a list of inbound_nodes`);
  return json.map((node: unknown) => {
    if (Array.isArray(node)) return readOldNode(file, name, node);
    if (isRecord(node) && Array.isArray(node['args'])) return readNewNode(file, name, node);
    throw badConfig(file, `layer "${name}": expected inbound_nodes of Keras 2 or 3`);
  });
}

function readOldNode(file: string, name: string, node: readonly unknown[]): GraphNode {
  // A single use may come without the list around it.
  const entries = typeof node[0] === 'string' ? [node] : node;
  let training: boolean | undefined;
  const places = entries.map((entry) => {
    const [layer, use, output, keywords] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof layer !== 'string' || !isIndex(use) || !isIndex(output)) {
      throw badConfig(file, `layer "${name}": expected [layer, use, output] in inbound_nodes`);
    }
    if (isRecord(keywords)) training = readKeywords(file, name, keywords) ?? training;
    return [layer, use, output] as const;
  });
  const inputs = (counted: FromOne): Nest<Reference> => {
    const references = places.map(([layer, use, output]) => reference(layer, useOf(counted, layer, use), output));
    return references.length === 1 ? references[0]! : references;
  };
  return { inputs, training };
}

function readNewNode(file: string, name: string, node: Json): GraphNode {
  const [first, ...rest] = node['args'] as unknown[];
  const keywords = isRecord(node['kwargs']) ? node['kwargs'] : {};
  if (rest.some((value) => value !== null)) {
    throw badConfig(file, `layer "${name}": expected one argument, received ${rest.length + 1}`);
  }
  // Functional models may be called by the name of their argument.
  const inputs = first ?? keywords['inputs'];
  const training = readKeywords(file, name, { ...keywords, inputs: null });
  return { inputs: () => readTensors(file, name, inputs), training };
}

function readTensors(file: string, name: string, value: unknown): Nest<Reference> {
  const one = tensorOf(value);
  if (one) return one;
  const inner = Array.isArray(value)
    ? (value as unknown[])
    : isRecord(value) && value['class_name'] === '__tuple__' && Array.isArray(value['items'])
      ? (value['items'] as unknown[])
      : undefined;
  const read = (part: unknown): Reference => {
    const found = tensorOf(part);
    if (!found) throw badConfig(file, `layer "${name}": expected values of the graph as inputs`);
    return found;
  };
  if (inner) return inner.map(read);
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, read(part)]));
  return read(value);
}

function tensorOf(value: unknown): Reference | undefined {
  if (!isRecord(value) || value['class_name'] !== '__keras_tensor__' || !isRecord(value['config'])) return undefined;
  const history = value['config']['keras_history'];
  if (!Array.isArray(history)) return undefined;
  const [layer, use, output] = history as unknown[];
  return typeof layer === 'string' && isIndex(use) && isIndex(output) ? reference(layer, use, output) : undefined;
}

/** @returns `training`, if the use has it settled */
function readKeywords(file: string, name: string, keywords: Json): boolean | undefined {
  for (const [key, value] of Object.entries(keywords)) {
    if (value === null || key === 'training' || key === 'name') continue;
    throw badConfig(file, `layer "${name}": expected a call without '${key}'`);
  }
  return typeof keywords['training'] === 'boolean' ? keywords['training'] : undefined;
}

/** Inputs and outputs of a model: one `[layer, use, output]`, a list of them, or a record. */
export function readReferences(file: string, json: unknown, counted: FromOne): Nest<Reference> {
  if (Array.isArray(json)) {
    const list = json as unknown[];
    if (typeof list[0] !== 'string') {
      const references = list.map((inner) => readReferences(file, inner, counted) as Reference);
      return references.length === 1 ? references[0]! : references;
    }
    const [layer, use, output] = list as [string, unknown, unknown];
    if (isIndex(use) && isIndex(output)) return reference(layer, useOf(counted, layer, use), output);
  }
  if (isRecord(json)) {
    const entries = Object.entries(json).map(([key, inner]) => [
      key,
      readReferences(file, inner, counted) as Reference,
    ]);
    return Object.fromEntries(entries) as Readonly<Record<string, Reference>>;
  }
  throw badConfig(file, 'expected input_layers and output_layers');
}

/** 0 where a model was built too late to be counted itself. */
function useOf(counted: FromOne, layer: string, use: number): number {
  return counted.has(layer) ? Math.max(0, use - 1) : use;
}

/** Whether uses are written as Keras 2 does. */
export function isOldDialect(nodes: unknown): boolean {
  return Array.isArray(nodes) && Array.isArray(nodes[0]);
}

function reference(layer: string, use: number, output: number): Reference {
  return { tensor: [layer, use, output] };
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
