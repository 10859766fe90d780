import { FoveaError, mismatch } from '../../errors.js';
import { bytesPerElement } from '../../tensor/dtype.js';
import { sizeOf } from '../../tensor/shape.js';
import type { DeviceBuffer, ExecutablePlan, PlanDescription, StepProfile } from '../backend.js';
import { partOf } from '../parts.js';
import { ReferenceBuffer, allocate } from './buffer.js';
import type { BufferStorage, ReferenceDevice } from './buffer.js';
import type { PreparedKernel } from './kernels/kernel.js';
import type { Work } from './queue.js';
import { checkPlan } from './validate.js';

/** Elements of one operand: a view of the arena, or a part of an external. */
type Operand = Float64Array | { readonly external: number; readonly first: number; readonly count: number };

interface Step {
  readonly kernel: string;
  readonly op: string;
  readonly layer: string;
  readonly compute: PreparedKernel;
  readonly inputs: readonly Operand[];
  readonly outputs: readonly Operand[];
  /** Bytes of all operands in their dtypes. */
  readonly bytes: number;
}

/** Is told how long each step took. */
type StepClock = (step: Step, milliseconds: number) => void;

/**
 * A plan of the reference device. The arena has one float64 array for each storage: storages that share bytes do not
 * share elements here, but `checkPlan` has refused plans that count on what another storage overwrote.
 */
export class ReferencePlan implements ExecutablePlan {
  readonly workspaceBytes = 0;
  readonly #device: ReferenceDevice;
  readonly #externals: PlanDescription['externals'];
  #steps: readonly Step[];
  #disposed = false;
  readonly #release: () => void;

  /**
   * @param device - queue and account of the device
   * @param plan - what to run; checked as a whole here
   * @throws FoveaError as `checkPlan`; `ERR_OUT_OF_MEMORY`
   */
  constructor(device: ReferenceDevice, plan: PlanDescription) {
    this.#device = device;
    this.#externals = plan.externals.map((external) => ({ ...external }));
    const checked = checkPlan(plan);
    const arena = allocateArena(plan);
    const operand = (slotNumber: number): Operand => {
      const slot = plan.slots[slotNumber]!;
      const storage = plan.storages[slot.storage]!;
      if (storage.kind === 'arena') return arena[slot.storage]!.subarray(0, sizeOf(slot.shape));
      return { external: storage.index, ...partOf(storage, plan.externals[storage.index]!.size) };
    };
    this.#steps = checked.map(({ description, compute }) => ({
      kernel: description.kernel,
      op: description.op,
      layer: description.layer,
      compute,
      inputs: description.inputs.map(operand),
      outputs: description.outputs.map(operand),
      bytes: [...description.inputs, ...description.outputs].reduce((sum, number) => {
        const { dtype, shape } = plan.slots[number]!;
        return sum + sizeOf(shape) * bytesPerElement(dtype);
      }, 0),
    }));
    const bytes = arena.reduce((sum, elements) => sum + elements.byteLength, 0);
    this.#release = device.account.add(this, bytes, 0);
  }

  async run(buffers: readonly DeviceBuffer[], outputsFrom?: number): Promise<void> {
    await this.#device.queue.enqueue(this.#work('run', buffers, outputsFrom));
  }

  runSync(buffers: readonly DeviceBuffer[], outputsFrom?: number): void {
    const work = this.#work('runSync', buffers, outputsFrom);
    this.#device.queue.drain();
    while (work.next().done !== true);
  }

  async profile(buffers: readonly DeviceBuffer[]): Promise<StepProfile[]> {
    const profiles: StepProfile[] = [];
    const work = this.#work('profile', buffers, undefined, ({ kernel, op, layer, bytes }, milliseconds) => {
      profiles.push({ kernel, implementation: 'reference', op, layer, milliseconds, bytes });
    });
    await this.#device.queue.enqueue(work);
    return profiles;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#steps = [];
    if (this.#device.queue.idle) this.#release();
    else this.#device.queue.enqueueStep(this.#release);
  }

  /**
   * Checks the buffers at once and returns the work of one run, which may pause between steps. When it fails, buffers
   * from `outputsFrom` on are marked.
   */
  #work(op: string, buffers: readonly DeviceBuffer[], outputsFrom?: number, onStep?: StepClock): Work {
    if (this.#disposed) throw mismatch('ERR_DISPOSED', { op }, 'a plan in use', 'one that was disposed');
    const externals = this.#storagesOf(op, buffers);
    return execute(this.#steps, externals, outputsFrom ?? externals.length, onStep);
  }

  #storagesOf(op: string, buffers: readonly DeviceBuffer[]): BufferStorage[] {
    const expected = this.#externals;
    if (buffers.length !== expected.length) {
      throw mismatch('ERR_ARGUMENT', { op }, `${expected.length} buffers`, `${buffers.length}`);
    }
    return expected.map(({ dtype, size }, i) => {
      const buffer = buffers[i];
      if (!(buffer instanceof ReferenceBuffer) || buffer.device !== this.#device) {
        throw mismatch('ERR_DEVICE', { op }, `buffer ${i} of this reference device`, 'one of another');
      }
      const storage = buffer.storage(op);
      if (buffer.dtype !== dtype) throw mismatch('ERR_DTYPE', { op }, `buffer ${i} of ${dtype}`, buffer.dtype);
      if (buffer.size !== size) {
        throw mismatch('ERR_ARGUMENT', { op }, `buffer ${i} of ${size} elements`, `${buffer.size}`);
      }
      return storage;
    });
  }
}

/** One array per arena storage, as long as the largest slot on it. */
function allocateArena(plan: PlanDescription): Float64Array[] {
  const sizes = plan.storages.map(() => 0);
  for (const { storage, shape } of plan.slots) {
    if (plan.storages[storage]!.kind === 'arena') sizes[storage] = Math.max(sizes[storage]!, sizeOf(shape));
  }
  return sizes.map((size) => allocate('plan', size));
}

/** Runs the steps, pausing after each. What ran before a step that fails stays done. */
function* execute(
  steps: readonly Step[],
  externals: readonly BufferStorage[],
  outputsFrom: number,
  onStep?: StepClock,
): Generator<void, void, void> {
  const elements = (operand: Operand): Float64Array => {
    if (operand instanceof Float64Array) return operand;
    const { external, first, count } = operand;
    return externals[external]!.data.subarray(first, first + count);
  };
  try {
    const failed = externals.find(({ failure }) => failure !== undefined);
    if (failed?.failure !== undefined) throw failed.failure;
    for (const step of steps) {
      const start = performance.now();
      compute(step, elements);
      onStep?.(step, performance.now() - start);
      yield;
    }
  } catch (error) {
    if (error instanceof FoveaError) for (const storage of externals.slice(outputsFrom)) storage.failure = error;
    throw error;
  }
}

/** Runs one step; whatever it throws names its op and layer. */
function compute(step: Step, elements: (operand: Operand) => Float64Array): void {
  try {
    step.compute(step.inputs.map(elements), step.outputs.map(elements));
  } catch (cause) {
    throw executionError(step, cause);
  }
}

function executionError(step: Step, cause: unknown): FoveaError {
  if (cause instanceof FoveaError) return cause;
  const { op, layer } = step;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FoveaError(`${op} "${layer}": kernel ${step.kernel} failed: ${reason}`, {
    code: 'ERR_EXECUTION',
    op,
    layer,
    cause,
  });
}
