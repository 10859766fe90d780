import type { DeviceBuffer } from '../backends/backend.js';

/**
 * The bytes of a computed value, shared by the tensor handles and pending nodes that refer to it. Counted so that
 * `dispose()` frees at once when nobody else needs it; what is never disposed is freed by the buffer's finalizer.
 */
export class Storage {
  #refs = 0;
  /** Set when a handle outside the owning variable may read this buffer, so that nobody may write it in place. */
  shared = false;

  constructor(readonly buffer: DeviceBuffer) {}

  get references(): number {
    return this.#refs;
  }

  retain(): this {
    this.#refs++;
    return this;
  }

  release(): void {
    if (--this.#refs <= 0) this.buffer.dispose();
  }
}
