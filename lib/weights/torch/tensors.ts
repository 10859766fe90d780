import { PickleGlobal, refuseTorch, type PickleOptions, type PickleValue } from './pickle.js';

/** Element types of PyTorch that are read, with their bytes. */
export const TORCH_DTYPES = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
} as const;

export type TorchDType = keyof typeof TORCH_DTYPES;

const STORAGES: Readonly<Record<string, TorchDType>> = {
  DoubleStorage: 'float64',
  FloatStorage: 'float32',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
};

/** Elements that tensors share. */
export class TorchStorage {
  constructor(
    /** The name of its bytes in the file. */
    readonly key: string,
    readonly dtype: TorchDType,
    /** Elements. */
    readonly size: number,
  ) {}
}

/** A part of a storage that stands for a storage of its own: written by PyTorch before 0.4. */
class StoragePart {
  constructor(
    readonly root: TorchStorage,
    readonly begin: number,
    readonly size: number,
  ) {}
}

/** A tensor as the pickle describes it: a view of a storage. */
export class TorchTensorView {
  constructor(
    readonly storage: TorchStorage,
    /** Where its first element is, in elements. */
    readonly offset: number,
    readonly shape: readonly number[],
    readonly stride: readonly number[],
  ) {}

  get dtype(): TorchDType {
    return this.storage.dtype;
  }

  get size(): number {
    return this.shape.reduce((product, d) => product * d, 1);
  }
}

/** A view that repeats elements (a stride of 0) may be larger than its storage, up to this many elements. */
const MAX_REPEATED = 2 ** 24;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const areCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);

/** Globals other than storages; what is not here is refused. */
const GLOBALS = new Set([
  'collections.OrderedDict',
  'torch._utils._rebuild_tensor',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
  'torch.Size',
  'torch.device',
]);

function storageDType({ module, name }: PickleGlobal): TorchDType | undefined {
  const ours = module === 'torch' || module === 'torch.cuda';
  return ours && Object.hasOwn(STORAGES, name) ? STORAGES[name] : undefined;
}

function isDTypeName({ module, name }: PickleGlobal): boolean {
  return module === 'torch' && Object.hasOwn(TORCH_DTYPES, name);
}

/** How tensors stand in a PyTorch pickle: see `torch/_utils.py` and `torch/serialization.py`. */
export function torchPickle(file: string): PickleOptions & { readonly storages: ReadonlyMap<string, TorchStorage> } {
  const storages = new Map<string, TorchStorage>();
  return {
    file,
    storages,
    knows: (global) => GLOBALS.has(global.path) || storageDType(global) !== undefined || isDTypeName(global),
    persistent: (id) => {
      const { storage, view } = readStorage(file, id);
      const known = storages.get(storage.key) ?? storage;
      if (known.dtype !== storage.dtype || known.size !== storage.size) {
        throw refuseTorch(file, `storage ${storage.key} is described in two ways`);
      }
      storages.set(storage.key, known);
      return view ? partOf(file, known, view) : known;
    },
    reduce: (global, args) => {
      switch (global.path) {
        case 'collections.OrderedDict':
          return orderedDict(file, args);
        case 'torch._utils._rebuild_tensor':
        case 'torch._utils._rebuild_tensor_v2':
          return rebuildTensor(file, args);
        case 'torch._utils._rebuild_parameter':
          if (args[0] instanceof TorchTensorView) return args[0];
          throw refuseTorch(file, 'a parameter in it holds no tensor');
        case 'torch.Size':
        case 'torch.device':
          return args[0] ?? null;
        default:
          return undefined;
      }
    },
  };
}

function orderedDict(file: string, [items]: readonly PickleValue[]): Map<PickleValue, PickleValue> {
  const pairs = items === undefined ? [] : items;
  if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) {
    throw refuseTorch(file, 'a dictionary in it is made of what are no pairs');
  }
  return new Map(pairs as [PickleValue, PickleValue][]);
}

/** `('storage', FloatStorage, key, location, size[, view])` */
function readStorage(file: string, id: PickleValue): { storage: TorchStorage; view: PickleValue | undefined } {
  if (!Array.isArray(id)) throw refuseTorch(file, 'a storage in it has no description');
  const [kind, type, key, , size, view] = id as PickleValue[];
  const dtype = type instanceof PickleGlobal ? storageDType(type) : undefined;
  if (kind !== 'storage' || dtype === undefined || typeof key !== 'string' || !isCount(size)) {
    throw refuseTorch(file, 'a storage in it is described in a way that is not known');
  }
  return { storage: new TorchStorage(key, dtype, size), view };
}

/** `(key, offset, size)` */
function partOf(file: string, root: TorchStorage, view: PickleValue): StoragePart {
  const [, begin, size] = Array.isArray(view) ? (view as PickleValue[]) : [];
  if (!isCount(begin) || !isCount(size) || begin + size > root.size) {
    throw refuseTorch(file, `a part of storage ${root.key} does not lie in it`);
  }
  return new StoragePart(root, begin, size);
}

/** `(storage, offset, shape, stride, ...)` */
function rebuildTensor(file: string, args: readonly PickleValue[]): TorchTensorView {
  const [given, start, shape, stride] = args;
  const fail = (what: string): Error => refuseTorch(file, `a tensor in it ${what}`);
  const part = given instanceof TorchStorage ? new StoragePart(given, 0, given.size) : given;
  if (!(part instanceof StoragePart)) throw fail('has no storage');
  if (!isCount(start) || !areCounts(shape) || !areCounts(stride) || shape.length !== stride.length) {
    throw fail('has an offset, shape or strides that are no whole numbers');
  }
  if (shape.length > 32) throw fail(`has ${shape.length} axes`);
  const view = new TorchTensorView(part.root, part.begin + start, shape, stride);
  const last = shape.reduce((sum, d, axis) => sum + (d - 1) * stride[axis]!, start);
  const empty = shape.includes(0);
  if (!empty && !(last < part.size)) {
    throw fail(`of shape [${shape.join()}] reaches to element ${last} of a storage of ${part.size}`);
  }
  if (!empty && view.size > Math.max(part.size, MAX_REPEATED)) {
    throw fail(`of shape [${shape.join()}] repeats a storage of ${part.size} elements too often`);
  }
  return view;
}
