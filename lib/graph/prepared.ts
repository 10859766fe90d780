import type { Backend, DeviceBuffer } from '../backends/backend.js';
import type { SplitPlan } from './plan-cache.js';

/** How often plans have written buffers in place. */
const writes = new WeakMap<DeviceBuffer, number>();

/** A plan is about to write this buffer. */
export function noteWrite(buffer: DeviceBuffer): void {
  writes.set(buffer, (writes.get(buffer) ?? 0) + 1);
}

/** The values that a plan takes ready-made, and the plan that makes them when their sources have changed. */
export class Prepared {
  readonly #setup: NonNullable<SplitPlan['setup']>;
  readonly #made: readonly DeviceBuffer[];
  /** The sources they were made of, and how often each had been written. */
  #sources: readonly DeviceBuffer[] = [];
  #stamps: readonly number[] = [];

  constructor(backend: Backend, setup: NonNullable<SplitPlan['setup']>) {
    this.#setup = setup;
    this.#made = setup.made.map(({ dtype, size }) => backend.createBuffer(dtype, size));
  }

  /**
   * The values for a run with these externals; enqueues their computation first where it is due. Its failure reaches the
   * run through the buffers.
   */
  buffers(externals: readonly DeviceBuffer[]): readonly DeviceBuffer[] {
    const sources = this.#setup.sources.map((i) => externals[i]!);
    const stamps = sources.map((buffer) => writes.get(buffer) ?? 0);
    const same =
      sources.length === this.#sources.length &&
      sources.every((buffer, i) => buffer === this.#sources[i] && stamps[i] === this.#stamps[i]);
    if (!same) {
      this.#sources = sources;
      this.#stamps = stamps;
      this.#setup.plan.run([...sources, ...this.#made], sources.length).catch(() => {
        if (this.#sources === sources) this.#sources = [];
      });
    }
    return this.#made;
  }

  dispose(): void {
    this.#setup.plan.dispose();
    for (const buffer of this.#made) buffer.dispose();
  }
}
