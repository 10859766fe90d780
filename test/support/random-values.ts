import { onTestFailed } from 'vitest';
import { hash } from './fill.js';

/** The seed when FOVEA_TEST_SEED is not set. */
const DEFAULT_SEED = 20_260;

/** The seed of this run: FOVEA_TEST_SEED, or a fixed one. */
export function testSeed(): number {
  const text = process.env.FOVEA_TEST_SEED;
  if (text === undefined || text === '') return DEFAULT_SEED;
  const seed = Number(text);
  if (!Number.isSafeInteger(seed)) throw new Error(`FOVEA_TEST_SEED: expected a whole number, received ${text}`);
  return seed;
}

/** A stream of random choices for property tests: the same for the same seed, on every machine. */
export class RandomValues {
  readonly seed: number;
  #drawn = 0;

  constructor(seed = testSeed()) {
    this.seed = seed;
  }

  /** A double in [0, 1). */
  unit(): number {
    return hash(this.seed, this.#drawn++) / 4294967296;
  }

  /** A double in [lo, hi). */
  uniform(lo: number, hi: number): number {
    return lo + (hi - lo) * this.unit();
  }

  /** A whole number from `lo` to `hi`, both included. */
  integer(lo: number, hi: number): number {
    return lo + Math.floor(this.unit() * (hi - lo + 1));
  }

  /** True with the given probability. */
  chance(probability = 0.5): boolean {
    return this.unit() < probability;
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Error('pick: expected a list with elements');
    return list[this.integer(0, list.length - 1)]!;
  }

  /** `count` whole numbers from `lo` to `hi`. */
  integers(count: number, lo: number, hi: number): number[] {
    return Array.from({ length: count }, () => this.integer(lo, hi));
  }

  /** A shape of `rank` dimensions, each from `lo` to `hi`. */
  shape(rank: number, lo = 1, hi = 6): number[] {
    return this.integers(rank, lo, hi);
  }

  /** The numbers 0 to `count - 1` in random order. */
  permutation(count: number): number[] {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }

  /** Float32 values in [lo, hi) for a shape. */
  floats(shape: readonly number[], lo = -1, hi = 1): Float32Array {
    return new Float32Array(sizeOf(shape)).map(() => this.uniform(lo, hi));
  }

  /** Float64 values in [lo, hi) for a shape. */
  doubles(shape: readonly number[], lo = -1, hi = 1): Float64Array {
    return new Float64Array(sizeOf(shape)).map(() => this.uniform(lo, hi));
  }

  /** Float32 values of which no two are nearer than `gap`: nothing ties, and no small step changes a maximum. */
  distinct(shape: readonly number[], gap = 0.01): Float32Array {
    const order = this.permutation(sizeOf(shape));
    return Float32Array.from(order, (place) => (place - order.length / 2) * gap);
  }

  /** Int32 values from `lo` to `hi`, both included, for a shape. */
  ints(shape: readonly number[], lo: number, hi: number): Int32Array {
    return new Int32Array(sizeOf(shape)).map(() => this.integer(lo, hi));
  }
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, d) => product * d, 1);
}

/**
 * Calls `check` once for each of `count` cases with values of its own, which depend on the run's seed, the name and the
 * number of the case only. A failure names the case and the seed that brings it back: `FOVEA_TEST_SEED=<seed>`.
 *
 * @param name - tells the properties of one run apart
 */
export async function forCases(
  name: string,
  count: number,
  check: (random: RandomValues, index: number) => void | Promise<void>,
): Promise<void> {
  const base = testSeed();
  for (let index = 0; index < count; index++) {
    const seed = [...name].reduce((mixed, letter) => hash(mixed, letter.charCodeAt(0)), hash(base, index));
    try {
      await check(new RandomValues(seed), index);
    } catch (error) {
      throw new Error(`${name}, case ${index} (FOVEA_TEST_SEED=${base}): ${messageOf(error)}`, { cause: error });
    }
  }
}

/** Prints the run's seed when the current test fails: for tests that use {@link RandomValues} without `forCases`. */
export function printSeedOnFailure(): void {
  onTestFailed(() => console.error(`to repeat: FOVEA_TEST_SEED=${testSeed()}`));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
