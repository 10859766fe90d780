import { type FileHandle, open } from 'node:fs/promises';
import { FoveaError } from '../../errors.js';
import type { TypedArray } from '../../tensor/dtype.js';
import { fromPatterns } from '../../tensor/narrow.js';
import { isLegacy, openLegacy, openZip, readAt, type TorchArchive } from './archive.js';
import { refuseTorch, type PickleValue } from './pickle.js';
import { TORCH_DTYPES, TorchTensorView, type TorchDType } from './tensors.js';

/** Elements of a tensor in a PyTorch file, row-major. Half precision is widened to float32; int64 stays whole. */
export interface TorchArray {
  readonly dtype: TorchDType;
  readonly shape: readonly number[];
  readonly data: TypedArray | Int8Array | Int16Array | BigInt64Array;
}

/** A tensor's name, type and shape. */
export interface TorchEntry {
  readonly dtype: TorchDType;
  readonly shape: readonly number[];
}

/** Where training scripts put the tensors of a checkpoint. */
const STATE_KEYS = ['state_dict', 'model_state_dict', 'model', 'net', 'network', 'weights', 'state_dict_ema'];

/**
 * An open PyTorch file (`.pth`, `.pt`, `.bin`; the zip format and the one before PyTorch 1.6). Its pickle is read by a
 * reader that knows tensors and plain values only; nothing is executed. Elements are read when they are asked for.
 *
 * @example
 * await using file = await TorchFile.open('resnet18-f37072fd.pth');
 * const { data, shape } = await file.read('layer1.0.conv1.weight');
 */
export class TorchFile implements AsyncDisposable {
  readonly #views: ReadonlyMap<string, TorchTensorView>;

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private readonly archive: TorchArchive,
    tensors: ReadonlyMap<string, TorchTensorView>,
    /** What a checkpoint holds besides the tensors: epoch, accuracy. Dictionaries are maps. */
    readonly other: ReadonlyMap<string, unknown>,
  ) {
    this.#views = tensors;
  }

  /**
   * Opens a file and checks its description of tensors as a whole.
   *
   * @throws FoveaError ERR_NOT_FOUND, or ERR_FILE that names what is wrong, or the global that is not allowed
   */
  static async open(path: string): Promise<TorchFile> {
    const handle = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
      const code = cause.code === 'ENOENT' ? 'ERR_NOT_FOUND' : 'ERR_FILE';
      throw new FoveaError(`cannot read ${path}: ${cause.message}`, { code, op: 'torch', cause });
    });
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw refuseTorch(path, 'expected a file');
      const archive = await openArchive(path, handle, stats.size);
      const { tensors, other } = findTensors(path, archive.value);
      for (const [name, { storage }] of tensors) {
        if (!archive.positions.has(storage)) throw refuseTorch(path, `tensor "${name}" has no storage in the file`);
      }
      return new TorchFile(path, handle, archive, tensors, other);
    } catch (error) {
      await handle.close();
      throw error instanceof FoveaError ? error : refuseTorch(path, (error as Error).message, error);
    }
  }

  /** The tensors by name, in the file's order; those of a checkpoint's `state_dict` without what leads to it. */
  get entries(): ReadonlyMap<string, TorchEntry> {
    return this.#views;
  }

  /**
   * The elements of a tensor.
   *
   * @throws FoveaError ERR_NOT_FOUND, ERR_FILE when the file is damaged
   */
  async read(name: string): Promise<TorchArray> {
    const view = this.#views.get(name);
    if (!view) throw new FoveaError(`${this.path}: has no tensor "${name}"`, { code: 'ERR_NOT_FOUND', op: 'torch' });
    const { dtype, shape, stride, offset, size } = view;
    if (size === 0) return { dtype, shape, data: decode(dtype, new ArrayBuffer(0)) };
    const width = TORCH_DTYPES[dtype];
    const extent = 1 + shape.reduce((sum, d, axis) => sum + (d - 1) * stride[axis]!, 0);
    const position = this.archive.positions.get(view.storage)! + offset * width;
    const data = decode(dtype, await readAt(this.path, this.handle, position, extent * width));
    const ordered = isContiguous(shape, stride) ? data : gather(data, shape, stride, size);
    if (dtype === 'bool' && (ordered as Uint8Array).some((v) => v > 1)) {
      throw refuseTorch(this.path, `tensor "${name}": expected booleans of 0 or 1`);
    }
    return { dtype, shape, data: ordered };
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function openArchive(path: string, handle: FileHandle, fileBytes: number): Promise<TorchArchive> {
  const head = new Uint8Array(await readAt(path, handle, 0, Math.min(fileBytes, 16)));
  if (isLegacy(head)) return await openLegacy(path, handle, fileBytes);
  if (head[0] === 0x50 && head[1] === 0x4b) return await openZip(path, handle, fileBytes);
  throw refuseTorch(path, 'expected a file of torch.save, received something else');
}

/** The tensors of what was saved: a `state_dict`, or a checkpoint that holds one. */
function findTensors(
  path: string,
  value: PickleValue,
): { tensors: Map<string, TorchTensorView>; other: Map<string, unknown> } {
  if (!(value instanceof Map)) throw refuseTorch(path, 'expected a state_dict or a dictionary that holds one');
  const own = tensorsOf(value);
  if (own.tensors.size > 0) return own;
  const inside = STATE_KEYS.map((key) => value.get(key)).filter((v) => v instanceof Map);
  for (const candidate of inside) {
    const { tensors } = tensorsOf(candidate);
    if (tensors.size === 0) continue;
    return { tensors, other: new Map([...own.other].filter(([key]) => value.get(key) !== candidate)) };
  }
  throw refuseTorch(path, `has no tensors at its top or under ${STATE_KEYS.join(', ')}`);
}

function tensorsOf(dictionary: Map<PickleValue, PickleValue>): {
  tensors: Map<string, TorchTensorView>;
  other: Map<string, unknown>;
} {
  const tensors = new Map<string, TorchTensorView>();
  const other = new Map<string, unknown>();
  for (const [key, value] of dictionary) {
    if (typeof key !== 'string') continue;
    if (value instanceof TorchTensorView) tensors.set(key, value);
    else other.set(key, value);
  }
  return { tensors, other };
}

function decode(dtype: TorchDType, bytes: ArrayBuffer): TorchArray['data'] {
  switch (dtype) {
    case 'float64':
      return new Float64Array(bytes);
    case 'float32':
      return new Float32Array(bytes);
    case 'float16':
      return fromPatterns('float16', new Uint16Array(bytes));
    case 'bfloat16':
      return fromPatterns('bfloat16', new Uint16Array(bytes));
    case 'int64':
      return new BigInt64Array(bytes);
    case 'int32':
      return new Int32Array(bytes);
    case 'int16':
      return new Int16Array(bytes);
    case 'int8':
      return new Int8Array(bytes);
    case 'uint8':
    case 'bool':
      return new Uint8Array(bytes);
  }
}

/** Whether elements lie row-major without gaps; axes of one element may have any stride. */
function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue;
    if (stride[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** The elements of a strided view, row-major. */
function gather<A extends TorchArray['data']>(
  data: A,
  shape: readonly number[],
  stride: readonly number[],
  size: number,
): A {
  const made = new (data.constructor as new (length: number) => A)(size);
  let at = 0;
  const walk = (axis: number, from: number): void => {
    if (axis === shape.length) {
      made[at++] = data[from]!;
      return;
    }
    for (let k = 0; k < shape[axis]!; k++) walk(axis + 1, from + k * stride[axis]!);
  };
  walk(0, 0);
  return made;
}
