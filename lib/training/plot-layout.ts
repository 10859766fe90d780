/** What is laid out: a width, and the indices of what it comes behind. */
export interface LayoutNode {
  readonly width: number;
  readonly inputs: readonly number[];
  /** Nodes of one key are kept together in their row. */
  readonly key: string;
}

/** Where things are: the middle of each node, and the points each edge runs through, top to bottom. */
export interface Layout {
  readonly width: number;
  readonly rows: number;
  readonly nodes: readonly { readonly x: number; readonly row: number }[];
  readonly edges: readonly { readonly from: number; readonly to: number; readonly xs: readonly number[] }[];
}

/** A node, or the place where an edge crosses a row. */
interface Place {
  readonly width: number;
  readonly row: number;
  readonly key: string;
  readonly above: Place[];
  readonly below: Place[];
  x: number;
  order: number;
}

const GAP = 24;
const SWEEPS = 6;

/**
 * Lays a graph without cycles out in rows (Sugiyama's method): a node stands one row below the lowest of its inputs,
 * edges get a place in every row they cross, the order in the rows follows the neighbours' average, and so do the
 * places. Equal graphs give equal layouts.
 */
export function layoutGraph(graph: readonly LayoutNode[]): Layout {
  const rowOf: number[] = [];
  for (const { inputs } of graph) rowOf.push(Math.max(-1, ...inputs.map((i) => rowOf[i]!)) + 1);
  const rows: Place[][] = Array.from({ length: Math.max(-1, ...rowOf) + 1 }, () => []);
  const add = (row: number, width: number, key: string): Place => {
    const place: Place = { width, row, key, above: [], below: [], x: 0, order: rows[row]!.length };
    rows[row]!.push(place);
    return place;
  };
  const nodes = graph.map(({ width, key }, i) => add(rowOf[i]!, width, key));
  const edges = graph.flatMap(({ inputs, key }, to) =>
    inputs.map((from) => {
      const path = [nodes[from]!];
      for (let row = rowOf[from]! + 1; row < rowOf[to]!; row++) path.push(add(row, 8, key));
      path.push(nodes[to]!);
      for (let k = 1; k < path.length; k++) {
        path[k]!.above.push(path[k - 1]!);
        path[k - 1]!.below.push(path[k]!);
      }
      return { from, to, path };
    }),
  );
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : [...rows].reverse()) arrange(row, down ? 'above' : 'below');
  }
  for (const row of rows) spread(row, () => 0);
  for (let sweep = 0; sweep < 2 * SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : [...rows].reverse()) {
      spread(row, (place) => mean(place[down ? 'above' : 'below'], ({ x }) => x) ?? place.x);
    }
  }
  const all = rows.flat();
  const left = Math.min(0, ...all.map(({ x, width }) => x - width / 2));
  const right = Math.max(0, ...all.map(({ x, width }) => x + width / 2));
  return {
    width: right - left,
    rows: rows.length,
    nodes: nodes.map(({ x, row }) => ({ x: x - left, row })),
    edges: edges.map(({ from, to, path }) => ({ from, to, xs: path.map(({ x }) => x - left) })),
  };
}

function mean(places: readonly Place[], value: (place: Place) => number): number | undefined {
  return places.length === 0 ? undefined : places.reduce((sum, place) => sum + value(place), 0) / places.length;
}

/** Orders a row by the average place of the neighbours in the row before; equal ones stay as they are. */
function arrange(row: Place[], side: 'above' | 'below'): void {
  const wish = new Map(row.map((place) => [place, mean(place[side], ({ order }) => order) ?? place.order]));
  const groups = new Map<string, number>();
  for (const { key } of row) {
    const members = row.filter((place) => place.key === key);
    groups.set(key, members.reduce((sum, place) => sum + wish.get(place)!, 0) / members.length);
  }
  row.sort(
    (a, b) =>
      groups.get(a.key)! - groups.get(b.key)! ||
      a.key.localeCompare(b.key, 'en') ||
      wish.get(a)! - wish.get(b)! ||
      a.order - b.order,
  );
  row.forEach((place, order) => (place.order = order));
}

/**
 * Puts a row's places as near to where they want to be as their order and widths allow (least squares): neighbours that
 * would overlap form a block, which goes to the middle of its members' wishes.
 */
function spread(row: readonly Place[], wish: (place: Place) => number): void {
  interface Block {
    readonly places: Place[];
    /** Sum of what the members want of the block's left end. */
    sum: number;
    width: number;
  }
  const startOf = (block: Block): number => block.sum / block.places.length;
  const blocks: Block[] = [];
  for (const place of row) {
    let block: Block = { places: [place], sum: wish(place) - place.width / 2, width: place.width };
    for (let last = blocks.at(-1); last && startOf(last) + last.width + GAP > startOf(block); last = blocks.at(-1)) {
      blocks.pop();
      const shift = last.width + GAP;
      block = {
        places: [...last.places, ...block.places],
        sum: last.sum + block.sum - shift * block.places.length,
        width: shift + block.width,
      };
    }
    blocks.push(block);
  }
  for (const block of blocks) {
    let x = startOf(block);
    for (const place of block.places) {
      place.x = x + place.width / 2;
      x += place.width + GAP;
    }
  }
}
