import { FoveaError } from '../../errors.js';

/** Whether less or more is better; `auto` goes by the metric's name, as in Keras. */
export type MonitorMode = 'auto' | 'min' | 'max';

/** Follows a metric and knows its best value so far. NaN is never better: in Keras a first NaN stays the best for good. */
export class Monitor {
  readonly #sign: 1 | -1;
  readonly #minDelta: number;
  #warned = false;
  #seen = false;
  /** The best value so far, or what must be improved on; undefined at first. */
  best: number | undefined;

  /**
   * @param name - `val_loss`
   * @param minDelta - what counts as better must be better by this much; its sign does not matter
   * @throws FoveaError ERR_ARGUMENT for `auto` with a name that does not tell whether less or more is better
   */
  constructor(
    readonly name: string,
    mode: MonitorMode,
    minDelta = 0,
    baseline?: number,
  ) {
    this.#sign = direction(name, mode);
    this.#minDelta = Math.abs(minDelta);
    this.best = baseline;
  }

  /** Whether the metric has been in any logs. */
  get seen(): boolean {
    return this.#seen;
  }

  /** The metric in an epoch's logs; undefined, with one warning if it never was there, when it is not. */
  read(logs: Readonly<Record<string, number>>, owner: string): number | undefined {
    const value = logs[this.name];
    if (value !== undefined) this.#seen = true;
    else if (!this.#warned && !this.#seen) {
      this.#warned = true;
      process.emitWarning(
        `${owner}: there is no metric ${this.name}; there are ${Object.keys(logs).join(', ')}`,
        'FoveaWarning',
      );
    }
    return value;
  }

  /** Whether a value is better than another one; any number is better than none. */
  isBetter(value: number, than: number | undefined): boolean {
    if (than === undefined || Number.isNaN(than)) return !Number.isNaN(value);
    return this.#sign * (value - than) > this.#minDelta;
  }

  /** Whether a value is better than the best; then it is the best. */
  improves(value: number): boolean {
    if (!this.isBetter(value, this.best)) return false;
    this.best = value;
    return true;
  }
}

const MORE = /acc|auc|precision|recall|f1|iou|dice|cosinesimilarity|r2score/;
const LESS = /loss|error|mse|mae|mape|msle|crossentropy|hinge|divergence|logcosh|poisson|perplexity/;

function direction(name: string, mode: MonitorMode): 1 | -1 {
  if (mode === 'max') return 1;
  if (mode === 'min') return -1;
  if (mode !== 'auto') {
    throw new FoveaError(`monitor: expected mode to be auto, min or max, received ${String(mode)}`, { op: 'monitor' });
  }
  const plain = name.toLowerCase();
  // An output may be called anything: `accuracyHead_loss` is a loss.
  if (/(^|_)loss$/.test(plain)) return -1;
  if (MORE.test(plain.replaceAll('_', ''))) return 1;
  if (LESS.test(plain.replaceAll('_', ''))) return -1;
  throw new FoveaError(
    `monitor: expected mode 'min' or 'max' for ${name}, whose name does not tell which is better; received 'auto'`,
    { op: 'monitor', received: name },
  );
}

/** Where callbacks say what they do: a line each. Standard output unless told. */
export type Print = (line: string) => void;

/** The printer of a callback, which is silent at `verbose: 0`. */
export function printer(options: { readonly verbose?: 0 | 1 | undefined; readonly print?: Print | undefined }): Print {
  if (!options.verbose) return () => undefined;
  return options.print ?? ((line) => console.log(line));
}

/** Options of callbacks that can say what they do. */
export interface VerboseOptions {
  /** 1 says what it does. 0 unless told. */
  readonly verbose?: 0 | 1;
  /** Where to. Standard output unless told. */
  readonly print?: Print;
}
