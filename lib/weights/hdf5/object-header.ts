import { Cursor, type Hdf5Context } from './cursor.js';

/** The kinds of messages that are looked at. */
export const MESSAGE = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  fillValue: 0x05,
  link: 0x06,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

/** A message of an object header: a property of a group or dataset. */
export class Message {
  constructor(
    readonly type: number,
    readonly shared: boolean,
    private readonly content: Cursor,
  ) {}

  /** Its content, from the start. */
  get body(): Cursor {
    return new Cursor(this.content.context, this.content.bytes, this.content.what);
  }
}

const MAX_MESSAGES = 65_536;

/** All messages of the object header at an address, those in continuation blocks too. */
export function readObjectHeader(context: Hdf5Context, address: number): Message[] {
  const head = context.upTo(address, 40, 'object header');
  return head.bytes[0] === 1 ? readVersion1(context, address, head) : readVersion2(context, address, head);
}

function readVersion1(context: Hdf5Context, address: number, head: Cursor): Message[] {
  head.version(1);
  head.skip(1);
  const count = head.u16();
  head.skip(4);
  const size = head.u32();
  const messages: Message[] = [];
  const blocks: [address: number, size: number][] = [[address + 16, size]];
  for (const [at, length] of blocks) {
    const block = context.cursor(at, length, 'object header');
    while (block.left >= 8 && messages.length < count) {
      const [type, bytes, flags] = [block.u16(), block.u16(), block.u8()];
      block.skip(3);
      take(messages, blocks, new Message(type, (flags & 2) !== 0, block.part(bytes)));
    }
  }
  return messages;
}

function readVersion2(context: Hdf5Context, address: number, head: Cursor): Message[] {
  head.signature('OHDR');
  head.version(2);
  const flags = head.u8();
  if (flags & 0x20) head.skip(16);
  if (flags & 0x10) head.skip(4);
  const size = head.uint(1 << (flags & 3));
  const ordered = (flags & 4) !== 0;
  const messages: Message[] = [];
  const blocks: [address: number, size: number][] = [];
  const readBlock = (block: Cursor): void => {
    while (block.left >= (ordered ? 6 : 4)) {
      const [type, bytes, messageFlags] = [block.u8(), block.u16(), block.u8()];
      if (ordered) block.skip(2);
      take(messages, blocks, new Message(type, (messageFlags & 2) !== 0, block.part(bytes)));
    }
  };
  readBlock(context.cursor(address + head.position, size, 'object header'));
  for (const [at, length] of blocks) {
    const block = context.cursor(at, length, 'object header continuation');
    block.signature('OCHK');
    // A checksum ends it.
    readBlock(block.part(length - 8));
  }
  return messages;
}

function take(messages: Message[], blocks: [number, number][], message: Message): void {
  if (messages.length >= MAX_MESSAGES) throw message.body.fail(`expected at most ${MAX_MESSAGES} messages`);
  messages.push(message);
  if (message.type !== MESSAGE.continuation) return;
  const { body } = message;
  blocks.push([body.addressOf('a continuation'), body.length()]);
}
