import picocolors from 'picocolors';

/** What a progress line shows. */
export interface ProgressState {
  /** Steps done. */
  readonly step: number;
  /** Steps in all, when known. */
  readonly steps?: number | undefined;
  /** Seconds since the beginning. */
  readonly elapsed: number;
  /** Seconds one step takes. */
  readonly secondsPerStep: number;
  /** Whether this is the last word: then the time is what it took, before it is what it will take. */
  readonly done: boolean;
  /** Names and values of loss and metrics. */
  readonly logs: Readonly<Record<string, number>>;
}

/** How a progress line is drawn. */
export interface ProgressFormat {
  readonly color?: boolean;
  /** Characters of a terminal's line; longer lines end in `…`. No limit unless told. */
  readonly columns?: number | undefined;
}

const BAR = 20;

/** Writes seconds as Keras does: `12s`, `1:05`, `2:03:04`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole <= 60) return `${whole}s`;
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** Writes the time of one step: `6ms/step`, `2s/step`, `350us/step`. */
export function formatStepTime(seconds: number): string {
  if (seconds >= 0.9995 || seconds <= 0) return `${Math.max(0, Math.round(seconds))}s/step`;
  if (seconds >= 0.0009995) return `${Math.round(seconds * 1e3)}ms/step`;
  return `${Math.round(seconds * 1e6)}us/step`;
}

/** Writes a loss or metric with four decimals, or four digits and an exponent when it is small. */
export function formatMetric(value: number): string {
  if (!Number.isFinite(value)) return String(value).toLowerCase().replace('infinity', 'inf');
  return Math.abs(value) > 1e-3 || value === 0 ? value.toFixed(4) : value.toExponential(4);
}

/** The metrics in Keras's order: by name, those of the validation last. */
export function formatLogs(logs: Readonly<Record<string, number>>): string[] {
  const rank = (name: string): number => (name.startsWith('val_') ? 1 : 0);
  return Object.entries(logs)
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map(([name, value]) => `${name}: ${formatMetric(value)}`);
}

/** Text with the way to paint it: what is cut to the terminal's width is the text. */
type Part = readonly [text: string, paint?: (text: string) => string];

function fit(parts: readonly Part[], columns: number): string {
  let left = columns;
  let line = '';
  for (const [text, paint = String] of parts) {
    if (text.length > left) return left > 0 ? `${line}${paint(text.slice(0, left - 1))}…` : line;
    line += paint(text);
    left -= text.length;
  }
  return line;
}

function barOf(state: ProgressState, colors: ReturnType<typeof picocolors.createColors>): Part[] {
  if (state.steps === undefined) return [];
  const share = state.steps > 0 ? Math.min(1, state.step / state.steps) : 1;
  const full = Math.floor(share * BAR);
  // Without colours a thin line tells what is left.
  const rest = (colors.isColorSupported ? '━' : '─').repeat(BAR - full);
  return [[' '], ['━'.repeat(full), colors.green], [rest, colors.gray]];
}

/**
 * One line in the manner of Keras: `1875/1875 ━━━━━━━━━━━━━━━━━━━━ 12s 6ms/step - accuracy: 0.8100 - loss: 0.5200`.
 *
 * @param state - where the work stands
 * @param format - colours and width
 */
export function formatProgress(state: ProgressState, format: ProgressFormat = {}): string {
  const { step, steps, elapsed, secondsPerStep, done, logs } = state;
  const { color = false, columns = Infinity } = format;
  const colors = picocolors.createColors(color);
  const total = steps === undefined ? 'Unknown' : String(steps);
  const running = done || steps === undefined ? elapsed : secondsPerStep * Math.max(0, steps - step);
  return fit(
    [
      [`${String(step).padStart(total.length)}/${total}`, colors.bold],
      ...barOf(state, colors),
      [' '],
      [formatDuration(running), colors.bold],
      [` ${formatStepTime(secondsPerStep)}`],
      ...formatLogs(logs).map((text): Part => [` - ${text}`]),
    ],
    columns,
  );
}

/** One plain line for logs and pipes: `Epoch 1/10 - 1875/1875 - 12s - 6ms/step - accuracy: 0.8100 - loss: 0.5200`. */
export function formatSummary(state: ProgressState, title?: string): string {
  const { step, steps, elapsed, secondsPerStep, logs } = state;
  const parts = [
    `${step}/${steps ?? step}`,
    formatDuration(elapsed),
    formatStepTime(secondsPerStep),
    ...formatLogs(logs),
  ];
  return [...(title === undefined ? [] : [title]), ...parts].join(' - ');
}
