import { describe, expect, it } from 'vitest';
import * as schedules from '../../lib/schedules/index.js';
import { camelCase, type Config } from '../../lib/util/options.js';
import { readGolden } from '../support/golden.js';

interface Golden {
  readonly steps: readonly number[];
  readonly cases: readonly { schedule: string; arguments: Config; values: readonly number[] }[];
}

const golden = readGolden<Golden>('schedules.json');

describe('schedules against Keras', () => {
  it.each(golden.cases)('$schedule $arguments', ({ schedule: className, arguments: config, values }) => {
    const schedule = schedules.get({ className, config });
    golden.steps.forEach((step, i) => {
      const allowed = Math.max(5e-6 * 0.1, 1e-6 * values[i]!);
      expect(Math.abs(schedule.at(step) - values[i]!), `step ${step}`).toBeLessThanOrEqual(allowed);
    });
    const again = schedules.get(schedules.serialize(schedule));
    for (const step of golden.steps) expect(again.at(step)).toBe(schedule.at(step));
    for (const [name, value] of Object.entries(config)) expect(schedule.getConfig()[camelCase(name)]).toEqual(value);
  });
});

describe('schedules', () => {
  it('restarts exactly at the borders of periods', () => {
    for (const tMul of [1, 1.3, 2, 3]) {
      const schedule = schedules.cosineDecayRestarts({ initialLearningRate: 1, firstDecaySteps: 7, tMul, mMul: 0.5 });
      let start = 0;
      let length = 7;
      for (let period = 0; period < 6; period++) {
        expect(schedule.at(start + length / 2)).toBeCloseTo(0.5 * 0.5 ** period, 9);
        if (Number.isInteger(start)) expect(schedule.at(start)).toBeCloseTo(0.5 ** period, 9);
        start += length;
        length *= tMul;
      }
    }
  });

  it('warms up linearly and starts its decay at the target', () => {
    const schedule = schedules.cosineDecay({
      initialLearningRate: 0.01,
      decaySteps: 10,
      warmupTarget: 0.1,
      warmupSteps: 9,
    });
    expect(schedule.at(3)).toBeCloseTo(0.04, 12);
    expect(schedule.at(9)).toBeCloseTo(0.1, 12);
    expect(schedule.at(1000)).toBeCloseTo(0, 12);
  });

  const base = { initialLearningRate: 0.1, decaySteps: 10 };
  it.each<[string, () => unknown, RegExp]>([
    [
      'NaN',
      () => schedules.exponentialDecay({ ...base, initialLearningRate: NaN, decayRate: 1 }),
      /^exponentialDecay: expected initialLearningRate to be a finite number of at least 0, received NaN$/,
    ],
    [
      'no steps',
      () => schedules.inverseTimeDecay({ ...base, decaySteps: 0, decayRate: 1 }),
      /decaySteps to be a finite number above 0, received 0/,
    ],
    ['left out', () => schedules.exponentialDecay(base as never), /decayRate to be .*, received nothing/],
    ['a text', () => schedules.polynomialDecay({ ...base, power: '2' as never }), /power to be .*, received "2"/],
    [
      'unknown',
      () => schedules.polynomialDecay({ ...base, decay: 2 } as never),
      /polynomialDecay: unknown option decay; expected .*endLearningRate/,
    ],
    [
      'too few values',
      () => schedules.piecewiseConstantDecay({ boundaries: [1, 2], values: [1, 2] }),
      /expected 3 values for 2 boundaries, received 2/,
    ],
    [
      'boundaries',
      () => schedules.piecewiseConstantDecay({ boundaries: [2, 2], values: [1, 2, 3] }),
      /boundaries that increase/,
    ],
    [
      'a negative rate',
      () => schedules.piecewiseConstantDecay({ boundaries: [2], values: [1, -2] }),
      /values of at least 0/,
    ],
    ['a NaN step', () => schedules.polynomialDecay(base).at(NaN), /polynomialDecay: expected step/],
    [
      'a name',
      () => schedules.get({ className: 'CosineDekay' }),
      /^schedule: unknown name CosineDekay; there are: .*CosineDecay/,
    ],
    ['a number', () => schedules.get(1 as never), /^schedule: expected a name, .* received 1$/],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ name: 'FoveaError' }));
  });
});
