/**
 * The whole surface of the native addon. `test/backends/addon-surface.test.ts` checks that these members and the
 * addon's own are the same.
 */
import type { DType, TypedArray } from '../../tensor/dtype.js';
import type { DeviceInfo, MissingDevice, PlanDescription, StepProfile } from '../backend.js';

/** What crosses the border: typed arrays of the stored elements. */
export type NativeArray = TypedArray | Uint16Array;

/** The error object the addon throws or rejects with: an Error carrying these. */
export interface NativeError extends Error {
  readonly code: string;
  readonly op?: string;
  readonly layer?: string;
}

/** Elements on one device; see DeviceBuffer. */
export interface NativeBuffer {
  readonly dtype: DType;
  readonly size: number;
  readonly device: string;
  /** Elements as the device holds them: 16-bit floats as their patterns. */
  write(data: NativeArray): void;
  read(): Promise<NativeArray>;
  readSync(): NativeArray;
  dispose(): void;
}

/** A validated and prepared plan; see ExecutablePlan. */
export interface NativePlan {
  /** When it fails, buffers from index `outputsFrom` on are marked as failed with the same error; see ExecutablePlan. */
  run(buffers: readonly NativeBuffer[], outputsFrom?: number): Promise<void>;
  runSync(buffers: readonly NativeBuffer[], outputsFrom?: number): void;
  profile(buffers: readonly NativeBuffer[]): Promise<StepProfile[]>;
  /** Scratch memory that its kernels share; the device keeps one, as large as any plan needs. */
  workspaceBytes(): number;
  dispose(): void;
}

export interface NativeMemory {
  bytes: number;
  peakBytes: number;
  buffers: number;
  arenaBytes: number;
}

export interface NativeAddon {
  /** Names of the kernels every native backend has. */
  readonly kernels: readonly string[];
  readonly version: string;
  devices(): { present: DeviceInfo[]; missing: MissingDevice[] };
  /** Zeroed when `data` is left out. */
  createBuffer(device: string, dtype: DType, size: number, data?: NativeArray): NativeBuffer;
  /**
   * A buffer of what an open file has from byte `position` on, read by the device's engine. The file may be closed after
   * the call. Rejects with ERR_FILE when it has less.
   */
  loadBuffer(device: string, dtype: DType, size: number, file: number, position: number): Promise<NativeBuffer>;
  createPlan(device: string, plan: PlanDescription): NativePlan;
  memory(device: string): NativeMemory;
  /** Sets the most bytes a device may hold in buffers and arena (0 = no limit). */
  setMemoryLimit(device: string, bytes: number): void;
  /** Threads the engine uses for one kernel on the CPU. */
  setThreads(count: number): void;
}
