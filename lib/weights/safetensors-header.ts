import { FoveaError } from '../errors.js';

/** Element types of the format, with their bytes. */
export const SAFETENSORS_DTYPES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;

export type SafetensorsDType = keyof typeof SAFETENSORS_DTYPES;

/** The longest header the format allows. */
export const MAX_HEADER_BYTES = 100_000_000;

/** One tensor as the header describes it. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** Where its bytes are, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their bytes. */
  readonly entries: readonly SafetensorsEntry[];
}

/** An error about the contents of a weights file. */
export function refuse(file: string, what: string, cause?: unknown): FoveaError {
  return new FoveaError(`${file}: ${what}`, { code: 'ERR_FILE', op: 'safetensors', cause });
}

/** Checks what the first eight bytes say of the header's length. */
export function checkHeaderLength(file: string, length: bigint, fileBytes: number): number {
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw refuse(
      file,
      `expected a header of at most ${MAX_HEADER_BYTES} bytes, received a length of ${length} (no safetensors file?)`,
    );
  }
  if (8 + Number(length) > fileBytes) {
    throw refuse(file, `expected a header of ${length} bytes, received a file of ${fileBytes} bytes (truncated?)`);
  }
  return Number(length);
}

/**
 * Reads a header and checks every number in it: nothing of it is believed before.
 *
 * @param dataBytes - how many bytes follow the header
 */
export function parseHeader(file: string, bytes: Uint8Array, dataBytes: number): SafetensorsHeader {
  const json = parseJson(file, bytes);
  const entries: SafetensorsEntry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(json)) {
    if (name === '__metadata__') metadata = checkMetadata(file, value);
    else entries.push(checkEntry(file, name, value));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      const fault = begin < position ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw refuse(file, `tensor "${name}" ${fault}: expected data offset ${position}, received ${begin}`);
    }
    position = end;
  }
  if (position !== dataBytes) {
    throw refuse(file, `expected ${position} bytes of tensors, received ${dataBytes}`);
  }
  return { metadata, entries };
}

function parseJson(file: string, bytes: Uint8Array): object {
  if (bytes[0] !== 0x7b) throw refuse(file, 'expected a header that begins with "{"');
  let json: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    json = JSON.parse(text);
  } catch (cause) {
    throw refuse(file, `expected a header of JSON: ${(cause as Error).message}`, cause);
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) throw refuse(file, `the header names "${twice}" twice`);
  return json as object;
}

/** The first key that an object of this (valid) JSON text has twice: `JSON.parse` would keep the last one silently. */
function duplicateKey(text: string): string | undefined {
  const keys: (Set<string> | undefined)[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [found, colon] = match;
    if (found === '{') keys.push(new Set());
    else if (found === '[') keys.push(undefined);
    else if (found === '}' || found === ']') keys.pop();
    else if (colon) {
      const key = JSON.parse(found.slice(0, -colon.length)) as string;
      const seen = keys.at(-1)!;
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return undefined;
}

function checkMetadata(file: string, value: unknown): Record<string, string> {
  if (!isObject(value)) throw refuse(file, 'expected __metadata__ to be a record of strings');
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string')
      throw refuse(file, `expected metadata "${key}" to be a string, received ${typeof text}`);
  }
  return value as Record<string, string>;
}

function checkEntry(file: string, name: string, value: unknown): SafetensorsEntry {
  const fail = (expected: string, received: unknown): FoveaError =>
    refuse(file, `tensor "${name}": expected ${expected}, received ${JSON.stringify(received) ?? 'nothing'}`);
  if (!isObject(value)) throw fail('a record', value);
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  const [extra] = Object.keys(rest);
  if (extra !== undefined) throw fail('dtype, shape and data_offsets only', extra);
  if (typeof dtype !== 'string' || !Object.hasOwn(SAFETENSORS_DTYPES, dtype)) {
    throw fail(`a dtype of ${Object.keys(SAFETENSORS_DTYPES).join(', ')}`, dtype);
  }
  if (!isCounts(shape)) throw fail('a shape of whole numbers', shape);
  if (!isCounts(offsets) || offsets.length !== 2) throw fail('data_offsets of two whole numbers', offsets);
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((product, d) => product * d, SAFETENSORS_DTYPES[dtype as SafetensorsDType]);
  if (!Number.isSafeInteger(bytes)) throw fail('a size below 2^53 bytes', shape);
  if (end - begin !== bytes) throw fail(`${bytes} bytes for ${dtype} [${shape.join(',')}]`, end - begin);
  return { name, dtype: dtype as SafetensorsDType, shape, begin, end };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
}
