import { mismatch } from '../errors.js';
import { OptionSchedule, scheduleRegistry } from './schedule.js';

export interface PiecewiseConstantDecayOptions {
  /** Strictly increasing steps; `boundaries[i]` is the last step of `values[i]`. */
  boundaries: readonly number[];
  /** One more than boundaries. */
  values: readonly number[];
}

/** values[i] for the first i with step <= boundaries[i], the last value after all of them. */
export class PiecewiseConstantDecay extends OptionSchedule<PiecewiseConstantDecayOptions> {
  readonly className = 'PiecewiseConstantDecay';
  readonly #boundaries: readonly number[];
  readonly #values: readonly number[];

  constructor(options: PiecewiseConstantDecayOptions) {
    super('piecewiseConstantDecay', options);
    this.#boundaries = this.args.numbers('boundaries');
    this.#values = this.args.numbers('values');
    this.args.done();
    const where = { op: this.args.owner };
    if (this.#values.length !== this.#boundaries.length + 1) {
      const expected = `${this.#boundaries.length + 1} values for ${this.#boundaries.length} boundaries`;
      throw mismatch('ERR_ARGUMENT', where, expected, String(this.#values.length));
    }
    if (this.#boundaries.some((b, i) => i > 0 && b <= this.#boundaries[i - 1]!)) {
      throw mismatch('ERR_ARGUMENT', where, 'boundaries that increase', JSON.stringify(this.#boundaries));
    }
    if (this.#values.some((v) => v < 0)) {
      throw mismatch('ERR_ARGUMENT', where, 'values of at least 0', JSON.stringify(this.#values));
    }
  }

  protected rate(step: number): number {
    const index = this.#boundaries.findIndex((b) => step <= b);
    return this.#values.at(index)!; // none: -1, the last
  }
}

scheduleRegistry.register('PiecewiseConstantDecay', (c) => new PiecewiseConstantDecay(c as never));
