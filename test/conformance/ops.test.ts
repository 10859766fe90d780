import { describe, expect, it } from 'vitest';
import { FoveaError } from '../../lib/index.js';
import { opTable } from '../../lib/ops/index.js';
import { hash } from '../support/fill.js';
import { largestMagnitude } from '../support/golden.js';
import { describeCall, opFamilies, runCall, type CallResult, type OpCall } from '../support/ops-cases.js';
import { forCases, RandomValues } from '../support/random-values.js';
import { testDevices } from '../support/devices.js';

/** Calls drawn for a family of weight 1; FOVEA_TEST_CASES multiplies it for longer runs. */
const UNIT = 9 * Number(process.env['FOVEA_TEST_CASES'] ?? 1);
/** Inputs are of the order of 1: a sum of many that comes out near 0 is no nearer than they allow. */
const LEAST_SCALE = 0.5;
const families = opFamilies();
const others = testDevices().filter((d) => d !== 'reference');

it('draws calls of every op of the table', () => {
  const covered = new Set(families.flatMap((f) => f.covers));
  expect([...covered].filter((name) => !opTable.has(name))).toEqual([]);
  expect([...opTable.keys()].filter((name) => !covered.has(name))).toEqual([]);
});

it('draws at least 2,000 calls', () => {
  expect(families.reduce((n, f) => n + f.weight * UNIT, 0)).toBeGreaterThanOrEqual(2000);
});

describe.each(others)('%s computes what the reference computes', (device) => {
  it.each(families.map((f) => [f.name, f] as const))('%s', async (name, family) => {
    await forCases(`conformance ${name}`, family.weight * UNIT, (random) => {
      const call = family.draw(random, false);
      compareDevices(call, device, random.seed);
    });
  });
});

function compareDevices(call: OpCall, device: string, seed: number): void {
  const dy = (shape: readonly number[]): ArrayLike<number> => new RandomValues(hash(seed, 1)).floats(shape);
  const run = (on: string): CallResult[] => {
    try {
      return runCall(call, on, 'float32', dy);
    } catch (error) {
      if (error instanceof FoveaError)
        throw new Error(`${describeCall(call)} on ${on}: ${error.message}`, { cause: error });
      throw error;
    }
  };
  const expected = run('reference');
  const received = run(device);
  received.forEach((r, i) => compare(r, expected[i]!, call));
}

function compare(r: CallResult, e: CallResult, call: OpCall): void {
  const what = `${describeCall(call)}: ${r.name}`;
  expect({ shape: r.shape, dtype: r.dtype }, what).toEqual({ shape: e.shape, dtype: e.dtype });
  const allowed = call.exact ? 0 : (call.relative ?? 1e-5) * Math.max(LEAST_SCALE, largestMagnitude(e.data));
  for (let i = 0; i < e.data.length; i++) {
    const [a, b] = [r.data[i]!, e.data[i]!];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= allowed) continue;
    expect.fail(`${what}: element ${i}: expected ${b}, received ${a} (allowed ${allowed})`);
  }
}
