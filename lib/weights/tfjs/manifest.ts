import path from 'node:path';
import { FoveaError } from '../../errors.js';
import { sizeOf, type Shape } from '../../tensor/shape.js';
import { isRecord } from '../keras/json.js';

/** How the numbers of a weight are stored. */
export type StoredType = 'float32' | 'float16' | 'int32' | 'uint8' | 'uint16' | 'bool';

/** A weight in a manifest, and where its bytes are. */
export interface TfjsEntry {
  readonly name: string;
  readonly shape: Shape;
  /** What it is for the model. */
  readonly dtype: 'float32' | 'int32' | 'bool' | 'uint8';
  readonly stored: StoredType;
  /** Of weights that are stored as small whole numbers: value = stored * scale + min. */
  readonly scale: number;
  readonly min: number;
  /** Bytes in the group's shards, one behind the other. */
  readonly begin: number;
  readonly end: number;
}

/** Some weights and the files that hold them. */
export interface TfjsGroup {
  /** Absolute, or relative to the working folder as the model's own path. */
  readonly shards: readonly string[];
  readonly entries: readonly TfjsEntry[];
  readonly bytes: number;
}

const BYTES: Readonly<Record<StoredType, number>> = { float32: 4, float16: 2, int32: 4, uint8: 1, uint16: 2, bool: 1 };
const DTYPES = ['float32', 'int32', 'bool', 'uint8'] as const;

/**
 * Checks the `weightsManifest` of a `model.json`.
 *
 * @param file - the `model.json`; shards lie beside it or below, never elsewhere
 * @throws FoveaError ERR_FILE naming what is wrong, ERR_UNSUPPORTED for text and complex numbers
 */
export function readManifest(file: string, json: unknown): TfjsGroup[] {
  if (!Array.isArray(json)) throw refuse(file, 'expected a weightsManifest');
  const names = new Set<string>();
  return json.map((group: unknown) => {
    if (!isRecord(group) || !Array.isArray(group['paths']) || !Array.isArray(group['weights'])) {
      throw refuse(file, 'expected paths and weights in each group of the weightsManifest');
    }
    const shards = group['paths'].map((shard: unknown) => shardPath(file, shard));
    let at = 0;
    const entries = group['weights'].map((weight: unknown) => {
      const entry = readEntry(file, weight, at);
      if (names.has(entry.name)) throw refuse(file, `expected different names, received "${entry.name}" twice`);
      names.add(entry.name);
      at = entry.end;
      return entry;
    });
    return { shards, entries, bytes: at };
  });
}

function shardPath(file: string, shard: unknown): string {
  const inside =
    typeof shard === 'string' &&
    shard !== '' &&
    !shard.includes('\0') &&
    !/^[a-z]+:/i.test(shard) &&
    !path.isAbsolute(shard) &&
    !shard.split(/[\\/]/).includes('..');
  if (!inside) throw refuse(file, `expected shards beside it, received ${JSON.stringify(shard)}`);
  return path.join(path.dirname(file), shard);
}

function readEntry(file: string, weight: unknown, begin: number): TfjsEntry {
  if (!isRecord(weight) || typeof weight['name'] !== 'string' || !isShape(weight['shape'])) {
    throw refuse(file, 'expected weights with a name and a shape');
  }
  const { name, shape, dtype, quantization } = weight as {
    name: string;
    shape: Shape;
    dtype: unknown;
    quantization: unknown;
  };
  const type = DTYPES.find((known) => known === dtype);
  if (!type) {
    throw new FoveaError(
      `${file}: weight "${name}": expected ${DTYPES.join(', ')}, received ${JSON.stringify(dtype)}`,
      {
        code: 'ERR_UNSUPPORTED',
        op: 'tfjs',
      },
    );
  }
  const { stored, scale, min } = readQuantization(file, name, type, quantization);
  const end = begin + sizeOf(shape) * BYTES[stored];
  if (!Number.isSafeInteger(end)) throw refuse(file, `weight "${name}": its shape [${shape.join(',')}] is absurd`);
  return { name, shape, dtype: type, stored, scale, min, begin, end };
}

function readQuantization(
  file: string,
  name: string,
  dtype: TfjsEntry['dtype'],
  json: unknown,
): { stored: StoredType; scale: number; min: number } {
  if (json === undefined || json === null) return { stored: dtype, scale: 1, min: 0 };
  const { dtype: stored, scale, min } = isRecord(json) ? json : {};
  if (stored === 'float16' && dtype === 'float32') return { stored, scale: 1, min: 0 };
  const whole = stored === 'uint8' || stored === 'uint16';
  if (whole && dtype !== 'bool' && Number.isFinite(scale) && Number.isFinite(min)) {
    return { stored, scale: scale as number, min: min as number };
  }
  throw refuse(file, `weight "${name}": cannot make ${dtype} of quantization ${JSON.stringify(json)}`);
}

function isShape(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
}

export function refuse(file: string, why: string): FoveaError {
  return new FoveaError(`${file}: not a tfjs layers-model: ${why}`, { code: 'ERR_FILE', op: 'tfjs' });
}
