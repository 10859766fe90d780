import { FoveaError, mismatch } from '../../errors.js';
import { dtypeOf, isNarrow } from '../../tensor/dtype.js';
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

/** The elements of a buffer, to be touched by queued work only. */
export interface BufferStorage {
  data: Float64Array;
  /** Why the run that should have filled it failed; whoever reads it then gets this error. */
  failure: FoveaError | undefined;
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
  const expected = dtype === 'bool' ? 'uint8' : isNarrow(dtype) ? 'float32' : dtype;
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
  readonly #storage: BufferStorage;
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
    this.#storage = { data: allocate('createBuffer', size), failure: undefined };
    if (data !== undefined) fromTyped(dtype, data, this.#storage.data);
    this.#release = device.account.add(this, size * Float64Array.BYTES_PER_ELEMENT, 1);
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * What queued work may touch.
   *
   * @throws FoveaError `ERR_DISPOSED`
   */
  storage(op: string): BufferStorage {
    if (this.#disposed) throw mismatch('ERR_DISPOSED', { op }, 'a buffer in use', 'one that was disposed');
    return this.#storage;
  }

  write(data: TypedArray): void {
    const storage = this.storage('write');
    checkHostData('write', this.dtype, this.size, data);
    const fill = (from: TypedArray): void => {
      fromTyped(this.dtype, from, storage.data);
      storage.failure = undefined;
    };
    const { queue } = this.device;
    if (queue.idle) {
      fill(data);
    } else {
      const copy = data.slice();
      queue.enqueueStep(() => fill(copy));
    }
  }

  async read(): Promise<TypedArray> {
    const storage = this.storage('read');
    const { dtype } = this;
    let result: TypedArray | undefined;
    await this.device.queue.enqueue(
      (function* () {
        result = contents(dtype, storage);
      })(),
    );
    return result!;
  }

  readSync(): TypedArray {
    const storage = this.storage('readSync');
    this.device.queue.drain();
    return contents(this.dtype, storage);
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
}

/** The elements as the host reads them, or the error of the run that should have made them. */
function contents(dtype: DType, { data, failure }: BufferStorage): TypedArray {
  if (failure !== undefined) throw failure;
  return toTyped(dtype, data);
}
