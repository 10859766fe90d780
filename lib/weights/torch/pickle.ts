import { FoveaError } from '../../errors.js';

/** What a pickle can hold here. Tuples and lists are arrays, dictionaries maps; nothing is ever called or imported. */
export type PickleValue =
  null | boolean | number | bigint | string | Uint8Array | PickleValue[] | Map<PickleValue, PickleValue> | object;

/** A name from a Python module that stands in the pickle. It is compared with a list and never looked up. */
export class PickleGlobal {
  constructor(
    readonly module: string,
    readonly name: string,
  ) {}

  get path(): string {
    return `${this.module}.${this.name}`;
  }
}

/** What the pickle's reader asks of its user. */
export interface PickleOptions {
  /** For messages. */
  readonly file: string;
  /** The value of a persistent id: a storage. */
  readonly persistent: (id: PickleValue) => object;
  /** What `global(...args)` gives, or undefined when the global is not one that tensors need. */
  readonly reduce: (global: PickleGlobal, args: readonly PickleValue[]) => PickleValue | undefined;
  /** Whether a global may stand in the pickle at all. */
  readonly knows: (global: PickleGlobal) => boolean;
}

const MARK = Symbol('mark');
type Slot = PickleValue | typeof MARK;

/** The bytes end before the pickle does. */
export class PickleEnds extends FoveaError {}

/** An error about the contents of a PyTorch file. */
export function refuseTorch(file: string, what: string, cause?: unknown): FoveaError {
  return new FoveaError(`${file}: ${what}`, { code: 'ERR_FILE', op: 'torch', cause });
}

/**
 * Reads one pickle with the opcodes that tensors, numbers, strings and containers need; any other is refused. Its cost
 * is bounded by the pickle's length.
 *
 * @param start - where it begins in `bytes`
 * @returns the value and where the pickle ends
 * @throws FoveaError ERR_FILE that names the opcode or global that is not allowed, or what is damaged
 */
export function readPickle(
  bytes: Uint8Array,
  start: number,
  options: PickleOptions,
): { value: PickleValue; end: number } {
  const machine = new Machine(bytes, start, options);
  return { value: machine.run(), end: machine.position };
}

class Machine {
  readonly #view: DataView;
  readonly #stack: Slot[] = [];
  readonly #memo = new Map<number, PickleValue>();
  position: number;

  constructor(
    private readonly bytes: Uint8Array,
    start: number,
    private readonly options: PickleOptions,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = start;
  }

  run(): PickleValue {
    for (;;) {
      const at = this.#advance(1);
      const code = this.bytes[at]!;
      if (code === 0x2e) return this.#pop();
      const act = OPCODES[code];
      if (!act) {
        const shown = `0x${code.toString(16).padStart(2, '0')}`;
        throw this.#refuse(`opcode ${shown} at byte ${at} of its pickle is not one that tensors need`);
      }
      act(this);
    }
  }

