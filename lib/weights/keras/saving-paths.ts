import { Layer } from '../../layers/layer.js';
import { snakeCase } from '../../layers/names.js';
import type { Variable } from '../../tensor/variable.js';
import { Model } from '../../training/model.js';

/** A layer and where Keras keeps its variables: in the group `<path>/vars`, under 0, 1, ... */
export interface SavedLayer {
  /** `layers/conv2d_1`; empty for the model itself. */
  readonly path: string;
  readonly layer: Layer;
  /** Those that are trained first, then the others. */
  readonly variables: readonly Variable[];
}

/**
 * The layers of a model in the order in which Keras 3 saves them, with their paths. Names do not count: a layer in a
 * list is called by its class, with a counter in that list (`saving_lib._save_state`). Layers in fields are called by
 * the field, in snake_case, fields in alphabetical order; a layer that is met again is not saved again.
 */
export function savedLayers(model: Layer): SavedLayer[] {
  const saved: SavedLayer[] = [];
  const visited = new Set<Layer>();
  const visitLayer = (layer: Layer, path: string): void => {
    if (visited.has(layer)) return;
    visited.add(layer);
    saved.push({ path, layer, variables: layer.ownWeights });
    for (const [name, child] of childrenOf(layer)) {
      if (child instanceof Layer) visitLayer(child, join(path, name));
      else visitContainer(child, join(path, name));
    }
  };
  const visitContainer = (container: readonly unknown[], path: string): void => {
    const used = new Map<string, number>();
    for (const child of container) {
      if (child instanceof Layer) visitLayer(child, join(path, unique(snakeCase(child.className), used)));
      else {
        const inner = contentsOf(child);
        if (inner) visitContainer(inner, join(path, unique('container', used)));
      }
    }
  };
  visitLayer(model, '');
  return saved;
}

/** The weights by their paths: `layers/conv2d/vars/0`. */
export function savedVariables(model: Layer): Map<string, Variable> {
  return new Map(
    savedLayers(model).flatMap(({ path, variables }) =>
      variables.map((variable, i) => [join(path, `vars/${i}`), variable] as const),
    ),
  );
}

function childrenOf(layer: Layer): [name: string, child: Layer | readonly unknown[]][] {
  const isGraph = layer instanceof Model && layer.graph !== undefined;
  const listed: [string, readonly Layer[]][] = layer instanceof Model ? [['layers', layer.layers]] : [];
  const fields: [string, Layer | readonly unknown[]][] = [];
  for (const [field, value] of Object.entries(layer)) {
    const child = value instanceof Layer ? value : contentsOf(value);
    if (child) fields.push([fieldName(field), child]);
  }
  // Subclassed models have the list of their layers among their fields.
  if (!isGraph) fields.push(...listed);
  fields.sort(([a], [b]) => (sortKey(a) < sortKey(b) ? -1 : 1));
  return isGraph ? [...listed, ...fields] : fields;
}

/** What is in a list, set, map or plain record; undefined for anything else. */
function contentsOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value as unknown[];
  if (value instanceof Set || value instanceof Map)
    return [...(value as Set<unknown> | Map<unknown, unknown>).values()];
  if (typeof value !== 'object' || value === null) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? Object.values(value) : undefined;
}

/** `skipLayers` as a Python programmer spells it. */
function fieldName(field: string): string {
  return field.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

/** Private fields come last. */
function sortKey(name: string): string {
  return name.startsWith('_') ? `~${name}` : name;
}

function unique(name: string, used: Map<string, number>): string {
  const count = used.get(name);
  used.set(name, (count ?? -1) + 1);
  return count === undefined ? name : `${name}_${count + 1}`;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}
