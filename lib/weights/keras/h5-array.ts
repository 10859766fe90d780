import { FoveaError } from '../../errors.js';
import type { DType, TypedArray } from '../../tensor/dtype.js';
import { fromPatterns } from '../../tensor/narrow.js';
import type { Hdf5Dataset } from '../hdf5/file.js';
import type { NamedArray } from '../safetensors.js';

/** The type of a dataset; Keras marks bfloat16, which HDF5 has not, by an attribute. */
export function dtypeOfDataset(dataset: Hdf5Dataset): string {
  return isBfloat16(dataset) ? 'bfloat16' : dataset.type.name;
}

/**
 * The elements of a dataset in a type that variables have: half precision is widened to float32, whole numbers become
 * int32 when they fit.
 *
 * @throws FoveaError ERR_UNSUPPORTED for other types and for numbers that do not fit
 */
export async function readDataset(file: string, dataset: Hdf5Dataset): Promise<NamedArray> {
  const shape = dataset.shape ?? [];
  if (isBfloat16(dataset)) {
    const bytes = await dataset.readBytes();
    return { dtype: 'float32', shape, data: fromPatterns('bfloat16', new Uint16Array(bytes.buffer)) };
  }
  const data = await dataset.read();
  const { name } = dataset.type;
  if (name === 'float16') return { dtype: 'float32', shape, data: fromPatterns('float16', data as Uint16Array) };
  const dtype = SAME[name];
  if (dtype) return { dtype, shape, data: data as TypedArray };
  if (Array.isArray(data)) throw refuse(file, dataset.path, 'numbers', 'text');
  return { dtype: 'int32', shape, data: narrow(file, dataset.path, data) };
}

const SAME: Readonly<Record<string, DType>> = {
  float32: 'float32',
  float64: 'float64',
  int32: 'int32',
  uint8: 'uint8',
  bool: 'bool',
};

function isBfloat16(dataset: Hdf5Dataset): boolean {
  if (dataset.type.kind !== 'opaque' || dataset.type.size !== 2) return false;
  const data = dataset.attributes.get('dtype')?.data;
  return Array.isArray(data) && data[0] === 'bfloat16';
}

function narrow(file: string, path: string, data: ArrayLike<number | bigint>): Int32Array {
  const out = new Int32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    out[i] = Number(data[i]);
    if (BigInt(out[i]!) !== BigInt(data[i]!)) throw refuse(file, path, 'whole numbers that fit int32', `${data[i]}`);
  }
  return out;
}

function refuse(file: string, path: string, expected: string, received: string): FoveaError {
  return new FoveaError(`${file}: ${path}: expected ${expected}, received ${received}`, {
    code: 'ERR_UNSUPPORTED',
    op: 'loadWeights',
  });
}
