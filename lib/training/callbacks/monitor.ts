import { FoveaError } from '../../errors.js';

/** Whether less or more is better; `auto` goes by the metric's name, as in Keras. */
export type MonitorMode = 'auto' | 'min' | 'max';

/** Follows a metric and knows its best value so far. */
export class Monitor {
  readonly #sign: 1 | -1;
  #warned = false;
  best: number;

  /**
   * @param name - `val_loss`
   * @param minDelta - what counts as better must be better by this much
   */
  constructor(
    readonly name: string,
    mode: MonitorMode,
    private readonly minDelta = 0,
    baseline?: number,
  ) {
    if (!['auto', 'min', 'max'].includes(mode)) {
      throw new FoveaError(`monitor: expected mode to be auto, min or max, received ${mode}`);
    }
    const larger = mode === 'max' || (mode === 'auto' && /(acc|auc|precision|recall|f1)/i.test(name));
    this.#sign = larger ? 1 : -1;
    this.best = baseline ?? -this.#sign * Infinity;
  }

  /** The metric in an epoch's logs; undefined, with one warning, when it is not there. */
  read(logs: Readonly<Record<string, number>>, owner: string): number | undefined {
    const value = logs[this.name];
    if (value === undefined && !this.#warned) {
      this.#warned = true;
      process.emitWarning(
        `${owner}: there is no metric ${this.name}; there are ${Object.keys(logs).join(', ')}`,
        'FoveaWarning',
      );
    }
    return value;
  }

  /** Whether a value is better than the best; then it is the best. */
  improves(value: number): boolean {
    if (!(this.#sign * (value - this.best) > this.minDelta)) return false;
    this.best = value;
    return true;
  }
}
