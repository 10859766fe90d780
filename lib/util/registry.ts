import { FoveaError } from '../errors.js';
import { format, type Config } from './options.js';

/** `sparse_categorical_crossentropy`, `SparseCategoricalCrossentropy` and `sparseCategoricalCrossentropy` are one name. */
function normalize(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

/** The classes of one kind by name, and how each is made from its configuration. */
export class Registry<T> {
  readonly #makers = new Map<string, { className: string; make: (config: Config) => T }>();

  /**
   * @param kind - for messages: `optimizer`
   */
  constructor(readonly kind: string) {}

  /**
   * Adds a class.
   *
   * @param className - the name that configurations hold
   * @param make - makes an object from a configuration (names in camelCase or snake_case)
   * @param aliases - other names by which it may be asked for
   */
  register(className: string, make: (config: Config) => T, ...aliases: string[]): void {
    for (const name of [className, ...aliases]) this.#makers.set(normalize(name), { className, make });
  }

  /** The names of the classes. */
  get names(): string[] {
    return [...new Set([...this.#makers.values()].map((m) => m.className))];
  }

  has(name: string): boolean {
    return this.#makers.has(normalize(name));
  }

  /**
   * Makes an object from a name, or from a name and configuration as written by `serialize` or by Keras.
   *
   * @throws FoveaError ERR_NOT_FOUND, with the names there are
   */
  make(identifier: unknown): T {
    if (typeof identifier === 'string') return this.#find(identifier)({});
    if (identifier !== null && typeof identifier === 'object') {
      const record = identifier as Record<string, unknown>;
      const name = record.className ?? record.class_name;
      const config = record.config ?? {};
      if (typeof name === 'string' && config !== null && typeof config === 'object') {
        return this.#find(name)(config as Config);
      }
    }
    throw new FoveaError(
      `${this.kind}: expected a name, { className, config } or an instance, received ${format(identifier)}`,
      { op: this.kind, received: identifier },
    );
  }

  /** Throws that a class is there but is of no use here. */
  refuse(name: string, why: string): never {
    throw new FoveaError(`${this.kind}: ${name} ${why}`, { op: this.kind, received: name });
  }

  #find(name: string): (config: Config) => T {
    const found = this.#makers.get(normalize(name));
    if (found) return found.make;
    throw new FoveaError(`${this.kind}: unknown name ${name}; there are: ${this.names.join(', ')}`, {
      code: 'ERR_NOT_FOUND',
      op: this.kind,
      expected: this.names,
      received: name,
    });
  }
}
