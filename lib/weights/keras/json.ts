import { FoveaError } from '../../errors.js';

/** A record in a file's JSON, of which nothing is known yet. */
export type Json = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A configuration of Keras that cannot be a model. */
export function badConfig(file: string, why: string): FoveaError {
  return new FoveaError(`${file}: not a model of Keras: ${why}`, { code: 'ERR_FILE', op: 'loadModel' });
}

/** How deep models may be in each other; JSON that is deeper is no model. */
export const MAX_DEPTH = 64;

/** @throws FoveaError ERR_FILE */
export function parseJson(file: string, text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FoveaError(`${file}: expected JSON: ${(cause as Error).message}`, {
      code: 'ERR_FILE',
      op: 'loadModel',
      cause,
    });
  }
  if (!isRecord(value)) throw badConfig(file, 'expected a record');
  checkDepth(file, value, 0);
  return value;
}

function checkDepth(file: string, value: unknown, depth: number): void {
  // A model in a model is some ten levels deeper.
  if (depth > 12 * MAX_DEPTH) throw badConfig(file, 'expected less depth');
  if (typeof value !== 'object' || value === null) return;
  for (const inner of Object.values(value)) checkDepth(file, inner, depth + 1);
}
