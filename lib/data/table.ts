import { FoveaError } from '../errors.js';
import { crypto } from '../util/builtins.js';
import { ArrayColumn, ByteColumn, type Column } from './columns.js';
import { formatShape } from './host-tensor.js';
import { type Batched, mapStructure, tensorsOf } from './structure.js';

/** Elements that are rows of columns in memory. */
export interface Table<T> {
  readonly length: number;
  get(row: number): T;
  /** The rows as one batch, copied straight from the columns. */
  gather(rows: readonly number[]): Batched<T>;
  /** A digest of all rows. */
  digest(): string;
}

function isColumn(value: unknown): value is Column {
  return value instanceof ArrayColumn || value instanceof ByteColumn;
}

/** Rebuilds the structure of columns with what `each` makes of them; tuples of columns, the usual case, go quickly. */
function build(columns: unknown, each: (column: Column) => unknown): unknown {
  if (Array.isArray(columns)) return columns.map((item) => (isColumn(item) ? each(item) : build(item, each)));
  return isColumn(columns) ? each(columns) : mapStructure(columns, (item) => each(item as Column));
}

/**
 * A table of columns.
 *
 * @param columns - columns in tuples and records, all of one length
 */
export function tableOf<T>(columns: unknown): Table<T> {
  let length = -1;
  build(columns, (column) => (length = column.length));
  return {
    length,
    get: (row) => build(columns, (column) => column.row(row)) as T,
    gather: (rows) => build(columns, (column) => column.gather(rows)) as Batched<T>,
    digest: () => {
      const hash = crypto().createHash('sha256');
      build(columns, (column) => column.addTo(hash));
      return hash.digest('hex');
    },
  };
}

/**
 * The table whose rows are the slices of host tensors along their first axis.
 *
 * @param structure - host tensors in tuples and records
 * @param op - who asks, for messages
 * @throws FoveaError ERR_SHAPE when a tensor is a scalar or the first dimensions differ
 */
export function sliceTable<T>(structure: unknown, op: string): Table<T> {
  const [first, ...others] = tensorsOf(structure, op);
  if (!first) {
    throw new FoveaError(`${op}: expected at least one tensor, received none`, { code: 'ERR_DATA', op });
  }
  const length = first.shape[0];
  for (const tensor of [first, ...others]) {
    if (tensor.shape.length === 0 || tensor.shape[0] !== length) {
      throw new FoveaError(
        `${op}: expected tensors of one length along the first axis, received ` +
          [first, ...others].map((item) => formatShape(item.shape)).join(' and '),
        { code: 'ERR_SHAPE', op, expected: length, received: tensor.shape },
      );
    }
  }
  return tableOf(
    mapStructure(structure, (item) => new ArrayColumn(item as ConstructorParameters<typeof ArrayColumn>[0])),
  );
}
