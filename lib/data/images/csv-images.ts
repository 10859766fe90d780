import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { FoveaError, mismatch } from '../../errors.js';
import type { HostTensor } from '../host-tensor.js';
import { type CsvRecord, parseCsv } from './csv.js';
import {
  checkLabelMode,
  type Examples,
  imageDatasets,
  type ImageElement,
  type ImageSplits,
  type LabelMode,
  SPLIT_KEYS,
  type SplitOptions,
  type SplitSpec,
} from './image-dataset.js';
import { checkKeys } from '../../util/options.js';
import { IMAGE_KEYS, type ImageOptions } from './image-options.js';

/** As {@link LabelMode}, and 'float': the number in the column itself (float32 `[]`), for regression. */
export type CsvLabelMode = LabelMode | 'float';

/** Options of {@link csvImages}. */
export interface CsvImagesOptions<S extends SplitSpec = SplitSpec, M extends CsvLabelMode = CsvLabelMode>
  extends ImageOptions, SplitOptions<S> {
  /** The column of the image files, by name, or by number from 0. 'path' unless told. */
  readonly pathColumn?: string | number;
  /** The column of the labels. 'label' unless told. */
  readonly labelColumn?: string | number;
  /** The folder that paths begin from. That of the CSV file unless told. */
  readonly root?: string;
  /** Whether the first record has the names of the columns. True unless told. */
  readonly header?: boolean;
  /** ',' unless told. */
  readonly delimiter?: string;
  /** 'int' unless told. */
  readonly labelMode?: M;
  /** The classes in the order of their labels; those of the column, sorted, unless told. */
  readonly classNames?: readonly string[];
}

type CsvElement<M> = M extends 'float' ? [image: HostTensor, label: HostTensor] : ImageElement<M>;

const OP = 'csvImages';
const MAX_BYTES = 2 ** 28;
const CSV_KEYS = ['pathColumn', 'labelColumn', 'root', 'header', 'delimiter', 'labelMode', 'classNames'];

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) throw mismatch('ERR_DATA', { op: OP }, `${file} of at most ${MAX_BYTES} bytes`, `${size}`);
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof FoveaError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'ERR_NOT_FOUND' : 'ERR_FILE';
    throw new FoveaError(`${OP}: cannot read ${file}: ${(cause as Error).message}`, { code, op: OP, cause });
  }
}

/** The index of a column. */
function findColumn(option: string, column: string | number, names: readonly string[], header: boolean): number {
  const index = typeof column === 'number' ? column : header ? names.indexOf(column) : -1;
  if (Number.isInteger(index) && index >= 0 && index < names.length) return index;
  const known = header ? `one of the columns ${names.join(', ')}` : `a number from 0 to ${names.length - 1}`;
  throw mismatch('ERR_ARGUMENT', { op: OP }, `${option} to be ${known}`, JSON.stringify(column));
}

function field(file: string, { line, fields }: CsvRecord, column: number, width: number): string {
  if (fields.length !== width) {
    throw mismatch('ERR_DATA', { op: OP }, `${width} fields in ${file}, line ${line}`, `${fields.length}`);
  }
  const value = fields[column] as string;
  if (value !== '') return value;
  throw mismatch('ERR_DATA', { op: OP }, `a value in field ${column + 1} of ${file}, line ${line}`, 'none');
}

function numberIn(file: string, { line }: CsvRecord, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && text.trim() !== '') return value;
  throw mismatch('ERR_DATA', { op: OP }, `a number as label in ${file}, line ${line}`, JSON.stringify(text));
}

/** Whole numbers sort by value, all else by code units. */
function sortClasses(names: ReadonlySet<string>): string[] {
  const list = [...names];
  if (list.every((name) => /^-?\d{1,15}$/.test(name))) return list.sort((a, b) => Number(a) - Number(b));
  return list.sort();
}

function labelsOf(
  file: string,
  rows: readonly { record: CsvRecord; label: string }[],
  mode: CsvLabelMode,
  classNames: readonly string[] | undefined,
): Pick<Examples, 'labels' | 'classNames'> {
  if (mode === 'float')
    return { labels: rows.map(({ record, label }) => numberIn(file, record, label)), classNames: [] };
  const names = classNames ?? sortClasses(new Set(rows.map(({ label }) => label)));
  const numbers = new Map(names.map((name, i) => [name, i]));
  if (numbers.size !== names.length)
    throw mismatch('ERR_ARGUMENT', { op: OP }, 'each class name once', names.join(', '));
  const labels = rows.map(({ record, label }) => {
    const number = numbers.get(label);
    if (number !== undefined) return number;
    throw mismatch(
      'ERR_DATA',
      { op: OP },
      `one of the classes ${names.join(', ')} in ${file}, line ${record.line}`,
      label,
    );
  });
  return { labels, classNames: names };
}

/**
 * Images listed in a CSV file, with their labels.
 *
 * @param file - the CSV file
 * @returns as `imageFolder` does
 * @throws FoveaError ERR_NOT_FOUND, ERR_DATA with the line, ERR_ARGUMENT; while iterating one that names an image that is
 *   corrupt or missing
 */
export async function csvImages<const S extends SplitSpec = 'train', M extends CsvLabelMode = 'int'>(
  file: string,
  options: CsvImagesOptions<S, M> = {},
): Promise<ImageSplits<S, CsvElement<M>>> {
  checkKeys(OP, options, [...IMAGE_KEYS, ...SPLIT_KEYS, ...CSV_KEYS]);
  const { pathColumn = 'path', labelColumn = 'label', header = true, delimiter = ',', labelMode = 'int' } = options;
  checkLabelMode(OP, labelMode, ['int', 'categorical', 'binary', 'float', null]);
  if (delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
    throw mismatch('ERR_ARGUMENT', { op: OP }, 'delimiter to be one character', JSON.stringify(delimiter));
  }
  const records = parseCsv(await readText(file), file, delimiter);
  const [first, ...others] = records;
  const examples = header ? others : records;
  if (!first || examples.length === 0) throw mismatch('ERR_DATA', { op: OP }, `records in ${file}`, 'none');
  const width = first.fields.length;
  const paths = findColumn('pathColumn', pathColumn, first.fields, header);
  const root = options.root ?? path.dirname(file);
  const files = examples.map((record) => path.resolve(root, field(file, record, paths, width)));
  if (labelMode === null) {
    return imageDatasets<S, CsvElement<M>>(OP, { files, labels: undefined, classNames: [] }, null, options);
  }
  const column = findColumn('labelColumn', labelColumn, first.fields, header);
  const rows = examples.map((record) => ({ record, label: field(file, record, column, width) }));
  const labelled = { files, ...labelsOf(file, rows, labelMode, options.classNames) };
  return imageDatasets<S, CsvElement<M>>(OP, labelled, labelMode, options);
}
