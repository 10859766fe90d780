import { FoveaError, mismatch } from '../errors.js';
import * as initializers from '../initializers/index.js';
import type { Initializer } from '../initializers/index.js';
import * as regularizers from '../regularizers/index.js';
import type { Regularizer } from '../regularizers/index.js';
import { serialize, type Config, type ConfigValue } from '../util/options.js';
import { getActivation, type Activation, type ActivationLike } from './activations.js';
import type { Owner } from './arguments.js';
import { camelCase } from './names.js';

/** A name (`'heNormal'`), `{ className, config }`, or an object. */
export type InitializerLike = string | Initializer | Config;

/** A name (`'l2'`), `{ className, config }`, an object, or null for none. */
export type RegularizerLike = string | Regularizer | Config | null;

/** An activation with what the configuration says about it. */
export class ActivationPart {
  readonly apply: Activation;
  readonly #owner: Owner;
  readonly #name: string;

  constructor(owner: Owner, identifier: ActivationLike | null | undefined) {
    const { name, apply } = about(owner, 'activation', () => getActivation(identifier));
    this.apply = apply;
    this.#owner = owner;
    this.#name = name;
  }

  get config(): ConfigValue {
    if (this.#name !== '') return this.#name;
    const where = { op: camelCase(this.#owner.className), layer: this.#owner.name };
    throw mismatch('ERR_UNSUPPORTED', where, 'an activation with a name, to be written down', 'a function');
  }
}

export function initializerPart(owner: Owner, argument: string, identifier: InitializerLike): Initializer {
  return about(owner, argument, () => initializers.get(identifier));
}

export function regularizerPart(
  owner: Owner,
  argument: string,
  identifier: RegularizerLike | undefined,
): Regularizer | null {
  return about(owner, argument, () => regularizers.get(identifier ?? null));
}

/** Initializers and regularizers as configuration; null for none. */
export function partsConfig(parts: Readonly<Record<string, Initializer | Regularizer | null>>): Config {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part ? serialize(part) : null]));
}

/** Says which argument of which layer an error is about. */
function about<T>(owner: Owner, argument: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FoveaError)) throw error;
    const op = camelCase(owner.className);
    throw new FoveaError(`${op} "${owner.name}": ${argument}: ${error.message}`, {
      code: error.code,
      op,
      layer: owner.name,
      expected: error.expected,
      received: error.received,
      cause: error,
    });
  }
}
