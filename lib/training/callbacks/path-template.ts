import { FoveaError } from '../../errors.js';

/** `{name}` or `{name:format}` with a format of Python: `02d`, `.2f`, `06.3f`, `.1e`. */
const FIELD = /\{(\w+)(?::(0?)(\d*)(?:\.(\d+))?([dfe])?)?\}/g;

/**
 * Fills in the fields of a file name as Python's `str.format` would: `{epoch:02d}-{val_loss:.2f}`. Without a format,
 * `epoch` and `batch` have two digits at least, so that names sort, and other numbers four decimals.
 *
 * @param values - numbers by name
 * @throws FoveaError ERR_ARGUMENT that names what there is, for a field that is not there or a format that is not known
 */
export function fillTemplate(owner: string, template: string, values: Readonly<Record<string, number>>): string {
  const filled = template.replace(
    FIELD,
    (_, name: string, zero?: string, width?: string, digits?: string, kind?: string) => {
      const value = values[name];
      if (value === undefined) {
        throw new FoveaError(
          `${owner}: expected the fields of ${template} to be among ${Object.keys(values).join(', ')}, received ${name}`,
          { op: owner, received: name },
        );
      }
      const plain = kind === undefined && digits === undefined;
      if (plain && width === undefined) {
        return name === 'epoch' || name === 'batch' ? String(value).padStart(2, '0') : value.toFixed(4);
      }
      return format(value, kind ?? (digits === undefined ? 'd' : 'f'), digits).padStart(
        Number(width || 0),
        zero ? '0' : ' ',
      );
    },
  );
  const left = /\{[^}]*\}/.exec(filled);
  if (left) {
    throw new FoveaError(
      `${owner}: expected fields like {epoch:02d} or {val_loss:.2f} in ${template}, received ${left[0]}`,
      { op: owner, received: left[0] },
    );
  }
  return filled;
}

function format(value: number, kind: string, digits: string | undefined): string {
  if (kind === 'd') return String(Math.trunc(value));
  const places = Number(digits ?? 6);
  if (kind === 'f') return value.toFixed(places);
  // Python has two digits in an exponent at least.
  return value.toExponential(places).replace(/e([+-])(\d)$/, 'e$10$2');
}
