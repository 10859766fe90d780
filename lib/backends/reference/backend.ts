import { mismatch } from '../../errors.js';
import { DTYPES, isDType } from '../../tensor/dtype.js';
import type { DType, TypedArray } from '../../tensor/dtype.js';
import type { Backend, DeviceBuffer, DeviceInfo, ExecutablePlan, PlanDescription } from '../backend.js';
import { ReferenceBuffer } from './buffer.js';
import type { ReferenceDevice } from './buffer.js';
import { REFERENCE_KERNELS } from './kernels/index.js';
import { MemoryAccount } from './memory.js';
import { ReferencePlan } from './plan.js';
import { WorkQueue } from './queue.js';

/**
 * The device `reference`: every kernel as plain loops in float64. It specifies what the native devices compute, checks
 * their plans more closely than they do, carries gradient checks, and works where no addon can be built.
 *
 * Values of every dtype are held in float64. A float32 value is rounded when the host reads it and where a kernel's
 * contract says so (random numbers), not between kernels. Work runs on the event loop, in the order asked, and lets
 * other events in between two kernels.
 */
export class ReferenceBackend implements Backend {
  readonly device: DeviceInfo = {
    name: 'reference',
    kind: 'reference',
    description: 'TypeScript loops in float64 (the specification)',
    capabilities: ['float64', 'deterministic'],
  };
  readonly kernels: ReadonlySet<string> = new Set(REFERENCE_KERNELS.keys());
  readonly dtypes: ReadonlySet<DType> = new Set<DType>(DTYPES);
  readonly #device: ReferenceDevice = { queue: new WorkQueue(), account: new MemoryAccount() };

  /**
   * @throws FoveaError `ERR_DTYPE` for an unknown dtype or data of another one, `ERR_ARGUMENT` for a size that is none
   * or not that of the data, `ERR_OUT_OF_MEMORY`
   */
  createBuffer(dtype: DType, size: number, data?: TypedArray): DeviceBuffer {
    const op = 'createBuffer';
    if (!isDType(dtype)) throw mismatch('ERR_DTYPE', { op }, [...this.dtypes].join(', '), String(dtype));
    if (!Number.isSafeInteger(size) || size < 0) {
      throw mismatch('ERR_ARGUMENT', { op }, 'a size of zero or more', String(size));
    }
    return new ReferenceBuffer(this.#device, dtype, size, data);
  }

  /** @throws FoveaError `ERR_ARGUMENT` or `ERR_UNSUPPORTED`, naming op and layer, when the plan is not sound */
  preparePlan(plan: PlanDescription): ExecutablePlan {
    return new ReferencePlan(this.#device, plan);
  }

  /** Bytes actually held: 8 for an element of any dtype, in buffers and in the arenas of plans. */
  memory(): { bytes: number; peakBytes: number; buffers: number } {
    return this.#device.account.report();
  }
}
