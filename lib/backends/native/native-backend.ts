import { FoveaError } from '../../errors.js';
import type { FoveaErrorCode } from '../../errors.js';
import { DTYPES as ALL, isNarrow, type DType, type NarrowDType, type TypedArray } from '../../tensor/dtype.js';
import { fromPatterns, toPatterns } from '../../tensor/narrow.js';
import type { Backend, DeviceBuffer, DeviceInfo, ExecutablePlan, PlanDescription, StepProfile } from '../backend.js';
import type { NativeAddon, NativeArray, NativeBuffer, NativeError, NativePlan } from './addon.js';

const DTYPES: ReadonlySet<DType> = new Set(ALL.filter((dtype) => dtype !== 'float64'));

/** A device of the native addon. */
export class NativeBackend implements Backend {
  readonly device: DeviceInfo;
  readonly kernels: ReadonlySet<string>;
  readonly dtypes = DTYPES;
  readonly #addon: NativeAddon;

  constructor(addon: NativeAddon, device: DeviceInfo) {
    this.#addon = addon;
    this.device = device;
    this.kernels = new Set(addon.kernels);
  }

  createBuffer(dtype: DType, size: number, data?: TypedArray): DeviceBuffer {
    const native = data && toNative(dtype, data);
    return new NativeDeviceBuffer(guard(() => this.#addon.createBuffer(this.device.name, dtype, size, native)));
  }

  async loadBuffer(dtype: DType, size: number, file: number, position: number): Promise<DeviceBuffer> {
    return new NativeDeviceBuffer(
      await guardAsync(() => this.#addon.loadBuffer(this.device.name, dtype, size, file, position)),
    );
  }

  preparePlan(plan: PlanDescription): ExecutablePlan {
    return new NativeExecutablePlan(guard(() => this.#addon.createPlan(this.device.name, plan)));
  }

  memory(): { bytes: number; peakBytes: number; buffers: number } {
    return guard(() => this.#addon.memory(this.device.name));
  }

  /** Sets the most bytes that buffers and arena may hold; 0 is what the device has. */
  setMemoryLimit(bytes: number): void {
    guard(() => this.#addon.setMemoryLimit(this.device.name, bytes));
  }

  /** Sets how many threads a kernel uses on the CPU, for plans prepared from now on. */
  setThreads(count: number): void {
    guard(() => this.#addon.setThreads(count));
  }
}

class NativeDeviceBuffer implements DeviceBuffer {
  readonly dtype: DType;
  readonly size: number;
  readonly native: NativeBuffer;

  constructor(native: NativeBuffer) {
    this.native = native;
    this.dtype = native.dtype;
    this.size = native.size;
  }

  write(data: TypedArray): void {
    guard(() => this.native.write(toNative(this.dtype, data)));
  }

  async read(): Promise<TypedArray> {
    return toHost(this.dtype, await guardAsync(() => this.native.read()));
  }

  readSync(): TypedArray {
    return toHost(
      this.dtype,
      guard(() => this.native.readSync()),
    );
  }

  dispose(): void {
    this.native.dispose();
  }
}

/** Elements as the addon takes them: 16-bit floats as their patterns. */
function toNative(dtype: DType, data: TypedArray): NativeArray {
  return isNarrow(dtype) && data instanceof Float32Array ? toPatterns(dtype, data) : data;
}

/** Elements as the host holds them. */
function toHost(dtype: DType, data: NativeArray): TypedArray {
  if (!(data instanceof Uint16Array)) return data;
  return fromPatterns(dtype as NarrowDType, data); // The addon gives patterns for these types only.
}

class NativeExecutablePlan implements ExecutablePlan {
  readonly workspaceBytes: number;
  readonly #native: NativePlan;

  constructor(native: NativePlan) {
    this.#native = native;
    this.workspaceBytes = native.workspaceBytes();
  }

  run(buffers: readonly DeviceBuffer[], outputsFrom?: number): Promise<void> {
    return guardAsync(() => this.#native.run(nativeBuffers(buffers), outputsFrom));
  }

  runSync(buffers: readonly DeviceBuffer[], outputsFrom?: number): void {
    guard(() => this.#native.runSync(nativeBuffers(buffers), outputsFrom));
  }

  profile(buffers: readonly DeviceBuffer[]): Promise<StepProfile[]> {
    return guardAsync(() => this.#native.profile(nativeBuffers(buffers)));
  }

  dispose(): void {
    this.#native.dispose();
  }
}

/** The addon's own objects; whatever is none is left for the addon to refuse. */
function nativeBuffers(buffers: readonly DeviceBuffer[]): NativeBuffer[] {
  return buffers.map((buffer) => (buffer as Partial<NativeDeviceBuffer> | undefined)?.native as NativeBuffer);
}

function guard<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toFoveaError(error);
  }
}

async function guardAsync<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toFoveaError(error);
  }
}

/** An error of the addon with code, op and layer; anything else as it is. */
function toFoveaError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const { message, code, op, layer } = error as NativeError;
  return new FoveaError(message, {
    code: code as FoveaErrorCode,
    cause: error,
    ...(op === undefined ? {} : { op }),
    ...(layer === undefined ? {} : { layer }),
  });
}
