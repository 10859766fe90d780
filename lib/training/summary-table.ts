export interface Column {
  readonly title: string;
  /** Its part of the width, relative to the other columns. */
  readonly share: number;
  readonly right?: boolean;
}

/**
 * A table in Keras's frame; what is longer than its column goes on in the next line.
 *
 * @param width - of the whole table, in characters
 */
export function drawTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const widths = columnWidths(columns, width);
  const rule = (left: string, line: string, middle: string, right: string): string =>
    left + widths.map((w) => line.repeat(w)).join(middle) + right;
  const cells = (row: readonly string[], bar: string): string[] => {
    const wrapped = row.map((text, i) => wrap(text, widths[i]! - 2));
    const height = Math.max(...wrapped.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) => {
      const texts = wrapped.map((lines, i) => {
        const text = lines[line] ?? '';
        const space = widths[i]! - 2;
        return ` ${columns[i]!.right ? text.padStart(space) : text.padEnd(space)} `;
      });
      return bar + texts.join(bar) + bar;
    });
  };
  const body = rows.flatMap((row, i) => [...(i === 0 ? [] : [rule('├', '─', '┼', '┤')]), ...cells(row, '│')]);
  const titles = cells(
    columns.map(({ title }) => title),
    '┃',
  );
  return [rule('┏', '━', '┳', '┓'), ...titles, rule('┡', '━', '╇', '┩'), ...body, rule('└', '─', '┴', '┘')];
}

function columnWidths(columns: readonly Column[], width: number): number[] {
  const space = Math.max(width - columns.length - 1, columns.length * 10);
  const shares = columns.reduce((sum, { share }) => sum + share, 0);
  const widths = columns.map(({ share }) => Math.floor((space * share) / shares));
  widths[0]! += space - widths.reduce((sum, w) => sum + w, 0);
  return widths;
}

/** Breaks at spaces, else behind `_` or before `[`, where it can. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const joint = Math.max(rest.lastIndexOf('_', width - 1) + 1, rest.indexOf('[', 1));
    const at = space > 0 ? space : joint > 0 && joint <= width ? joint : width;
    lines.push(rest.slice(0, at).trimEnd());
    rest = rest.slice(at).trimStart();
  }
  return [...lines, rest];
}
