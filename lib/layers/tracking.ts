import { SeedGenerator } from '../random/seed.js';
import { Variable } from '../tensor/variable.js';
import { Layer } from './layer.js';

/** What a layer's own fields hold, in the order of the fields. */
export interface Tracked {
  readonly layers: Layer[];
  readonly variables: Variable[];
  readonly seeds: SeedGenerator[];
}

/**
 * Finds the layers, variables and seed generators that an object's own enumerable fields hold, directly or in arrays,
 * maps and plain records. What is in `#private` fields is not seen.
 */
export function trackedIn(owner: object): Tracked {
  const found = { layers: new Set<Layer>(), variables: new Set<Variable>(), seeds: new Set<SeedGenerator>() };
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (value instanceof Layer) {
      if (value !== owner) found.layers.add(value);
    } else if (value instanceof Variable) found.variables.add(value);
    else if (value instanceof SeedGenerator) found.seeds.add(value);
    else if (Array.isArray(value) || value instanceof Set) value.forEach(visit);
    else if (value instanceof Map) [...value.values()].forEach(visit);
    else if (isPlain(value)) Object.values(value).forEach(visit);
  };
  Object.values(owner).forEach(visit);
  return { layers: [...found.layers], variables: [...found.variables], seeds: [...found.seeds] };
}

function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null;
}
