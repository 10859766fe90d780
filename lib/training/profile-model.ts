import type { StepProfile } from '../backends/backend.js';
import { mismatch } from '../errors.js';
import { fastestSteps, perfettoTrace, profileTable } from '../graph/profile.js';
import { writeFileAtomic } from '../util/atomic-file.js';
import type { Model } from './model.js';
import { profileOnBatch } from './trainer.js';
import type { DataInput } from './trainer-types.js';

export interface ProfileOptions {
  /** Targets: then training steps are measured, after `compile`, and train the model. Else predictions. */
  y?: DataInput | undefined;
  /** Runs, after one that warms up; each kernel's fastest counts. 5 unless given. */
  runs?: number | undefined;
  /** A file to write a trace to, for https://ui.perfetto.dev. */
  trace?: string | undefined;
  /** Takes each line. `console.log` unless given. */
  printFn?: ((line: string) => void) | undefined;
}

/**
 * Where the time of a batch goes: prints time, share, GFLOP/s and GB/s by layer and by fused kernel.
 *
 * @returns the kernels in the order in which they run, each with its best time
 * @throws FoveaError ERR_ARGUMENT for a number of runs that is none; with targets, when the model was not compiled
 */
export async function profileModel(model: Model, x: DataInput, options: ProfileOptions = {}): Promise<StepProfile[]> {
  const { y, runs = 5, trace, printFn = console.log } = options;
  if (!Number.isSafeInteger(runs) || runs < 1) {
    const where = { op: 'profile', layer: model.name };
    throw mismatch('ERR_ARGUMENT', where, 'runs to be a whole number of at least 1', String(runs));
  }
  const steps = fastestSteps(await profileOnBatch(model, x, y, runs));
  profileTable(steps)
    .split('\n')
    .forEach((line) => printFn(line));
  if (trace !== undefined) await writeFileAtomic(trace, perfettoTrace(steps, model.name));
  return steps;
}
