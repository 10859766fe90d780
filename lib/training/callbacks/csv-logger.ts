import { appendFile, readFile } from 'node:fs/promises';
import { FoveaError } from '../../errors.js';
import { writeFileAtomic } from '../../util/atomic-file.js';
import type { Logs } from '../trainer-types.js';
import { Callback } from './callback.js';

/** Options of {@link CSVLogger}. */
export interface CSVLoggerOptions {
  /** Between values: one character. A comma unless told. */
  readonly separator?: string;
  /** Goes on with the file if it is there; else it is replaced. False unless told. */
  readonly append?: boolean;
}

/**
 * Writes a line of CSV an epoch: `epoch` (from 0) and the metrics by name, `NA` for those that an epoch has not.
 *
 * As Keras 3 does it, but for what surprises there: appending to a file with other columns keeps every value under its
 * name (new columns are added, old lines have `NA` in them), a line that a killed process left unfinished is taken out,
 * and metrics that come up later are not dropped.
 */
export class CSVLogger extends Callback {
  readonly #separator: string;
  readonly #append: boolean;
  /** The columns after `epoch`; undefined before the file has a header. */
  #columns: string[] | undefined;

  constructor(
    readonly file: string,
    options: CSVLoggerOptions = {},
  ) {
    super();
    this.#separator = options.separator ?? ',';
    this.#append = options.append ?? false;
    if (this.#separator.length !== 1 || /["\r\n]/.test(this.#separator)) {
      throw new FoveaError(
        `CSVLogger: expected separator to be one character, no quote and no line break, received ${JSON.stringify(this.#separator)}`,
        { op: 'CSVLogger' },
      );
    }
  }

  override async onTrainBegin(): Promise<void> {
    this.#columns = undefined;
    const before = this.#append ? await this.#read() : '';
    const whole = before.slice(0, before.lastIndexOf('\n') + 1);
    if (whole !== before || !this.#append) await writeFileAtomic(this.file, whole);
    const header = whole.slice(0, whole.indexOf('\n'));
    if (header) this.#columns = this.#split(header).slice(1);
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const names = this.#columns ? [...this.#columns] : firstColumns(logs);
    for (const name of Object.keys(logs)) if (!names.includes(name)) names.push(name);
    const line = this.#line([epoch, ...names.map((name) => logs[name] ?? 'NA')]);
    try {
      if (this.#columns?.length === names.length) await appendFile(this.file, line);
      else await this.#widen(names, line);
    } catch (cause) {
      if (cause instanceof FoveaError) throw cause;
      throw new FoveaError(`cannot write ${this.file}: ${(cause as Error).message}`, {
        code: 'ERR_FILE',
        op: 'CSVLogger',
        cause,
      });
    }
    this.#columns = names;
  }

  /** Writes the file anew with a header of more columns, and a line. */
  async #widen(names: readonly string[], line: string): Promise<void> {
    const before = (await this.#read()).split('\n').slice(1, -1);
    const missing = `${this.#separator}NA`.repeat(names.length - (this.#columns?.length ?? 0));
    const lines = before.map((old) => `${old.replace(/\r$/, '')}${missing}\n`);
    await writeFileAtomic(this.file, [this.#line(['epoch', ...names]), ...lines, line].join(''));
  }

  async #read(): Promise<string> {
    try {
      return await readFile(this.file, 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw new FoveaError(`cannot read ${this.file}: ${(cause as Error).message}`, {
        code: 'ERR_FILE',
        op: 'CSVLogger',
        cause,
      });
    }
  }

  #line(values: readonly (string | number)[]): string {
    const quoted = values.map((value) => {
      const text = String(value);
      return text.includes(this.#separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    });
    return `${quoted.join(this.#separator)}\n`;
  }

  #split(header: string): string[] {
    const names: string[] = [];
    let rest = header.replace(/\r$/, '');
    while (rest !== '' || names.length === 0) {
      const quoted = /^"((?:[^"]|"")*)"/.exec(rest);
      const end = quoted ? quoted[0].length : rest.indexOf(this.#separator);
      const plain = end < 0 ? rest : rest.slice(0, end);
      names.push(quoted ? quoted[1]!.replaceAll('""', '"') : plain);
      rest = end < 0 ? '' : rest.slice(end + 1);
    }
    return names;
  }
}

/** Sorted, as in Keras; with columns for a validation that may come in a later epoch. */
function firstColumns(logs: Logs): string[] {
  const names = Object.keys(logs).sort();
  return names.some((name) => name.startsWith('val_')) ? names : [...names, ...names.map((name) => `val_${name}`)];
}
