/** The kinds of failure a caller may want to tell apart. */
export type FoveaErrorCode =
  | 'ERR_SHAPE'
  | 'ERR_DTYPE'
  | 'ERR_ARGUMENT'
  | 'ERR_DISPOSED'
  | 'ERR_DEVICE'
  | 'ERR_EXECUTION'
  | 'ERR_OUT_OF_MEMORY'
  | 'ERR_DATA'
  | 'ERR_FILE'
  | 'ERR_NETWORK'
  | 'ERR_NOT_FOUND'
  | 'ERR_UNSUPPORTED';

/** What a {@link FoveaError} knows besides its text. */
export interface FoveaErrorOptions {
  code?: FoveaErrorCode;
  /** The op that refused, spelled as the function: `conv2d`. */
  op?: string;
  /** The path of the layer that made the op: `block3/conv1`. */
  layer?: string;
  expected?: unknown;
  received?: unknown;
  cause?: unknown;
}

/** The one exception type of the library: names the op or layer, what was expected and what was received. */
export class FoveaError extends Error {
  readonly code: FoveaErrorCode;
  readonly op: string | undefined;
  readonly layer: string | undefined;
  readonly expected: unknown;
  readonly received: unknown;

  constructor(message: string, options: FoveaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'FoveaError';
    this.code = options.code ?? 'ERR_ARGUMENT';
    this.op = options.op;
    this.layer = options.layer;
    this.expected = options.expected;
    this.received = options.received;
  }
}

/**
 * Builds the library's standard message: `conv2d "block3/conv1": expected ..., received ...`.
 *
 * @param code - the kind of failure
 * @param where - the op or layer
 * @param expected - what the op needs, in words
 * @param received - what it was given, in words
 */
export function mismatch(
  code: FoveaErrorCode,
  where: { op?: string; layer?: string },
  expected: string,
  received: string,
): FoveaError {
  const name = [where.op, where.layer ? `"${where.layer}"` : undefined].filter(Boolean).join(' ');
  return new FoveaError(`${name}: expected ${expected}, received ${received}`, { code, ...where, expected, received });
}
