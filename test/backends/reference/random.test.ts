import { describe, expect, test } from 'vitest';
import { nextBelow } from '../../../lib/backends/reference/kernels/random.js';
import { philox4x32 } from '../../../lib/random/philox.js';
import { f64, i32, runFloat, runKernel } from './run-kernel.js';

const SEED = [0x12345678, -5, 99, -1] as const;

/** Random float32 numbers of a distribution. */
function draw(distribution: string, a: number, b: number, size: number, seed: readonly number[] = SEED): Float32Array {
  const [y] = runKernel('random', { distribution, a, b }, [i32([4], seed)], [{ dtype: 'float32', shape: [size] }]);
  return y as Float32Array;
}

/** The block that docs/kernels.md names. */
function block(i: number, attempt = 0): number[] {
  const counter = [i, 0, SEED[2] >>> 0, (SEED[3] + attempt) >>> 0] as const;
  return [...philox4x32(counter, [SEED[0] >>> 0, SEED[1] >>> 0])];
}

function moments(values: ArrayLike<number>): { mean: number; deviation: number } {
  const list = Array.from(values);
  const mean = list.reduce((sum, v) => sum + v, 0) / list.length;
  return { mean, deviation: Math.sqrt(list.reduce((sum, v) => sum + (v - mean) ** 2, 0) / list.length) };
}

/** A normal number as docs/kernels.md writes it. */
function normal(r0: number, r1: number): number {
  return Math.sqrt(-2 * Math.log((r0 + 1) * 2 ** -32)) * Math.cos(2 * Math.PI * (r1 * 2 ** -32));
}

describe('random', () => {
  test('uniform takes the words of Philox: the known answers for key 0 and counter 0', () => {
    const words = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]; // Random123, kat_vectors
    const expected = words.map((word) => (word >>> 8) * 2 ** -24);
    expect([...draw('uniform', 0, 1, 4, [0, 0, 0, 0])]).toEqual(expected);
  });

  test('uniform takes word e & 3 of block e >> 2, the seed as unsigned key and upper counter', () => {
    const expected = [0, 1, 2].flatMap((i) => block(i)).map((word) => Math.fround(-3 + 5 * ((word >>> 8) * 2 ** -24)));
    expect([...draw('uniform', -3, 2, 11)]).toEqual(expected.slice(0, 11));
  });

  test('uniform stays in [a, b) and fills it evenly', () => {
    const values = draw('uniform', 2, 4, 20_000);
    expect(values.every((v) => v >= 2 && v < 4)).toBe(true);
    const { mean, deviation } = moments(values);
    expect(mean).toBeCloseTo(3, 1);
    expect(deviation).toBeCloseTo(2 / Math.sqrt(12), 1);
  });

  test('uniform is kept below b where rounding reaches it', () => {
    // From 1 to the next float there is nothing in between: half of all draws round up to b.
    const b = 1 + 2 ** -23;
    expect(new Set(draw('uniform', 1, b, 200))).toEqual(new Set([1]));
    // A b that is no float32 counts as the float it rounds to, which is below it here.
    const c = 1 + 2 ** -23 + 2 ** -25;
    expect(new Set(draw('uniform', 1, c, 200))).toEqual(new Set([1]));
    expect(new Set(draw('uniform', 3, 3, 5))).toEqual(new Set([3]));
  });

  test('normal takes one block an element', () => {
    const expected = [0, 1, 2, 3, 4].map((e) => Math.fround(1 + 2 * normal(block(e)[0]!, block(e)[1]!)));
    expect([...draw('normal', 1, 2, 5)]).toEqual(expected);
    const { mean, deviation } = moments(draw('normal', 1, 2, 20_000));
    expect(mean).toBeCloseTo(1, 1);
    expect(deviation).toBeCloseTo(2, 1);
  });

  test('truncatedNormal redraws: second pair, then the block of the next attempt', () => {
    const size = 5000;
    const redrawn = { pair: 0, block: 0 };
    const expected = Array.from({ length: size }, (_, e) => {
      for (let attempt = 0; ; attempt++) {
        const [r0, r1, r2, r3] = block(e, attempt) as [number, number, number, number];
        for (const [pair, z] of [normal(r0, r1), normal(r2, r3)].entries()) {
          if (Math.abs(z) >= 2) continue;
          redrawn.pair += pair;
          redrawn.block += attempt > 0 ? 1 : 0;
          return Math.fround(0.5 * z);
        }
      }
    });
    expect([...draw('truncatedNormal', 0, 0.5, size)]).toEqual(expected);
    expect(redrawn.pair).toBeGreaterThan(100);
    expect(redrawn.block).toBeGreaterThan(3);
    expect(expected.every((v) => Math.abs(v) <= 1)).toBe(true);
  });

  test('depends on every word of the seed', () => {
    const first = draw('uniform', 0, 1, 8).join();
    for (const word of [0, 1, 2, 3]) {
      const seed = SEED.map((s, i) => (i === word ? s ^ 1 : s));
      expect(draw('uniform', 0, 1, 8, seed).join()).not.toBe(first);
    }
  });

  test('float64 is not rounded to float32', () => {
    const y = runFloat('random', { distribution: 'normal', a: 0, b: 1 }, [i32([4], SEED)], [3]);
    expect(y).toEqual([0, 1, 2].map((e) => normal(block(e)[0]!, block(e)[1]!)));
  });

  test('refuses other seeds and distributions', () => {
    const attributes = { distribution: 'uniform', a: 0, b: 1 };
    expect(() => runFloat('random', attributes, [i32([2], [1, 2])], [3])).toThrow(/seed of shape \[4\]/);
    expect(() => runFloat('random', attributes, [f64([4], [1, 2, 3, 4])], [3])).toThrow(/int32/);
    expect(() => runFloat('random', { ...attributes, distribution: 'cauchy' }, [i32([4], SEED)], [3])).toThrow(
      /cauchy/,
    );
  });
});

