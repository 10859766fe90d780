import { zipSync, type Zippable } from 'fflate';

// Writes what `torch.save(state_dict)` writes: for tests of files that nobody may ship.

/** A tensor; in the older format it may look at a part of its storage only: where it begins, and how long it is. */
interface SavedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
  readonly part?: readonly [begin: number, size: number];
}

/** Tensors by name, each with a storage of its own. */
export type TorchState = ReadonlyMap<string, SavedTensor>;

/** A pickle, protocol 2, opcode by opcode. */
class Pickle {
  readonly #bytes: number[] = [0x80, 2];

  raw(...bytes: number[]): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  text(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.raw(0x58, ...le32(bytes.length), ...bytes);
  }

  int(value: number): this {
    return this.raw(0x4a, ...le32(value));
  }

  global(module: string, name: string): this {
    return this.raw(0x63, ...new TextEncoder().encode(`${module}\n${name}\n`));
  }

  tuple(values: readonly number[]): this {
    this.raw(0x28);
    for (const value of values) this.int(value);
    return this.raw(0x74);
  }

  done(): Uint8Array {
    return Uint8Array.from([...this.#bytes, 0x2e]);
  }
}

const le32 = (value: number): number[] => [value, value >> 8, value >> 16, value >> 24].map((byte) => byte & 0xff);

/** @param legacy - storages of the older format say which part of another one they are */
function pickleState(state: TorchState, legacy: boolean): Uint8Array {
  const pickle = new Pickle().global('collections', 'OrderedDict').raw(0x29, 0x52, 0x28);
  [...state].forEach(([name, { shape, data, part }], i) => {
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, d) => product * d, 1));
    pickle.text(name).global('torch._utils', '_rebuild_tensor_v2').raw(0x28, 0x28).text('storage');
    pickle.global('torch', data instanceof Float32Array ? 'FloatStorage' : 'IntStorage');
    pickle.text(`${i}`).text('cpu').int(data.length);
    if (legacy && part) pickle.raw(0x28).text(`part of ${i}`).int(part[0]).int(part[1]).raw(0x74);
    else if (legacy) pickle.raw(0x4e);
    pickle.raw(0x74, 0x51).int(0).tuple(shape).tuple(strides).raw(0x89);
    pickle.global('collections', 'OrderedDict').raw(0x29, 0x52, 0x74, 0x52);
  });
  return pickle.raw(0x75).done();
}

const bytesOf = (data: Float32Array | Int32Array): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** The bytes of a `.pth` file as PyTorch writes it since 1.6. */
export function encodeTorchZip(state: TorchState): Uint8Array {
  const files: Zippable = {
    'archive/data.pkl': pickleState(state, false),
    'archive/byteorder': new TextEncoder().encode('little'),
  };
  [...state.values()].forEach(({ data }, i) => (files[`archive/data/${i}`] = bytesOf(data)));
  files['archive/version'] = new TextEncoder().encode('3\n');
  return zipSync(files, { level: 0 });
}

/** The bytes of a `.pth` file as PyTorch wrote it before 1.6, which many official weights are. */
export function encodeTorchLegacy(state: TorchState): Uint8Array {
  const magic = Uint8Array.from([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e]);
  const system = new Pickle().raw(0x7d, 0x28).text('protocol_version').int(1001).text('little_endian').raw(0x88, 0x75);
  const keys = new Pickle().raw(0x5d, 0x28);
  for (let i = 0; i < state.size; i++) keys.text(`${i}`);
  const storages = [...state.values()].flatMap(({ data }) => {
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigInt64(0, BigInt(data.length), true);
    return [length, bytesOf(data)];
  });
  return Buffer.concat([
    ...[magic, new Pickle().int(1001).done(), system.done(), pickleState(state, true), keys.raw(0x65).done()],
    ...storages,
  ]);
}
