import { afterEach, describe, expect, test, vi } from 'vitest';
import { RandomValues, forCases, testSeed } from './random-values.js';

afterEach(() => vi.unstubAllEnvs());

describe('RandomValues', () => {
  test('the same seed gives the same values', () => {
    const [a, b, c] = [new RandomValues(1), new RandomValues(1), new RandomValues(2)];
    const first = [...a.floats([8])];
    expect([...b.floats([8])]).toEqual(first);
    expect([...c.floats([8])]).not.toEqual(first);
    expect([...a.floats([8])]).not.toEqual(first);
  });

  test('stays within its bounds and reaches them', () => {
    const random = new RandomValues(3);
    const numbers = random.integers(500, -1, 2);
    expect(new Set(numbers)).toEqual(new Set([-1, 0, 1, 2]));
    expect(random.doubles([500], 2, 3).every((v) => v >= 2 && v < 3)).toBe(true);
    expect(new Set(random.ints([200], 0, 1))).toEqual(new Set([0, 1]));
    expect(new Set(Array.from({ length: 50 }, () => random.pick(['a', 'b'])))).toEqual(new Set(['a', 'b']));
    expect(random.shape(3, 2, 2)).toEqual([2, 2, 2]);
    expect([random.chance(0), random.chance(1)]).toEqual([false, true]);
    expect(() => random.pick([])).toThrow();
  });

  test('permutations and distinct values have no repeats', () => {
    const random = new RandomValues(4);
    expect(random.permutation(20).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    const values = [...random.distinct([5, 5], 0.5)].sort((a, b) => a - b);
    for (let i = 1; i < values.length; i++) expect(values[i]! - values[i - 1]!).toBeCloseTo(0.5, 5);
  });
});

describe('forCases', () => {
  test('runs the cases, each with values of its own', async () => {
    const seen = new Set<number>();
    await forCases('some', 10, (random) => void seen.add(random.unit()));
    expect(seen.size).toBe(10);
  });

  test('names the failing case and the seed', async () => {
    vi.stubEnv('FOVEA_TEST_SEED', '77');
    const failing = forCases('some', 10, (_, index) => {
      if (index === 3) throw new Error('wrong');
    });
    await expect(failing).rejects.toThrow('some, case 3 (FOVEA_TEST_SEED=77): wrong');
  });

  test('the seed comes from the environment, or is fixed', () => {
    vi.stubEnv('FOVEA_TEST_SEED', '');
    expect(testSeed()).toBe(testSeed());
    vi.stubEnv('FOVEA_TEST_SEED', '123');
    expect(testSeed()).toBe(123);
    vi.stubEnv('FOVEA_TEST_SEED', 'abc');
    expect(() => testSeed()).toThrow(/FOVEA_TEST_SEED/);
  });
});