describe('dropout', () => {
  const x = f64(
    [40],
    Array.from({ length: 40 }, (_, i) => i + 1),
  );

  test('keeps x / (1 - rate) where u >= rate', () => {
    const u = Array.from({ length: 10 }, (_, i) => block(i)).flatMap((words) => words.map((w) => (w >>> 8) * 2 ** -24));
    const expected = u.map((value, i) => (value >= 0.3 ? (i + 1) / 0.7 : 0));
    expect(runFloat('dropout', { rate: 0.3 }, [x, i32([4], SEED)], [40])).toEqual(expected);
  });

  test('an element whose u is the rate is kept', () => {
    const u = (block(0)[2]! >>> 8) * 2 ** -24;
    const y = runFloat('dropout', { rate: u }, [x, i32([4], SEED)], [40]);
    expect(y[2]).toBe(3 / (1 - u));
    expect(runFloat('dropout', { rate: u + 2 ** -24 }, [x, i32([4], SEED)], [40])[2]).toBe(0);
  });

  test('drops the stated part', () => {
    const ones = f64([20_000], new Float64Array(20_000).fill(1));
    const y = runFloat('dropout', { rate: 0.25 }, [ones, i32([4], SEED)], [20_000]);
    expect(y.filter((v) => v === 0).length / 20_000).toBeCloseTo(0.25, 1);
    expect(moments(y).mean).toBeCloseTo(1, 1);
  });

  test('rate 0 changes nothing; rate 1 and NaN are refused', () => {
    expect(runFloat('dropout', { rate: 0 }, [x, i32([4], SEED)], [40])).toEqual([...x.data]);
    expect(() => runFloat('dropout', { rate: 1 }, [x, i32([4], SEED)], [40])).toThrow(/rate/);
    expect(() => runFloat('dropout', { rate: NaN }, [x, i32([4], SEED)], [40])).toThrow(/rate/);
  });
});

describe('nextBelow', () => {
  test.each([
    ['float32', 1, 1 - 2 ** -24],
    ['float32', -1, -(1 + 2 ** -23)],
    ['float32', 0, -(2 ** -149)],
    ['float32', 2 ** -149, 0],
    ['float64', 1, 1 - 2 ** -53],
    ['float64', -1, -(1 + 2 ** -52)],
    ['float64', 0, -Number.MIN_VALUE],
  ] as const)('%s %d', (dtype, value, expected) => {
    expect(nextBelow(dtype, value)).toBe(expected);
  });
});
