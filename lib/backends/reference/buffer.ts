import { FoveaError, mismatch } from '../../errors.js';
import { dtypeOf } from '../../tensor/dtype.js';
import type { DType, TypedArray } from '../../tensor/dtype.js';
import type { DeviceBuffer } from '../backend.js';
import { fromTyped, toTyped } from './convert.js';
import type { MemoryAccount } from './memory.js';
import type { WorkQueue } from './queue.js';

/** What buffers and plans of one reference device share. */
export interface ReferenceDevice {
  readonly queue: WorkQueue;
  readonly account: MemoryAccount;
}

/** Makes a zeroed array, or says that there is no memory for it. */
export function allocate(op: string, size: number): Float64Array {
  try {
    return new Float64Array(size);
  } catch (cause) {
    throw new FoveaError(`${op}: expected memory for ${size} elements of 8 bytes, received none`, {
      code: 'ERR_OUT_OF_MEMORY',
      op,
      expected: size * 8,
      cause,
    });
  }
}

/** Throws unless `data` is the typed array of `dtype` with exactly `size` elements. */
export function checkHostData(op: string, dtype: DType, size: number, data: TypedArray): void {
  const expected = dtype === 'bool' ? 'uint8' : dtype;
  const received = dtypeOf(data);
  if (received !== expected) throw mismatch('ERR_DTYPE', { op }, `elements of ${dtype}`, `a ${data.constructor.name}`);
  if (data.length !== size) throw mismatch('ERR_ARGUMENT', { op }, `${size} elements`, `${data.length}`);
}

/** A buffer of the reference device: float64 elements, whatever its dtype. */
export class ReferenceBuffer implements DeviceBuffer {
  readonly dtype: DType;
  readonly size: number;
  /** The device that made it: buffers and plans of different devices do not mix. */
  readonly device: ReferenceDevice;
  readonly #storage: { data: Float64Array };
  readonly #release: () => void;
  #disposed = false;

  /**
   * @param device - queue and account of the device
   * @param dtype - type of the elements
   * @param size - how many; a whole number of zero or more
   * @param data - the first contents, copied; zeros when left out
   * @throws FoveaError `ERR_DTYPE` or `ERR_ARGUMENT` when data and buffer do not fit, `ERR_OUT_OF_MEMORY`
   */
  constructor(device: ReferenceDevice, dtype: DType, size: number, data?: TypedArray) {
    if (data !== undefined) checkHostData('createBuffer', dtype, size, data);
    this.device = device;
    this.dtype = dtype;
    this.size = size;
    this.#storage = { data: allocate('createBuffer', size) };
    if (data !== undefined) fromTyped(dtype, data, this.#storage.data);
    this.#release = device.account.add(this, size * Float64Array.BYTES_PER_ELEMENT, 1);
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** The elements, to be touched by queued work only. */
  elements(op: string): Float64Array {
    this.#checkAlive(op);
    return this.#storage.data;
  }

  write(data: TypedArray): void {
    const elements = this.elements('write');
    checkHostData('write', this.dtype, this.size, data);
    const { queue } = this.device;
    if (queue.idle) {
      fromTyped(this.dtype, data, elements);
    } else {
      const copy = data.slice();
      queue.enqueueStep(() => fromTyped(this.dtype, copy, elements));
    }
  }

  async read(): Promise<TypedArray> {
    const elements = this.elements('read');
    const { dtype } = this;
    let result: TypedArray | undefined;
    await this.device.queue.enqueue(
      (function* () {
        result = toTyped(dtype, elements);
      })(),
    );
    return result!;
  }

  readSync(): TypedArray {
    const elements = this.elements('readSync');
    this.device.queue.drain();
    return toTyped(this.dtype, elements);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const free = (): void => {
      this.#storage.data = new Float64Array(0);
      this.#release();
    };
    if (this.device.queue.idle) free();
    else this.device.queue.enqueueStep(free);
  }

  #checkAlive(op: string): void {
    if (this.#disposed) throw mismatch('ERR_DISPOSED', { op }, 'a buffer in use', 'one that was disposed');
  }
}
