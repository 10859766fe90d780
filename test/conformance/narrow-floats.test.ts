import { describe, expect, it } from 'vitest';
import { FoveaError } from '../../lib/index.js';
import { hash } from '../support/fill.js';
import { largestMagnitude } from '../support/golden.js';
import { describeCall, opFamilies, runCall, type CallResult, type OpCall } from '../support/ops-cases.js';
import { forCases, RandomValues } from '../support/random-values.js';
import { testDevices } from '../support/devices.js';
import type { NarrowDType } from '../../lib/tensor/dtype.js';

/** Calls drawn for a family of weight 1; FOVEA_TEST_CASES multiplies it for longer runs. */
const UNIT = 3 * Number(process.env['FOVEA_TEST_CASES'] ?? 1);
/** What a result may be off by: bfloat16 holds 8 digits, float16 11; chains of ops round at each of them on the reference. */
const ALLOWED: Readonly<Record<NarrowDType, number>> = { bfloat16: 1e-2, float16: 2e-3 };
const LEAST_SCALE = 0.5;
const types = Object.keys(ALLOWED) as NarrowDType[];
const others = testDevices().filter((d) => d !== 'reference');

/** Families whose results jump where inputs are moved by a rounding. */
const JUMPS = new Set(['floorDiv', 'mod', 'sign', 'round', 'floor', 'ceil']);
const families = opFamilies().filter((f) => !JUMPS.has(f.name));

describe.each(others.flatMap((d) => types.map((t) => [d, t] as const)))(
  '%s computes with %s as the reference',
  (device, dtype) => {
    it.each(families.map((f) => [f.name, f] as const))('%s', async (name, family) => {
      await forCases(`${dtype} ${name}`, Math.ceil(family.weight * UNIT), (random) => {
        const call = family.draw(random, false);
        if (call.inputs.some((i) => i.dtype === 'float')) compareDevices(call, device, dtype, random.seed);
      });
    });
  },
);

function compareDevices(call: OpCall, device: string, dtype: NarrowDType, seed: number): void {
  const dy = (shape: readonly number[]): ArrayLike<number> => new RandomValues(hash(seed, 1)).floats(shape);
  const run = (on: string): CallResult[] => {
    try {
      return runCall(call, on, dtype, dy);
    } catch (error) {
      if (error instanceof FoveaError)
        throw new Error(`${describeCall(call)} on ${on}: ${error.message}`, { cause: error });
      throw error;
    }
  };
  const expected = run('reference');
  run(device).forEach((r, i) => compare(r, expected[i]!, call, ALLOWED[dtype]));
}

function compare(r: CallResult, e: CallResult, call: OpCall, share: number): void {
  const what = `${describeCall(call)}: ${r.name}`;
  expect({ shape: r.shape, dtype: r.dtype }, what).toEqual({ shape: e.shape, dtype: e.dtype });
  const allowed = share * Math.max(LEAST_SCALE, largestMagnitude(e.data));
  for (let i = 0; i < e.data.length; i++) {
    const [a, b] = [r.data[i]!, e.data[i]!];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= allowed) continue;
    expect.fail(`${what}: element ${i}: expected ${b}, received ${a} (allowed ${allowed})`);
  }
}
