import type { Cursor, Hdf5Context } from './cursor.js';
import { readBTree2 } from './btree2.js';
import { FractalHeap } from './fractal-heap.js';
import { MESSAGE, type Message } from './object-header.js';

/** What a name in a group stands for: an object in this file, or a path that leads elsewhere. */
export type Link =
  | { readonly kind: 'object'; readonly address: number }
  | { readonly kind: 'soft'; readonly path: string }
  | { readonly kind: 'other' };

const utf8 = new TextDecoder();
const MAX_LEVELS = 64;

/** The links of a group, sorted by name unless the group keeps the order in which they were made. */
export function readLinks(context: Hdf5Context, messages: readonly Message[]): Map<string, Link> {
  const entries: [name: string, link: Link, order: number | undefined][] = [];
  for (const { type, body } of messages) {
    if (type === MESSAGE.link) entries.push(readLink(body));
    else if (type === MESSAGE.linkInfo) entries.push(...denseLinks(context, body));
    else if (type === MESSAGE.symbolTable) entries.push(...symbolTable(context, body));
  }
  const ordered = entries.every(([, , order]) => order !== undefined);
  // By UTF-8 bytes, as HDF5 sorts; for characters beyond the first plane UTF-16 differs, which no name needs.
  entries.sort((a, b) => (ordered ? a[2]! - b[2]! : a[0] < b[0] ? -1 : 1));
  return new Map(entries.map(([name, link]) => [name, link]));
}

function readLink(cursor: Cursor): [string, Link, number | undefined] {
  cursor.version(1);
  const flags = cursor.u8();
  const type = flags & 8 ? cursor.u8() : 0;
  const order = flags & 4 ? cursor.uint(8) : undefined;
  if (flags & 16) cursor.skip(1);
  const name = utf8.decode(cursor.take(cursor.uint(1 << (flags & 3))));
  if (type === 0) return [name, { kind: 'object', address: cursor.addressOf('an object') }, order];
  if (type === 1) return [name, { kind: 'soft', path: utf8.decode(cursor.take(cursor.u16())) }, order];
  return [name, { kind: 'other' }, order];
}

function denseLinks(context: Hdf5Context, info: Cursor): [string, Link, number | undefined][] {
  info.version(0);
  const flags = info.u8();
  if (flags & 1) info.skip(8);
  const [heapAddress, tree] = [info.address(), info.address()];
  if (heapAddress === undefined || tree === undefined) return [];
  const heap = new FractalHeap(context, heapAddress);
  return readBTree2(context, tree, 'links').map((record) => {
    record.skip(4);
    return readLink(heap.read(record, 'link'));
  });
}

/** Groups of older files: names in a heap, entries in nodes of a B-tree. */
function symbolTable(context: Hdf5Context, body: Cursor): [string, Link, undefined][] {
  const [tree, heap] = [body.addressOf('a B-tree'), readLocalHeap(context, body.addressOf('a heap'))];
  const entries: [string, Link, undefined][] = [];
  const visit = (address: number, level: number): void => {
    const nodes = context.upTo(address, 8 + 2 * context.offsetSize, 'B-tree of a group');
    nodes.signature('TREE');
    if (nodes.u8() !== 0) throw nodes.fail('expected a node of a group');
    const depth = nodes.u8();
    const count = nodes.u16();
    if (depth >= level) throw nodes.fail(`expected a level below ${level}, received ${depth}`);
    const { offsetSize, lengthSize } = context;
    const children = context.cursor(
      address + 8 + 2 * offsetSize,
      count * (offsetSize + lengthSize),
      'B-tree of a group',
    );
    for (let i = 0; i < count; i++) {
      children.skip(lengthSize);
      const child = children.addressOf('a node');
      if (depth > 0) visit(child, depth);
      else entries.push(...symbolNode(context, child, heap));
    }
  };
  visit(tree, MAX_LEVELS);
  return entries;
}

function symbolNode(context: Hdf5Context, address: number, heap: Cursor): [string, Link, undefined][] {
  const head = context.cursor(address, 8, 'symbol table node');
  head.signature('SNOD');
  head.version(1);
  head.skip(1);
  const count = head.u16();
  const { offsetSize } = context;
  const node = context.cursor(address + 8, count * (2 * offsetSize + 24), 'symbol table node');
  return Array.from({ length: count }, () => {
    const name = textAt(heap, node.uint(offsetSize));
    const object = node.address();
    const type = node.u32();
    node.skip(4);
    const scratch = node.part(16);
    if (type === 2) return [name, { kind: 'soft', path: textAt(heap, scratch.u32()) }, undefined];
    if (object === undefined) throw node.fail(`expected an address of "${name}", received none`);
    return [name, { kind: 'object', address: object }, undefined];
  });
}

function readLocalHeap(context: Hdf5Context, address: number): Cursor {
  const head = context.cursor(address, 8 + 2 * context.lengthSize + context.offsetSize, 'local heap');
  head.signature('HEAP');
  head.version(0);
  head.skip(3);
  const size = head.length();
  head.skip(context.lengthSize);
  return context.cursor(head.addressOf('its data'), size, 'local heap');
}

/** Text that ends with a zero, at an offset in a heap. */
function textAt(heap: Cursor, offset: number): string {
  const end = offset < heap.bytes.length ? heap.bytes.indexOf(0, offset) : -1;
  if (end < 0) throw heap.fail(`expected a name at ${offset}, received ${heap.bytes.length} bytes`);
  return utf8.decode(heap.bytes.subarray(offset, end));
}
