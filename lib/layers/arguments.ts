import { FoveaError } from '../errors.js';
import type { Padding, Pair } from '../ops/index.js';
import { camelCase } from './names.js';
import { describe } from './nest.js';
import { suggestion } from './suggest.js';

/** The layer that an argument belongs to, for messages. */
export interface Owner {
  readonly className: string;
  readonly name: string;
}

/** The error of a wrong argument: `conv2d "conv1": expected filters to be a whole number of at least 1, received 0`. */
export function wrongArgument(
  owner: Owner,
  argument: string,
  expected: string,
  received: unknown,
  hint = '',
): FoveaError {
  const op = camelCase(owner.className);
  const shown = typeof received === 'object' && received !== null ? show(received) : describe(received);
  return new FoveaError(`${op} "${owner.name}": expected ${argument} to be ${expected}, received ${shown}${hint}`, {
    code: 'ERR_ARGUMENT',
    op,
    layer: owner.name,
    expected,
    received,
  });
}

function show(value: object): string {
  return Array.isArray(value) && value.every((v) => typeof v === 'number' || v === null)
    ? JSON.stringify(value)
    : describe(value);
}

/** Options every layer takes. */
const COMMON = ['name', 'trainable', 'inputShape', 'batchInputShape', 'dtype'];

/** Options of Keras that may be given as long as they ask for what is done here anyway. */
const FIXED: Readonly<Record<string, readonly unknown[]>> = {
  dataFormat: ['channelsLast', 'channels_last'],
};

/** Throws when the options hold a key that the layer does not know: a misspelt option is never ignored. */
export function checkKeys(owner: Owner, options: object, keys: readonly string[]): void {
  for (const [key, value] of Object.entries(options) as [string, unknown][]) {
    if (keys.includes(key) || COMMON.includes(key) || value === undefined) continue;
    if (FIXED[key]?.includes(value)) continue;
    const op = camelCase(owner.className);
    throw new FoveaError(
      `${op} "${owner.name}": expected options among ${keys.length > 0 ? keys.join(', ') : COMMON.join(', ')}, ` +
        `received '${key}'${suggestion(key, [...keys, ...COMMON])}`,
      { code: 'ERR_ARGUMENT', op, layer: owner.name, received: key },
    );
  }
}

export function wholeNumber(owner: Owner, argument: string, value: unknown, least = 1): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least) return value;
  throw wrongArgument(owner, argument, `a whole number of at least ${least}`, value);
}

/** One whole number for both directions, or `[height, width]`. */
export function wholePair(owner: Owner, argument: string, value: Pair, least = 1): readonly [number, number] {
  const both: unknown = typeof value === 'number' ? [value, value] : value;
  if (Array.isArray(both) && both.length === 2 && both.every((v) => Number.isInteger(v) && v >= least)) {
    return [both[0] as number, both[1] as number];
  }
  throw wrongArgument(owner, argument, `one or two whole numbers of at least ${least}`, value);
}

export function finiteNumber(
  owner: Owner,
  argument: string,
  value: unknown,
  { least = -Infinity, most = Infinity }: { least?: number; most?: number } = {},
): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most) return value;
  const bounds =
    least > -Infinity && most < Infinity
      ? `a number from ${least} to ${most}`
      : least > -Infinity
        ? `a number of at least ${least}`
        : 'a finite number';
  throw wrongArgument(owner, argument, bounds, value);
}

export function flag(owner: Owner, argument: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw wrongArgument(owner, argument, 'true or false', value);
}

export function oneOf<T extends string>(owner: Owner, argument: string, value: unknown, names: readonly T[]): T {
  const found = names.find((name) => name === value);
  if (found !== undefined) return found;
  const choices = names.map((name) => `'${name}'`).join(' or ');
  throw wrongArgument(owner, argument, choices, value, typeof value === 'string' ? suggestion(value, names) : '');
}

/** `'same'`, `'valid'` or `[top, bottom, left, right]`. */
export function windowPadding(owner: Owner, value: unknown): Padding {
  if (value === 'same' || value === 'valid') return value;
  if (Array.isArray(value) && value.length === 4 && value.every((v) => Number.isInteger(v) && v >= 0)) {
    return value as unknown as Padding;
  }
  const hint = typeof value === 'string' ? suggestion(value, ['same', 'valid']) : '';
  throw wrongArgument(owner, 'padding', `'same', 'valid' or [top, bottom, left, right]`, value, hint);
}
