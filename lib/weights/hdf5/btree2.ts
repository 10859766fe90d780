import type { Cursor, Hdf5Context } from './cursor.js';

/** Bytes that hold numbers up to `limit`. */
const bytesFor = (limit: number): number => Math.floor(Math.log2(Math.max(1, limit)) / 8) + 1;

/** The records of a version 2 B-tree in its order, each as a cursor. */
export function readBTree2(context: Hdf5Context, address: number, what: string): Cursor[] {
  const head = context.upTo(address, 64, `B-tree of ${what}`);
  head.signature('BTHD');
  head.version(0);
  head.skip(1);
  const [nodeSize, recordSize, depth] = [head.u32(), head.u16(), head.u16()];
  head.skip(2);
  const root = head.address();
  const rootRecords = head.u16();
  if (root === undefined) return [];
  if (recordSize === 0 || depth > 32)
    throw head.fail(`expected records and at most 32 levels, received ${depth} levels`);
  const levels = levelSizes(context, nodeSize, recordSize, depth);
  const records: Cursor[] = [];
  const visit = (at: number, count: number, level: number): void => {
    const node = context.cursor(at, nodeSize, `B-tree of ${what}`);
    node.signature(level === 0 ? 'BTLF' : 'BTIN');
    node.version(0);
    node.skip(1);
    const own = Array.from({ length: count }, () => node.part(recordSize, what));
    if (level === 0) return void records.push(...own);
    for (let i = 0; i <= count; i++) {
      const child = node.addressOf('a node');
      const inChild = node.uint(levels.countBytes);
      node.skip(levels.totalBytes[level - 1]!);
      visit(child, inChild, level - 1);
      if (i < count) records.push(own[i]!);
    }
  };
  visit(root, rootRecords, depth);
  return records;
}

/** How wide the counts in pointers to children are: it follows from how many records fit. */
function levelSizes(
  context: Hdf5Context,
  nodeSize: number,
  recordSize: number,
  depth: number,
): { countBytes: number; totalBytes: number[] } {
  const overhead = 10;
  const inLeaf = Math.floor((nodeSize - overhead) / recordSize);
  const countBytes = bytesFor(inLeaf);
  const totalBytes = [0];
  let total = inLeaf;
  for (let level = 1; level <= depth; level++) {
    const pointer = context.offsetSize + countBytes + totalBytes[level - 1]!;
    const most = Math.floor((nodeSize - overhead - pointer) / (recordSize + pointer));
    total = (most + 1) * total + most;
    totalBytes.push(bytesFor(total));
  }
  return { countBytes, totalBytes };
}
