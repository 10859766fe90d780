import { FoveaError } from '../../errors.js';

/** A record of a CSV file. */
export interface CsvRecord {
  /** The line it begins on, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * Reads comma-separated values (RFC 4180): fields in quotes may hold commas, line breaks and doubled quotes. Lines may end
 * in CRLF, LF or CR; empty lines are left out, and so is a byte order mark.
 *
 * @param text - the file
 * @param name - its name, for messages
 * @param delimiter - one character
 * @throws FoveaError ERR_DATA with the line for a quote in the wrong place or without its end
 */
export function parseCsv(text: string, name: string, delimiter = ','): CsvRecord[] {
  const refuse = (expected: string, line: number): FoveaError =>
    new FoveaError(`${name}, line ${line}: expected ${expected}`, { code: 'ERR_DATA', op: 'parseCsv', expected });
  const records: CsvRecord[] = [];
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;

  const quoted = (): string => {
    const begin = line;
    let value = '';
    for (at++; ;) {
      const end = text.indexOf('"', at);
      if (end < 0) throw refuse('the end of the quotes that begin here', begin);
      const part = text.slice(at, end);
      line += part.match(/\r\n|\n|\r/g)?.length ?? 0;
      value += part;
      at = end + 1;
      if (text[at] !== '"') return value;
      value += '"';
      at++;
    }
  };

  const plain = (): string => {
    const begin = at;
    while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') {
      if (text[at] === '"') throw refuse('quotes around whole fields only, doubled inside of them', line);
      at++;
    }
    return text.slice(begin, at);
  };

  while (at < text.length) {
    const start = line;
    const fields: string[] = [];
    for (;;) {
      const inQuotes = text[at] === '"';
      fields.push(inQuotes ? quoted() : plain());
      if (text[at] === delimiter) {
        at++;
        continue;
      }
      if (at < text.length && text[at] !== '\n' && text[at] !== '\r') {
        throw refuse('a delimiter or the end of the line after quotes', line);
      }
      break;
    }
    if (text[at] === '\r' && text[at + 1] === '\n') at++;
    at++;
    line++;
    if (fields.length > 1 || fields[0] !== '') records.push({ line: start, fields });
  }
  return records;
}