  #ends(): FoveaError {
    const message = `${this.options.file}: its pickle ends in the middle (truncated?)`;
    return new PickleEnds(message, { code: 'ERR_FILE', op: 'torch' });
  }

  #refuse(what: string): FoveaError {
    return refuseTorch(this.options.file, what);
  }

  /** The position, after moving on over `length` bytes that must be there. */
  #advance(length: number): number {
    const at = this.position;
    if (length > this.bytes.length - at) throw this.#ends();
    this.position = at + length;
    return at;
  }

  uint8 = (): number => this.#view.getUint8(this.#advance(1));
  uint16 = (): number => this.#view.getUint16(this.#advance(2), true);
  int32 = (): number => this.#view.getInt32(this.#advance(4), true);
  uint32 = (): number => this.#view.getUint32(this.#advance(4), true);
  float64 = (): number => this.#view.getFloat64(this.#advance(8), false);

  uint64(): number {
    const value = this.#view.getBigUint64(this.#advance(8), true);
    // No length in a file that fits in memory is larger; `#advance` refuses it by its size.
    return Number(value);
  }

  raw(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.bytes.subarray(at, at + length);
  }

  text(length: number): string {
    const bytes = this.raw(length);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw refuseTorch(this.options.file, `a string of its pickle is not UTF-8`, cause);
    }
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    if (end < 0) throw this.#ends();
    const text = this.text(end - this.position);
    this.position = end + 1;
    return text;
  }

  /** A little-endian two's complement integer of any length. */
  long(length: number): number | bigint {
    const digits = this.raw(length);
    let value = 0n;
    for (let i = digits.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i]!);
    value = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  mark(): void {
    this.#stack.push(MARK);
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) throw this.#refuse('its pickle takes a value that is not there');
    return value;
  }

  /** The values above the last mark, which goes too. */
  #popMark(): PickleValue[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) throw this.#refuse('its pickle has no mark where one is needed');
    const values = this.#stack.splice(at) as PickleValue[];
    return values.slice(1);
  }

  tuple(count: number | undefined): void {
    if (count === undefined) return this.push(this.#popMark());
    const values: PickleValue[] = [];
    for (let i = 0; i < count; i++) values.unshift(this.#pop());
    this.push(values);
  }

  append(many: boolean): void {
    const values = many ? this.#popMark() : [this.#pop()];
    const list = this.#stack.at(-1);
    if (!Array.isArray(list)) throw this.#refuse('its pickle appends to what is no list');
    for (const value of values) (list as PickleValue[]).push(value);
  }

  set(many: boolean): void {
    const values = many ? this.#popMark() : [this.#pop(), this.#pop()].reverse();
    const dictionary = this.#stack.at(-1);
    if (!(dictionary instanceof Map) || values.length % 2 !== 0) {
      throw this.#refuse('its pickle sets items of what is no dictionary');
    }
    for (let i = 0; i < values.length; i += 2) dictionary.set(values[i]!, values[i + 1]!);
  }

  put(index: number): void {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw this.#refuse('its pickle remembers a value that is not there');
    this.#memo.set(index, value);
  }

  memoize(): void {
    this.put(this.#memo.size);
  }

  get(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#refuse(`its pickle recalls value ${index}, which it has not remembered`);
    this.push(value);
  }

  global(module: string, name: string): void {
    const found = new PickleGlobal(module, name);
    if (!this.options.knows(found)) throw this.#refuseGlobal(found);
    this.push(found);
  }

  stackGlobal(): void {
    const [name, module] = [this.#pop(), this.#pop()];
    if (typeof name !== 'string' || typeof module !== 'string')
      throw this.#refuse('its pickle names a global by no name');
    this.global(module, name);
  }

  reduce(): void {
    const [args, global] = [this.#pop(), this.#pop()];
    if (!(global instanceof PickleGlobal) || !Array.isArray(args))
      throw this.#refuse('its pickle calls what is no global');
    const value = this.options.reduce(global, args as PickleValue[]);
    if (value === undefined) throw this.#refuseGlobal(global);
    this.push(value);
  }

  /** Attributes of an object: those of dictionaries (PyTorch's `_metadata`) are dropped, other objects have none. */
  build(): void {
    this.#pop();
    if (!(this.#stack.at(-1) instanceof Map)) throw this.#refuse('its pickle sets attributes of what is no dictionary');
  }

  persistent(): void {
    this.push(this.options.persistent(this.#pop()));
  }

  #refuseGlobal({ path }: PickleGlobal): FoveaError {
    const shown = path.length > 120 ? `${path.slice(0, 120)}...` : path;
    return this.#refuse(
      `its pickle needs ${shown}; only tensors and plain values are read, nothing is executed ` +
        `(in PyTorch, save the state_dict alone: torch.save(model.state_dict(), file))`,
    );
  }
}

/** What each opcode does; see CPython's `pickletools`. */
const OPCODES: Readonly<Record<number, (m: Machine) => void>> = {
  0x80: (m) => void m.uint8(), // PROTO
  0x95: (m) => void m.uint64(), // FRAME
  0x28: (m) => m.mark(),
  0x4e: (m) => m.push(null),
  0x88: (m) => m.push(true),
  0x89: (m) => m.push(false),
  0x4a: (m) => m.push(m.int32()), // BININT
  0x4b: (m) => m.push(m.uint8()), // BININT1
  0x4d: (m) => m.push(m.uint16()), // BININT2
  0x8a: (m) => m.push(m.long(m.uint8())), // LONG1
  0x47: (m) => m.push(m.float64()), // BINFLOAT
  0x58: (m) => m.push(m.text(m.uint32())), // BINUNICODE
  0x8c: (m) => m.push(m.text(m.uint8())), // SHORT_BINUNICODE
  0x8d: (m) => m.push(m.text(m.uint64())), // BINUNICODE8
  0x55: (m) => m.push(m.text(m.uint8())), // SHORT_BINSTRING: names in files that Python 2 wrote
  0x54: (m) => m.push(m.text(m.uint32())), // BINSTRING
  0x43: (m) => m.push(m.raw(m.uint8())), // SHORT_BINBYTES
  0x42: (m) => m.push(m.raw(m.uint32())), // BINBYTES
  0x7d: (m) => m.push(new Map()), // EMPTY_DICT
  0x5d: (m) => m.push([]), // EMPTY_LIST
  0x29: (m) => m.push([]), // EMPTY_TUPLE
  0x74: (m) => m.tuple(undefined), // TUPLE
  0x85: (m) => m.tuple(1),
  0x86: (m) => m.tuple(2),
  0x87: (m) => m.tuple(3),
  0x61: (m) => m.append(false), // APPEND
  0x65: (m) => m.append(true), // APPENDS
  0x73: (m) => m.set(false), // SETITEM
  0x75: (m) => m.set(true), // SETITEMS
  0x71: (m) => m.put(m.uint8()), // BINPUT
  0x72: (m) => m.put(m.uint32()), // LONG_BINPUT
  0x94: (m) => m.memoize(), // MEMOIZE
  0x68: (m) => m.get(m.uint8()), // BINGET
  0x6a: (m) => m.get(m.uint32()), // LONG_BINGET
  0x63: (m) => m.global(m.line(), m.line()), // GLOBAL
  0x93: (m) => m.stackGlobal(), // STACK_GLOBAL
  0x52: (m) => m.reduce(), // REDUCE
  0x62: (m) => m.build(), // BUILD
  0x51: (m) => m.persistent(), // BINPERSID
};
