/** Where a command's words go: the result to standard output, all else to standard error. */
export class Output {
  /** @param json - whether the result is JSON, and nothing else is on standard output */
  constructor(readonly json: boolean) {}

  /** Progress and remarks. */
  log(line = ''): void {
    process.stderr.write(`${line}\n`);
  }

  /**
   * The result, once.
   *
   * @param value - for `--json`
   * @param text - for people
   */
  result(value: unknown, text: string | (() => string)): void {
    const shown = this.json ? JSON.stringify(value, finite, 2) : typeof text === 'string' ? text : text();
    process.stdout.write(`${shown}\n`);
  }
}

/** JSON has no NaN and no Infinity; they become text instead of null. */
function finite(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/**
 * Columns of text, two spaces apart; numbers (and what looks like them) to the right.
 *
 * @param header - the titles
 * @param rows - as many cells as there are titles
 */
export function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => row.map(String));
  const right = header.map(
    (_, i) => rows.length > 0 && cells.every((row) => /^[\d.,]+( ?[%kMGx]i?B?)?$|^$/.test(row[i]!)),
  );
  const width = header.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (right[i] ? cell.padStart(width[i]!) : cell.padEnd(width[i]!)))
      .join('  ')
      .trimEnd();
  return [line(header), line(width.map((n) => '-'.repeat(n))), ...cells.map(line)].join('\n');
}

/** `25,557,032` */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** `23.5 GiB` */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let rest = value;
  for (; rest >= 1024 && unit < units.length - 1; unit++) rest /= 1024;
  return `${unit === 0 ? rest : rest.toFixed(1)} ${units[unit]}`;
}
