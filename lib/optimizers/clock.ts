import { currentTrace, type Trace } from '../graph/trace.js';
import { hostScalar } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';

/** The numbers of an update that depend on how many were made before it. */
export type StepNumbers = (iterations: number) => Readonly<Record<string, number>>;

/** What counts an optimizer's updates and tells each update its numbers. */
export interface StepClock {
  /** Updates made so far, as it is after everything asked for; may wait for the device. */
  readonly iterations: number;
  /** What it keeps on the device. */
  readonly variables: readonly Variable[];
  /** As `iterations`, without holding up the event loop. */
  read(): Promise<number>;
  /** Goes on from a number of updates. */
  set(iterations: number): void;
  /**
   * The numbers of the next update of the open trace, as scalars of float32.
   *
   * @param device - where the update is computed
   */
  scalars(numbers: StepNumbers, device: string): Readonly<Record<string, Tensor>>;
  /** Records that the open trace makes an update; where `made` is given and false at a run, none was made. */
  advance(made: Tensor | undefined): void;
}

/** Counts on the host, where every update is known to be made. */
export class HostClock implements StepClock {
  readonly variables = [];
  #iterations = 0;
  /** How many updates a traced function makes by itself. */
  readonly #recorded = new WeakMap<Trace, number>();

  get iterations(): number {
    return this.#iterations;
  }

  read(): Promise<number> {
    return Promise.resolve(this.#iterations);
  }

  set(iterations: number): void {
    this.#iterations = iterations;
  }

  scalars(numbers: StepNumbers): Readonly<Record<string, Tensor>> {
    const before = this.#recorded.get(currentTrace()!) ?? 0;
    const now = (): Readonly<Record<string, number>> => numbers(this.#iterations + before);
    return Object.fromEntries(Object.keys(now()).map((name) => [name, hostScalar(() => now()[name]!)]));
  }

  advance(): void {
    const trace = currentTrace()!;
    this.#recorded.set(trace, (this.#recorded.get(trace) ?? 0) + 1);
    trace.effects.push({ commit: () => void this.#iterations++, rollback: () => void this.#iterations-- });
  }
}
