import type { DType, TypedArray } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';

/** What a device is and can do. */
export interface DeviceInfo {
  /** The name users select it by: `cpu`, `reference`, `cuda:0`. */
  readonly name: string;
  readonly kind: 'reference' | 'cpu' | 'cuda';
  /** Human-readable: the processor, the library and its version. */
  readonly description: string;
  readonly memoryBytes?: number;
  readonly capabilities: readonly string[];
}

/** A device that was looked for and is not there, with the reason and what would bring it. */
export interface MissingDevice {
  readonly name: string;
  readonly reason: string;
  readonly remedy: string;
}

/** Elements on one device. Its bytes are reported to V8; a finalizer frees what nobody disposed. */
export interface DeviceBuffer {
  readonly dtype: DType;
  readonly size: number;
  /** Replaces the contents, after all work enqueued before it. The array is copied at the call. */
  write(data: TypedArray): void;
  /** The contents after all work enqueued before it, as a new typed array; rejects when that work failed. */
  read(): Promise<TypedArray>;
  /** As {@link read}, blocking the caller. */
  readSync(): TypedArray;
  /** Frees the memory once work enqueued before it has run. Calling it twice does nothing. */
  dispose(): void;
}

/** Attribute values as kernels receive them. */
export type AttributeValue = number | boolean | string | readonly number[] | readonly string[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

/**
 * Where a value lives while a plan runs: a buffer handed to `run`, or a part of one (`size` elements from element
 * `first`, which lies at a multiple of 64 bytes), or a range of the arena.
 */
export type StorageDescription =
  | { readonly kind: 'external'; readonly index: number; readonly first?: number; readonly size?: number }
  | { readonly kind: 'arena'; readonly offset: number; readonly bytes: number };

/** A typed, shaped view of a storage. A reshape is a second slot on the same storage. */
export interface SlotDescription {
  readonly storage: number;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** One kernel call. An output slot on the storage of an input means: in place. */
export interface StepDescription {
  readonly kernel: string;
  readonly attributes: Attributes;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** For errors and profiles: the op and the path of the layer that made it. */
  readonly op: string;
  readonly layer: string;
}

/** Everything a backend needs to run a graph: validated as a whole before anything runs. */
export interface PlanDescription {
  readonly storages: readonly StorageDescription[];
  readonly slots: readonly SlotDescription[];
  readonly steps: readonly StepDescription[];
  readonly arenaBytes: number;
  /** The buffers `run` expects, in order. */
  readonly externals: readonly { readonly dtype: DType; readonly size: number }[];
}

/** Time and traffic of one step, from the last profiled run. */
export interface StepProfile {
  readonly kernel: string;
  readonly implementation: string;
  readonly op: string;
  readonly layer: string;
  readonly milliseconds: number;
  readonly bytes: number;
  /** Multiplications and additions, from the shapes; compiled functions add it. */
  readonly flops?: number;
}

/** A prepared plan. Runs asked for at once run in the order asked. */
export interface ExecutablePlan {
  /**
   * Resolves when every step has run; rejects with a {@link FoveaError} that names op and layer.
   *
   * @param outputsFrom - buffers from this index on are outputs: when the run fails they are marked as failed, and
   *   whoever reads them or runs a plan with them gets the same error. A run given a failed buffer does nothing else
   */
  run(buffers: readonly DeviceBuffer[], outputsFrom?: number): Promise<void>;
  runSync(buffers: readonly DeviceBuffer[], outputsFrom?: number): void;
  /** Runs once with a clock around every step. */
  profile(buffers: readonly DeviceBuffer[]): Promise<StepProfile[]>;
  /** Scratch memory that its kernels share, beside the arena; the device keeps one, as large as any plan needs. */
  readonly workspaceBytes: number;
  dispose(): void;
}

/** A device that runs plans. `reference` is the specification, in TypeScript; the others are native. */
export interface Backend {
  readonly device: DeviceInfo;
  /** The kernels it has, by name; the same on every device. */
  readonly kernels: ReadonlySet<string>;
  readonly dtypes: ReadonlySet<DType>;
  /** A buffer of `size` elements, from `data` when given (copied at the call), else zeroed. */
  createBuffer(dtype: DType, size: number, data?: TypedArray): DeviceBuffer;
  /**
   * A buffer of the elements that a file has from byte `position` on, as the device's types are stored (little-endian;
   * 16-bit floats as their patterns), where the device reads files itself.
   *
   * @param file - the descriptor of an open file, which may be closed after the call
   * @throws FoveaError (rejects) ERR_FILE when the file has less, ERR_OUT_OF_MEMORY
   */
  loadBuffer?(dtype: DType, size: number, file: number, position: number): Promise<DeviceBuffer>;
  preparePlan(plan: PlanDescription): ExecutablePlan;
  /** Bytes in use and the highest they were. */
  memory(): { bytes: number; peakBytes: number; buffers: number };
}
