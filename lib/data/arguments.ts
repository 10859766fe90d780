import { FoveaError } from '../errors.js';

/**
 * Checks a count given by the user.
 *
 * @param op - who asks
 * @param name - the argument's name
 * @param value - what was given
 * @param minimum - the least value that makes sense
 * @throws FoveaError ERR_ARGUMENT
 */
export function checkCount(op: string, name: string, value: number, minimum: number): void {
  if (Number.isSafeInteger(value) && value >= minimum) return;
  const expected = `an integer of at least ${minimum}`;
  throw new FoveaError(`${op}: expected ${name} to be ${expected}, received ${String(value)}`, {
    code: 'ERR_ARGUMENT',
    op,
    expected,
    received: value,
  });
}

/**
 * Checks that an argument is a function.
 *
 * @throws FoveaError ERR_ARGUMENT
 */
export function checkFunction(op: string, value: unknown): void {
  if (typeof value === 'function') return;
  throw new FoveaError(`${op}: expected a function, received ${typeof value}`, {
    code: 'ERR_ARGUMENT',
    op,
    expected: 'a function',
    received: value,
  });
}

/** Wraps what a user's function threw, naming the stage; an abort stays what it is. */
export function userError(where: string, what: string, cause: unknown): unknown {
  if (cause instanceof Error && cause.name === 'AbortError') return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof FoveaError ? cause.code : 'ERR_DATA';
  return new FoveaError(`${where}: ${what}: ${text}`, { code, op: where, cause });
}
