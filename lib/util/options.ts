import { FoveaError, mismatch } from '../errors.js';

/** What configurations are made of: JSON. */
export type ConfigValue =
  string | number | boolean | null | readonly ConfigValue[] | { readonly [key: string]: ConfigValue | undefined };

/** The options of an object, as JSON. */
export type Config = { readonly [key: string]: ConfigValue | undefined };

/** A configuration with the class it makes: what model files hold. */
export type Serialized = { readonly className: string; readonly config: Config };

/** Anything that can be written down and made again. */
export interface Configurable {
  readonly className: string;
  getConfig(): Config;
}

/** Writes down an object as its class's name and its configuration. */
export function serialize(object: Configurable): Serialized {
  return { className: object.className, config: object.getConfig() };
}

/** `initial_learning_rate` and `beta_1` as `initialLearningRate` and `beta1`; names without underscores stay. */
export function camelCase(name: string): string {
  return name.replace(/(?<=[^_])_+([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase());
}

/** Limits of a number, all included but `above`. */
export interface Limits {
  readonly min?: number;
  readonly max?: number;
  /** The number must be larger than this. */
  readonly above?: number;
  /** The number must be smaller than this. */
  readonly below?: number;
  readonly integer?: boolean;
}

function describe({ min, max, above, below, integer }: Limits): string {
  const parts = [
    min === undefined ? undefined : `of at least ${min}`,
    above === undefined ? undefined : `above ${above}`,
    max === undefined ? undefined : `of at most ${max}`,
    below === undefined ? undefined : `below ${below}`,
  ].filter((p) => p !== undefined);
  return `${integer ? 'a whole number' : 'a finite number'}${parts.length > 0 ? ` ${parts.join(' and ')}` : ''}`;
}

/** Throws ERR_ARGUMENT unless `value` is a finite number within limits. */
export function checkNumber(owner: string, name: string, value: unknown, limits: Limits = {}): number {
  const { min = -Infinity, max = Infinity, above = -Infinity, below = Infinity, integer = false } = limits;
  const fits =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    value >= min &&
    value <= max &&
    value > above &&
    value < below &&
    (!integer || Number.isInteger(value));
  if (!fits) throw mismatch('ERR_ARGUMENT', { op: owner }, `${name} to be ${describe(limits)}`, format(value));
  return value;
}

/** A value as it stands in a message. */
export function format(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'function') return value.name ? `the function ${value.name}` : 'a function';
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return typeof value;
  }
}

/** Refuses options that nobody reads: a misspelled one would be lost in silence. */
export function checkKeys(op: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new FoveaError(`${op}: unknown option ${unknown}; expected ${known.join(', ')}`, {
    op,
    expected: known,
    received: unknown,
  });
}

/**
 * Reads the options of a constructor: checks each, fills in defaults, refuses names nobody asked for, and keeps what
 * was read as the configuration to write down. Keras's snake_case names and `null` for "not given" are taken too, so
 * that files written by Keras can be read.
 */
export class OptionReader<O extends object> {
  readonly #given: Record<string, unknown>;
  readonly #config: Record<string, ConfigValue | undefined> = {};

  /**
   * @param owner - the class or function, for messages: `adam`
   */
  constructor(
    readonly owner: string,
    options: O,
  ) {
    if (options === null || typeof options !== 'object') {
      throw mismatch('ERR_ARGUMENT', { op: owner }, 'a record of options', format(options));
    }
    this.#given = Object.fromEntries(
      Object.entries(options).map(([name, value]) => [camelCase(name), value as unknown]),
    );
  }

  /** What was read, with defaults filled in; without what was left out. */
  get config(): Config {
    return Object.fromEntries(Object.entries(this.#config).filter(([, value]) => value !== undefined));
  }

  /** The option as given, checked by the caller; `undefined` when left out. */
  raw(name: keyof O & string): unknown {
    return this.#given[name] ?? undefined;
  }

  /** Marks an option as known and sets what the configuration says about it. */
  note(name: keyof O & string, value: ConfigValue | undefined): void {
    this.#config[name] = value;
  }

  number(name: keyof O & string, fallback: number, limits: Limits = {}): number {
    return this.#keep(name, checkNumber(this.owner, name, this.raw(name) ?? fallback, limits));
  }

  /** A number that may be left out. */
  optionalNumber(name: keyof O & string, limits: Limits = {}): number | undefined {
    const value = this.raw(name);
    return this.#keep(name, value === undefined ? undefined : checkNumber(this.owner, name, value, limits));
  }

  requiredNumber(name: keyof O & string, limits: Limits = {}): number {
    return this.#keep(name, checkNumber(this.owner, name, this.raw(name), limits));
  }

  boolean(name: keyof O & string, fallback: boolean): boolean {
    const value = this.raw(name) ?? fallback;
    if (typeof value !== 'boolean') throw this.refuse(name, 'true or false', value);
    return this.#keep(name, value);
  }

  string(name: keyof O & string, fallback: string): string {
    const value = this.raw(name) ?? fallback;
    if (typeof value !== 'string') throw this.refuse(name, 'a string', value);
    return this.#keep(name, value);
  }

  /** One of a few words; spelled as in Keras (`fan_in`) or here (`fanIn`). */
  choice<T extends string>(name: keyof O & string, fallback: T, choices: readonly T[]): T {
    const value = this.raw(name) ?? fallback;
    const found = choices.find((c) => c === value || (typeof value === 'string' && c === camelCase(value)));
    if (found === undefined) throw this.refuse(name, `one of ${choices.join(', ')}`, value);
    return this.#keep(name, found);
  }

  numbers(name: keyof O & string): number[] {
    const value = this.raw(name);
    if (!Array.isArray(value) || value.length === 0) throw this.refuse(name, 'a list of numbers', value);
    const list = value.map((v, i) => checkNumber(this.owner, `${name}[${i}]`, v));
    this.note(name, list);
    return list;
  }

  /** Options of older Keras versions that change nothing here. */
  ignore(...names: string[]): void {
    for (const name of names) this.#given[name] = undefined;
  }

  /** Throws when an option was given that nobody read. */
  done(): void {
    const known = Object.keys(this.#config);
    for (const [name, value] of Object.entries(this.#given)) {
      if (value === undefined || value === null || known.includes(name)) continue;
      throw new FoveaError(`${this.owner}: unknown option ${name}; expected ${known.join(', ')}`, {
        op: this.owner,
        expected: known,
        received: name,
      });
    }
  }

  refuse(name: string, expected: string, received: unknown): FoveaError {
    return mismatch('ERR_ARGUMENT', { op: this.owner }, `${name} to be ${expected}`, format(received));
  }

  #keep<T extends ConfigValue | undefined>(name: keyof O & string, value: T): T {
    this.#config[name] = value;
    return value;
  }
}
