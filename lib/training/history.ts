import { FoveaError } from '../errors.js';

/** What a training was, epoch by epoch: `loss`, `accuracy`, `val_loss`, ... each with one value an epoch. */
export interface TrainingHistory {
  /** The epochs, from 0. */
  readonly epoch: readonly number[];
  readonly history: Readonly<Record<string, readonly number[]>>;
}

/** @throws FoveaError ERR_ARGUMENT when a series has not one value per epoch */
export function checkHistory({ epoch, history }: TrainingHistory): void {
  for (const [name, values] of Object.entries(history)) {
    if (values.length === epoch.length) continue;
    throw new FoveaError(`history: expected ${epoch.length} values of ${name}, received ${values.length}`, {
      code: 'ERR_ARGUMENT',
      op: 'history',
      expected: epoch.length,
      received: values.length,
    });
  }
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * The history as CSV: a header, then a line an epoch.
 *
 * @throws FoveaError ERR_ARGUMENT when a series has not one value per epoch
 */
export function historyToCsv(training: TrainingHistory): string {
  checkHistory(training);
  const { epoch, history } = training;
  const names = Object.keys(history);
  const lines = epoch.map((number, row) => [number, ...names.map((name) => history[name]![row]!)].join(','));
  return `${[['epoch', ...names].map(quote).join(','), ...lines].join('\n')}\n`;
}
