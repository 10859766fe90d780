import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  formatDuration,
  formatLogs,
  formatMetric,
  formatProgress,
  formatStepTime,
  formatSummary,
} from '../../lib/training/progress.js';
import { ProgressLine, type ProgressLineOptions } from '../../lib/training/progress-line.js';

const ESCAPE = String.fromCharCode(27);
const logs = { val_loss: 0.48, loss: 0.52, accuracy: 0.81, val_accuracy: 0.83 };

describe('the words of a progress line', () => {
  it.each([
    [0, '0s'],
    [12.4, '12s'],
    [60, '60s'],
    [65, '1:05'],
    [3599.6, '1:00:00'],
    [7384, '2:03:04'],
    [-1, '0s'],
  ])('%d seconds are %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it.each([
    [0.006, '6ms/step'],
    [2.4, '2s/step'],
    [0.9996, '1s/step'],
    [0.00035, '350us/step'],
    [0, '0s/step'],
  ])('a step of %d s is %s', (seconds, text) => expect(formatStepTime(seconds)).toBe(text));

  it.each([
    [0.81, '0.8100'],
    [0.0001234, '1.2340e-4'],
    [0, '0.0000'],
    [-3, '-3.0000'],
    [NaN, 'nan'],
    [-Infinity, '-inf'],
  ])('the metric %d is %s', (value, text) => expect(formatMetric(value)).toBe(text));

  it('sorts by name, validation last', () => {
    expect(formatLogs(logs).map((text) => text.split(':')[0])).toEqual([
      'accuracy',
      'loss',
      'val_accuracy',
      'val_loss',
    ]);
  });
});

describe('formatProgress', () => {
  const state = { step: 32, steps: 1875, elapsed: 0.2, secondsPerStep: 0.006, done: false, logs: { loss: 0.52 } };

  it('tells what is left while running, and what it took at the end', () => {
    expect(formatProgress(state)).toBe('  32/1875 ──────────────────── 11s 6ms/step - loss: 0.5200');
    expect(formatProgress({ ...state, step: 1875, elapsed: 12, done: true, logs })).toBe(
      '1875/1875 ━━━━━━━━━━━━━━━━━━━━ 12s 6ms/step - accuracy: 0.8100 - loss: 0.5200 - val_accuracy: 0.8300 - val_loss: 0.4800',
    );
    expect(formatProgress({ ...state, step: 940 })).toContain(' 940/1875 ━━━━━━━━━━────────── 6s ');
    expect(formatProgress({ ...state, steps: undefined, elapsed: 3 })).toBe(
      '     32/Unknown 3s 6ms/step - loss: 0.5200',
    );
  });

  it('fits the terminal, colours not counted', () => {
    for (const columns of [1, 5, 20, 30, 45, 57, 58]) {
      expect(formatProgress(state, { columns })).toHaveLength(Math.min(columns, 58));
      const colored = formatProgress(state, { columns, color: true });
      expect(colored.replaceAll(new RegExp(`${ESCAPE}\\[\\d+m`, 'g'), '')).toHaveLength(Math.min(columns, 58));
    }
    expect(formatProgress(state, { columns: 20 })).toBe('  32/1875 ─────────…');
  });

  it('has a plain form', () => {
    const done = { ...state, step: 1875, elapsed: 12, done: true };
    expect(formatSummary(done, 'Epoch 1/10')).toBe('Epoch 1/10 - 1875/1875 - 12s - 6ms/step - loss: 0.5200');
    expect(formatSummary(done)).toBe('1875/1875 - 12s - 6ms/step - loss: 0.5200');
  });
});

describe('ProgressLine', () => {
  const environment = { ...process.env };
  beforeEach(() => {
    delete process.env['NO_COLOR'];
    process.env['TERM'] = 'xterm';
  });
  afterEach(() => void (process.env = { ...environment }));

  /** Two epochs of three steps of a second each; the first step of each takes 11. */
  function record(isTTY: boolean, options: ProgressLineOptions = {}): string {
    let text = '';
    let time = 0;
    const write = (piece: string) => ((text += piece), true);
    const stream = { write, isTTY, columns: 60 } as NonNullable<ProgressLineOptions['stream']>;
    const line = new ProgressLine({ stream, epochs: 2, now: () => time, ...options });
    for (let epoch = 0; epoch < 2; epoch++) {
      line.begin(epoch);
      time += 10;
      for (let step = 1; step <= 3; step++) {
        time += 1;
        line.update(step, { loss: 1 / step });
      }
      line.end({ loss: 0.25, val_loss: 0.5 });
    }
    return text;
  }

  it('redraws one line on a terminal', () => {
    process.env['NO_COLOR'] = '1';
    const clear = `${ESCAPE}[K`;
    expect(record(true, { steps: 3 }).split('\n')[0]).toBe('Epoch 1/2');
    expect(record(true, { steps: 3 }).split('\n')[1]?.split('\r')).toEqual([
      '',
      `1/3 ━━━━━━────────────── 22s 11s/step - loss: 1.0000${clear}`,
      `2/3 ━━━━━━━━━━━━━─────── 1s 1s/step - loss: 0.5000${clear}`,
      `3/3 ━━━━━━━━━━━━━━━━━━━━ 0s 1s/step - loss: 0.3333${clear}`,
      `3/3 ━━━━━━━━━━━━━━━━━━━━ 13s 1s/step - loss: 0.2500 - val_loss: 0.5000${clear}`,
    ]);
  });

  it('learns the number of steps from the first epoch', () => {
    process.env['NO_COLOR'] = '1';
    const [, first, , second] = record(true).split('\n');
    expect(first).toContain('2/Unknown 12s 1s/step');
    expect(second).toContain('2/3 ━');
  });

  it('writes a plain line per epoch where there is no terminal, or when told to', () => {
    const expected =
      'Epoch 1/2 - 3/3 - 13s - 1s/step - loss: 0.2500 - val_loss: 0.5000\n' +
      'Epoch 2/2 - 3/3 - 13s - 1s/step - loss: 0.2500 - val_loss: 0.5000\n';
    expect(record(false)).toBe(expected);
    expect(record(false, { verbose: 1 })).toBe(expected);
    expect(record(true, { verbose: 2 })).toBe(expected);
    expect(record(true, { verbose: 0 })).toBe('');
  });

  it('colours terminals unless NO_COLOR or a dumb terminal says no', () => {
    const green = `${ESCAPE}[32m`;
    expect(record(true)).toContain(`${ESCAPE}[1m`);
    expect(record(true, { steps: 3 })).toContain(green);
    process.env['TERM'] = 'dumb';
    expect(record(true, { steps: 3 })).not.toContain(green);
    process.env['TERM'] = 'xterm';
    process.env['NO_COLOR'] = '1';
    expect(record(true, { steps: 3 })).not.toContain(green);
  });

  it('does not redraw faster than one can read, and lets go of the line', () => {
    let writes = 0;
    let time = 0;
    let text = '';
    const write = (piece: string) => (writes++, (text += piece), true);
    const line = new ProgressLine({ stream: { write, isTTY: true }, steps: 1000, now: () => time });
    line.begin();
    for (let step = 1; step <= 1000; step++) {
      time += 0.001;
      line.update(step, {});
    }
    expect(writes).toBeGreaterThan(15);
    expect(writes).toBeLessThan(25);
    line.abandon();
    line.abandon();
    expect(text.endsWith('K\n')).toBe(true);
  });
});
