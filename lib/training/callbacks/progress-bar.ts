import { ProgressLine, type ProgressStream, type Verbosity } from '../progress-line.js';
import type { Logs } from '../trainer-types.js';
import { Callback } from './callback.js';

/** Keras's progress line over `fit`, `evaluate` or `predict`. The trainer adds it where `verbose` says so. */
export class ProgressBar extends Callback {
  #line: ProgressLine | undefined;
  #fitting = false;

  /**
   * @param verbose - 0 silent, 1 a line that is redrawn, 2 a line an epoch
   * @param stream - standard output unless told
   */
  constructor(
    private readonly verbose: Verbosity = 'auto',
    private readonly stream: ProgressStream = process.stdout,
  ) {
    super();
  }

  override get pipelined(): boolean {
    return true;
  }

  override onTrainBegin(): void {
    this.#fitting = true;
    this.#line = this.#lineFor(this.params.epochs);
  }

  override onEpochBegin(epoch: number): void {
    this.#line?.begin(epoch, this.params.steps);
  }

  override onTrainBatchEnd(batch: number, logs: Logs): void {
    this.#line?.update(batch + 1, logs);
  }

  override onEpochEnd(_epoch: number, logs: Logs): void {
    this.#line?.end(logs);
  }

  override onTrainEnd(): void {
    this.#fitting = false;
  }

  override onTestBegin(): void {
    this.#begin();
  }

  override onTestBatchEnd(batch: number, logs: Logs): void {
    if (!this.#fitting) this.#line?.update(batch + 1, logs);
  }

  override onTestEnd(logs: Logs): void {
    if (!this.#fitting) this.#line?.end(logs);
  }

  override onPredictBegin(): void {
    this.#begin();
  }

  override onPredictBatchEnd(batch: number): void {
    if (!this.#fitting) this.#line?.update(batch + 1, {});
  }

  override onPredictEnd(): void {
    if (!this.#fitting) this.#line?.end({});
  }

  override onFailure(): void {
    this.#line?.abandon();
  }

  /** Validation inside `fit` shows in the epoch's line. */
  #begin(): void {
    if (this.#fitting) return;
    this.#line = this.#lineFor(undefined);
    this.#line.begin(0, this.params.steps);
  }

  #lineFor(epochs: number | undefined): ProgressLine {
    const { verbose, stream } = this;
    const { steps } = this.params;
    return new ProgressLine({
      verbose,
      stream,
      ...(epochs === undefined ? {} : { epochs }),
      ...(steps === undefined ? {} : { steps }),
    });
  }
}
