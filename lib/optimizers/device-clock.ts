import { mismatch } from '../errors.js';
import { add, mod, select } from '../ops/binary.js';
import { gather } from '../ops/indexing.js';
import { reshape, slice } from '../ops/shape.js';
import { hostTensor, tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { Variable } from '../tensor/variable.js';
import type { StepClock, StepNumbers } from './clock.js';

/** How many steps' numbers the device is given at once. */
const WINDOW = 64;
/** After so many updates were asked for, the device is asked how many it made. */
const REFRESH = 16;

/**
 * Counts on the device, where alone it is known whether an update was made: loss scaling skips those with gradients
 * that are not finite. The host knows bounds only: the count when it last looked, and that plus what was asked for
 * since. So every run is handed the numbers of all steps it may be at, as a ring of {@link WINDOW} steps, computed in
 * float64 as for {@link HostClock}, and the device takes those of its count. No run waits for the one before; now and
 * then the host asks for the count, and only where it is a whole window ahead does it wait for the answer.
 */
export class DeviceClock implements StepClock {
  #counter: Variable | undefined;
  /** Runs asked for. One that failed or was only profiled counts too: bounds may be wide. */
  #asked = 0;
  /** The count after `asked` runs. */
  #known: { readonly iterations: number; readonly asked: number };
  #looking: Promise<void> | undefined;

  /**
   * @param owner - the optimizer, for names and messages
   * @param iterations - updates made so far
   */
  constructor(
    readonly owner: string,
    iterations: number,
  ) {
    this.#known = { iterations, asked: 0 };
  }

  get iterations(): number {
    return this.#counter ? this.#counter.dataSync()[0]! : this.#known.iterations;
  }

  get variables(): readonly Variable[] {
    return this.#counter ? [this.#counter] : [];
  }

  async read(): Promise<number> {
    return this.#counter ? (await this.#counter.data())[0]! : this.#known.iterations;
  }

  set(iterations: number): void {
    this.#known = { iterations, asked: this.#asked };
    this.#looking = undefined;
    if (!this.#counter) return;
    using value = tensor([iterations], [], { dtype: 'int32', device: this.#counter.device });
    this.#counter.assign(value);
  }

  scalars(numbers: StepNumbers, device: string): Readonly<Record<string, Tensor>> {
    const names = Object.keys(numbers(this.#known.iterations));
    const table = hostTensor(() => this.#ring(numbers, names), [names.length, WINDOW]);
    const row = gather(table, mod(this.#variable(device).value, WINDOW), 1);
    return Object.fromEntries(names.map((name, i) => [name, reshape(slice(row, [i], [1]), [])]));
  }

  advance(made: Tensor | undefined): void {
    const counter = this.#counter!;
    const next = add(counter.value, 1);
    counter.assign(made ? select(made, next, counter.value) : next);
  }

  #variable(device: string): Variable {
    if (this.#counter) return this.#counter;
    using value = tensor([this.#known.iterations], [], { dtype: 'int32', device });
    return (this.#counter = new Variable(value, { name: `${this.owner}/iterations`, trainable: false }));
  }

  /** The numbers of all steps that the next run may be at, step i at i modulo the window; asked for once a run. */
  #ring(numbers: StepNumbers, names: readonly string[]): Float32Array {
    if (this.#ahead >= WINDOW - 1) this.#known = { iterations: this.iterations, asked: this.#asked };
    else if (this.#ahead >= REFRESH) this.#look();
    const first = this.#known.iterations;
    const ring = new Float32Array(names.length * WINDOW);
    for (let iterations = first; iterations <= first + this.#ahead; iterations++) {
      const row = numbers(iterations);
      names.forEach((name, i) => {
        const value = row[name]!;
        if (!Number.isFinite(value)) {
          const expected = `a finite ${name} at step ${iterations}`;
          throw mismatch('ERR_ARGUMENT', { op: this.owner }, expected, String(value));
        }
        ring[i * WINDOW + (iterations % WINDOW)] = value;
      });
    }
    this.#asked++;
    return ring;
  }

  /** How many updates the device may have made since the host knew its count. */
  get #ahead(): number {
    return this.#asked - this.#known.asked;
  }

  /** Asks for the count as it is after the runs asked for so far; the answer narrows the bounds when it comes. */
  #look(): void {
    if (this.#looking) return;
    const asked = this.#asked;
    const looking: Promise<void> = this.#counter!.data().then(
      ([iterations]) => this.#learn(looking, { iterations: iterations!, asked }),
      () => this.#learn(looking, this.#known), // Whoever reads results is told of the failure.
    );
    this.#looking = looking;
  }

  /** Takes an answer, unless the count was set or looked at since it was asked for. */
  #learn(looking: Promise<void>, found: { readonly iterations: number; readonly asked: number }): void {
    if (this.#looking !== looking) return;
    this.#looking = undefined;
    if (found.asked > this.#known.asked) this.#known = found;
  }
}
