import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentDevice, setDevice, type TypedArray } from '../../lib/index.js';
import { readGolden } from '../support/golden.js';
import { runCase, short, type Sample, type Trajectory, type TrainingCase } from './trajectory-run.js';
import { testDevices } from '../support/devices.js';

// Winograd's shorter sums decide some relu or pooling window otherwise: see test/golden/README.md, "Tolerances".
process.env['FOVEA_EXACT'] = '1';

const { cases } = readGolden<{ cases: TrainingCase[] }>('training.json.gz');
const natives = testDevices().filter((name) => name !== 'reference');

/** How far a run is from a fixture: each difference as a multiple of what the fixtures' README allows. */
interface Distance {
  readonly what: string;
  readonly difference: number;
  readonly allowed: number;
}

function norm(values: TypedArray): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares);
}

function relative(actual: number, expected: number): number {
  return Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-12);
}

function firstOff(actual: TypedArray, first: readonly number[]): number {
  return Math.max(...first.map((value, i) => Math.abs(actual[i]! - value)));
}

/**
 * Step 0. ResNet-34's fixture met a flip there itself: our float64 reference and the cpu agree to 4e-7 in every
 * gradient, and with the fixture in those of the last three units; below the relu of unit 13 all are off by 1e-4 to 2e-3.
 */
function stepZero(c: TrainingCase, run: Trajectory): Distance[] {
  const { losses, gradientNorm, gradientsStep0 } = c.expected;
  const flipped = c.model === 'resnet34';
  const allowed = flipped ? 5e-3 : 1e-4;
  return [
    { what: 'losses[0]', difference: relative(run.losses[0]!, losses[0]!), allowed: 1e-4 },
    { what: 'gradientNorm[0]', difference: relative(run.gradientNorm[0]!, gradientNorm[0]!), allowed },
    ...gradientsStep0.flatMap((sample) => {
      const above = /unit1[45]|predictions/.test(sample.name);
      return sampleOff(run.gradientsStep0, sample, above ? 1e-4 : allowed, above || !flipped ? 1e-4 : 10 * allowed);
    }),
  ];
}

function sampleOff(
  values: Map<string, TypedArray>,
  { name, l2, first }: Sample,
  ofNorm: number,
  ofFirst: number,
): Distance[] {
  const actual = values.get(short(name));
  if (!actual) throw new Error(`no ${name}`);
  // Elements cancel; what counts is their size beside the tensor's.
  const scale = Math.max(l2 / Math.sqrt(actual.length), ...first.map(Math.abs));
  return [
    { what: `${name} norm`, difference: relative(norm(actual), l2), allowed: ofNorm },
    { what: `${name} first`, difference: firstOff(actual, first), allowed: ofFirst * Math.max(scale, 1e-2) },
  ];
}

function later(c: TrainingCase, run: Trajectory): Distance[] {
  const { expected, noise } = c;
  const tolerance = (n: number): number => Math.max(1e-5, 10 * n);
  return [
    ...expected.losses.map((loss, t) => ({
      what: `losses[${t}]`,
      difference: Math.abs(run.losses[t]! - loss),
      allowed: tolerance(noise.losses[t]!),
    })),
    ...expected.gradientNorm.map((value, t) => ({
      what: `gradientNorm[${t}]`,
      difference: relative(run.gradientNorm[t]!, value),
      allowed: tolerance(noise.gradientNormRel),
    })),
    ...expected.weightsAfter.flatMap(({ name, l2, first }): Distance[] => {
      const actual = run.weightsAfter.get(short(name))!;
      return [
        { what: `${name} norm`, difference: relative(norm(actual), l2), allowed: tolerance(noise.weightL2Rel) },
        { what: `${name} first`, difference: firstOff(actual, first), allowed: tolerance(noise.weightFirst) },
      ];
    }),
    {
      what: 'inferenceAfter',
      difference: firstOff(run.inferenceAfter, expected.inferenceAfter.values),
      allowed: tolerance(noise.inference),
    },
  ];
}

function describeWrong(distances: readonly Distance[]): string[] {
  return distances
    .filter(({ difference, allowed }) => !(difference <= allowed))
    .map(
      ({ what, difference, allowed }) =>
        `${what}: off by ${difference.toExponential(2)}, allowed ${allowed.toExponential(2)}`,
    );
}

/** What of a run after step 0 is out of tolerance. */
function wrongLater(c: TrainingCase, run: Trajectory): string[] {
  const accuracy = c.expected.accuracy.map((value, t) => ({
    what: `accuracy[${t}]`,
    difference: Math.abs(run.accuracy[t]! - value),
    allowed: 1e-6,
  }));
  return describeWrong([...later(c, run), ...accuracy]);
}

const MOVES = 4;

/**
 * Checks a case. One that is out of tolerance after step 0 met a flip (see "Tolerances" in test/golden/README.md) if
 * rounding decides that: with the initial weights moved by 2^-23, a run is in tolerance. `flips` takes the cases where
 * none is.
 */
async function check(c: TrainingCase, flips: string[]): Promise<void> {
  let first: string[] = [];
  for (let moved = 0; moved <= MOVES; moved++) {
    const run = await runCase(c, moved);
    expect(describeWrong(stepZero(c, run)), `${c.id}: step 0`).toEqual([]);
    const wrong = wrongLater(c, run);
    if (wrong.length === 0) return;
    if (moved === 0) first = wrong;
    const losses = c.expected.losses.map((loss, t) => Math.abs(run.losses[t]! - loss));
    if (Math.max(...losses) > 1e-3) expect(first, c.id).toEqual([]);
  }
  flips.push(c.id);
}

const before = currentDevice();
afterAll(() => setDevice(before));

describe.skipIf(natives.length === 0).each(natives)('training trajectories on %s', (device) => {
  const flips: string[] = [];
  beforeAll(() => setDevice(device));
  for (const c of cases) it(c.id, { timeout: 300_000 }, () => check(c, flips));
  it('no more than one case of them by a flip', () => expect(flips.length, flips.join(', ')).toBeLessThanOrEqual(1));
});

describe('training trajectories on reference', () => {
  beforeAll(() => setDevice('reference'));
  for (const c of cases.filter(({ model }) => model === 'mixed_net' || model === 'transfer_net')) {
    it(c.id, { timeout: 300_000 }, () => check(c, []));
  }
});
