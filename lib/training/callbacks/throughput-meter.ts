import type { Logs } from '../trainer-types.js';
import { Callback } from './callback.js';

/** How fast the last epoch was. */
export interface Throughput {
  readonly samplesPerSecond: number;
  /** Milliseconds from the end of one step to the end of the next: what half, 90% and 99% of the steps stay within. */
  readonly stepMs: { readonly p50: number; readonly p90: number; readonly p99: number };
  /** Steps that were measured. */
  readonly steps: number;
}

/** Options of {@link ThroughputMeter}. */
export interface ThroughputMeterOptions {
  /**
   * Whether it adds `samples_per_second`, `step_ms_p50`, `step_ms_p90` and `step_ms_p99` to the logs of epochs, for the
   * callbacks after it and the history. True unless told.
   */
  readonly log?: boolean;
  /** Steps at the beginning of a run that do not count: they trace and prepare. 1 unless told. */
  readonly warmup?: number;
}

/** Measures training, validation left out. It does not make the device wait. */
export class ThroughputMeter extends Callback {
  readonly #log: boolean;
  readonly #warmup: number;
  #left = 0;
  #last = 0;
  #samples = 0;
  #times: number[] = [];
  /** Of the last epoch; undefined before its end. */
  throughput: Throughput | undefined;

  constructor(
    options: ThroughputMeterOptions = {},
    private readonly now: () => number = () => performance.now(),
  ) {
    super();
    this.#log = options.log ?? true;
    this.#warmup = options.warmup ?? 1;
  }

  override get pipelined(): boolean {
    return true;
  }

  override onTrainBegin(): void {
    this.#left = this.#warmup;
    this.throughput = undefined;
  }

  override onEpochBegin(): void {
    this.#samples = 0;
    this.#times = [];
    this.#last = this.now();
  }

  override onTrainBatchEnd(_batch: number, _logs: Logs, samples: number): void {
    const now = this.now();
    if (this.#left > 0) this.#left--;
    else {
      this.#times.push(now - this.#last);
      this.#samples += samples;
    }
    this.#last = now;
  }

  override onEpochEnd(_epoch: number, logs: Logs): void {
    const times = this.#times.toSorted((a, b) => a - b);
    if (times.length === 0) return;
    const total = times.reduce((sum, ms) => sum + ms, 0);
    const stepMs = { p50: percentile(times, 50), p90: percentile(times, 90), p99: percentile(times, 99) };
    const samplesPerSecond = (1000 * this.#samples) / total;
    this.throughput = { samplesPerSecond, stepMs, steps: times.length };
    if (!this.#log) return;
    logs['samples_per_second'] = samplesPerSecond;
    for (const [name, value] of Object.entries(stepMs)) logs[`step_ms_${name}`] = value;
  }
}

/** The nearest-rank percentile of sorted values. */
function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!;
}
