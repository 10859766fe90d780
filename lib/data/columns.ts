import type { Hash } from 'node:crypto';
import { type HostData, type HostDType, type HostTensor, sizeOf, uninitialized } from './host-tensor.js';

/** One component of a table: rows of one shape and dtype. */
export interface Column {
  readonly length: number;
  readonly rowShape: readonly number[];
  readonly dtype: HostDType;
  /** One row. */
  row(index: number): HostTensor;
  /** Copies rows into a new tensor with a leading dimension. */
  gather(rows: readonly number[]): HostTensor;
  /** Adds all that the rows hold to a digest. */
  addTo(hash: Hash): void;
}

/** Whether row numbers follow one another. */
function contiguous(rows: readonly number[]): boolean {
  const first = rows[0] as number;
  for (let k = 1; k < rows.length; k++) if (rows[k] !== first + k) return false;
  return true;
}

/** The rows of a host tensor, as views. */
export class ArrayColumn implements Column {
  readonly length: number;
  readonly rowShape: readonly number[];
  readonly dtype: HostDType;
  readonly #data: HostData;
  readonly #rowSize: number;

  /** @param tensor - at least one dimension */
  constructor(tensor: HostTensor) {
    this.length = tensor.shape[0] as number;
    this.rowShape = tensor.shape.slice(1);
    this.dtype = tensor.dtype;
    this.#data = tensor.data;
    this.#rowSize = sizeOf(this.rowShape);
  }

  addTo(hash: Hash): void {
    hash.update(`${this.dtype} ${this.length} ${this.rowShape.join(',')} `).update(this.#data);
  }

  row(index: number): HostTensor {
    const start = index * this.#rowSize;
    return { data: this.#data.subarray(start, start + this.#rowSize), shape: this.rowShape, dtype: this.dtype };
  }

  gather(rows: readonly number[]): HostTensor {
    const size = this.#rowSize;
    const data = this.#data;
    const out = uninitialized(this.dtype, rows.length * size);
    if (rows.length > 1 && contiguous(rows)) {
      const start = (rows[0] as number) * size;
      out.set(data.subarray(start, start + rows.length * size));
    } else if (size === 1) {
      for (let k = 0; k < rows.length; k++) out[k] = data[rows[k] as number] as number;
    } else {
      for (let k = 0; k < rows.length; k++) {
        const start = (rows[k] as number) * size;
        out.set(data.subarray(start, start + size), k * size);
      }
    }
    return { data: out, shape: [rows.length, ...this.rowShape], dtype: this.dtype };
  }
}

/**
 * Rows of bytes read as float32 through a table of 256 values: images stay in memory as bytes (a quarter of the room) and
 * are scaled while a batch is gathered.
 */
export class ByteColumn implements Column {
  readonly length: number;
  readonly dtype = 'float32';
  readonly #bytes: Uint8Array;
  readonly #values: Float32Array;
  readonly #rowSize: number;

  /**
   * @param bytes - `length * sizeOf(rowShape)` bytes
   * @param rowShape - the shape of one row
   * @param values - the float32 value of each byte
   */
  constructor(
    bytes: Uint8Array,
    readonly rowShape: readonly number[],
    values: Float32Array,
  ) {
    this.#bytes = bytes;
    this.#values = values;
    this.#rowSize = sizeOf(rowShape);
    this.length = bytes.length / this.#rowSize;
  }

  addTo(hash: Hash): void {
    hash
      .update(`bytes ${this.length} ${this.rowShape.join(',')} `)
      .update(this.#values)
      .update(this.#bytes);
  }

  row(index: number): HostTensor {
    const data = new Float32Array(this.#rowSize);
    this.#expand(index, data, 0);
    return { data, shape: this.rowShape, dtype: 'float32' };
  }

  gather(rows: readonly number[]): HostTensor {
    const data = uninitialized('float32', rows.length * this.#rowSize) as Float32Array;
    for (let k = 0; k < rows.length; k++) this.#expand(rows[k] as number, data, k * this.#rowSize);
    return { data, shape: [rows.length, ...this.rowShape], dtype: 'float32' };
  }

  #expand(row: number, out: Float32Array, at: number): void {
    const bytes = this.#bytes;
    const values = this.#values;
    const size = this.#rowSize;
    const from = row * size;
    for (let j = 0; j < size; j++) out[at + j] = values[bytes[from + j] as number] as number;
  }
}
