import type { Writable } from 'node:stream';
import { formatProgress, formatSummary, type ProgressState } from './progress.js';

/** How much `fit` and `evaluate` tell: 0 nothing, 1 a line that is redrawn, 2 a line per epoch, as in Keras. */
export type Verbosity = 0 | 1 | 2 | 'auto';

/** A stream that may be a terminal. */
export interface ProgressStream extends Pick<Writable, 'write'> {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Options of {@link ProgressLine}. */
export interface ProgressLineOptions {
  /** 1 unless told; on something that is no terminal (a file, a pipe) 1 is 2. */
  readonly verbose?: Verbosity;
  /** Epochs in all; left out for an evaluation, which has none. */
  readonly epochs?: number;
  /** Steps of an epoch, when known beforehand. */
  readonly steps?: number | undefined;
  /** Standard output unless told. */
  readonly stream?: ProgressStream;
  /** Seconds on any clock; for tests. */
  readonly now?: () => number;
}

/** A terminal that is redrawn more often is only slower. */
const REDRAW_SECONDS = 0.05;
const CLEAR_TO_END = '\x1b[K';

/** Whether to colour what is written to a terminal: https://no-color.org, and terminals that cannot. */
function wantsColor(stream: ProgressStream): boolean {
  return Boolean(stream.isTTY) && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
}

/**
 * Tells how a training or an evaluation goes: on a terminal one line that is redrawn in place, elsewhere a plain line per
 * epoch. Call {@link begin}, then {@link update} after each step, then {@link end}; {@link abandon} after an error.
 */
export class ProgressLine {
  readonly #mode: 'silent' | 'redraw' | 'lines';
  readonly #stream: ProgressStream;
  readonly #color: boolean;
  readonly #epochs: number | undefined;
  readonly #now: () => number;
  #steps: number | undefined;
  #title: string | undefined;
  #start = 0;
  #afterFirst: number | undefined;
  #step = 0;
  #drawn = -Infinity;
  #open = false;

  constructor(options: ProgressLineOptions = {}) {
    const { verbose = 'auto', epochs, steps, stream = process.stdout, now = () => performance.now() / 1000 } = options;
    this.#stream = stream;
    this.#epochs = epochs;
    this.#steps = steps;
    this.#now = now;
    this.#color = wantsColor(stream);
    if (verbose === 0) this.#mode = 'silent';
    else this.#mode = verbose === 2 || !stream.isTTY ? 'lines' : 'redraw';
  }

  /**
   * An epoch, or an evaluation, begins.
   *
   * @param epoch - counted from 0
   * @param steps - its steps, when known by now
   */
  begin(epoch = 0, steps: number | undefined = this.#steps): void {
    this.#steps = steps;
    this.#title = this.#epochs === undefined ? undefined : `Epoch ${epoch + 1}/${this.#epochs}`;
    this.#start = this.#now();
    this.#afterFirst = undefined;
    this.#step = 0;
    this.#drawn = -Infinity;
    if (this.#mode === 'redraw' && this.#title !== undefined) this.#stream.write(`${this.#title}\n`);
  }

  /**
   * A step is done.
   *
   * @param step - steps done in this epoch, counted from 1
   * @param logs - loss and metrics so far
   */
  update(step: number, logs: Readonly<Record<string, number>>): void {
    const now = this.#now();
    this.#step = step;
    this.#afterFirst ??= now;
    if (this.#mode !== 'redraw' || now - this.#drawn < REDRAW_SECONDS) return;
    this.#drawn = now;
    const columns = Math.max(20, (this.#stream.columns ?? 80) - 1);
    const line = formatProgress(this.#state(now, logs, false), { color: this.#color, columns });
    this.#stream.write(`\r${line}${CLEAR_TO_END}`);
    this.#open = true;
  }

  /** The epoch is over. A number of steps that was not known is known from now on. */
  end(logs: Readonly<Record<string, number>>): void {
    this.#steps = this.#step;
    const state = this.#state(this.#now(), logs, true);
    this.#open = false;
    if (this.#mode === 'lines') this.#stream.write(`${formatSummary(state, this.#title)}\n`);
    if (this.#mode !== 'redraw') return;
    this.#stream.write(`\r${formatProgress(state, { color: this.#color })}${CLEAR_TO_END}\n`);
  }

  /** Leaves a line that was being redrawn, so that an error message begins on one of its own. */
  abandon(): void {
    if (this.#open) this.#stream.write('\n');
    this.#open = false;
  }

  #state(now: number, logs: Readonly<Record<string, number>>, done: boolean): ProgressState {
    const step = this.#step;
    const elapsed = now - this.#start;
    // The first step also traces and plans: what the others take says more about those to come.
    const rest = this.#afterFirst === undefined ? elapsed : now - this.#afterFirst;
    const secondsPerStep = step > 1 ? rest / (step - 1) : elapsed / Math.max(1, step);
    return { step, steps: this.#steps, elapsed, secondsPerStep, done, logs };
  }
}
