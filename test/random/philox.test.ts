import { describe, expect, it } from 'vitest';
import { FoveaError } from '../../lib/errors.js';
import { HostRandom, philox4x32, type PhiloxCounter, type PhiloxKey } from '../../lib/random/philox.js';

/** Known answers of philox4x32-10 from Random123's kat_vectors: counter, key, result. */
const KNOWN: [PhiloxCounter, PhiloxKey, number[]][] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

/** The same function in BigInt arithmetic, straight from the paper. */
function slowPhilox(counter: PhiloxCounter, key: PhiloxKey): number[] {
  let c = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  const mask = 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd2511f53n * c[0];
    const p1 = 0xcd9e8d57n * c[2];
    c = [(p1 >> 32n) ^ c[1] ^ k0, p1 & mask, (p0 >> 32n) ^ c[3] ^ k1, p0 & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return c.map(Number);
}

describe('philox4x32', () => {
  it.each(KNOWN)('gives the published answer for counter %j', (counter, key, expected) => {
    expect([...philox4x32(counter, key)]).toEqual(expected);
  });

  it('agrees with BigInt arithmetic', () => {
    const random = new HostRandom(11);
    const word = () => random.uint32();
    for (let trial = 0; trial < 500; trial++) {
      const counter: PhiloxCounter = [word(), word(), word(), word()];
      const key: PhiloxKey = [word(), word()];
      expect([...philox4x32(counter, key)]).toEqual(slowPhilox(counter, key));
    }
  });
});

describe('HostRandom', () => {
  it('draws the blocks of its counter in order', () => {
    const random = new HostRandom(0x1_0000_0002);
    const words = Array.from({ length: 8 }, () => random.uint32());
    expect(words).toEqual([...philox4x32([0, 0, 0, 0], [2, 1]), ...philox4x32([1, 0, 0, 0], [2, 1])]);
  });

  it('gives doubles in [0, 1) with the right mean', () => {
    const random = new HostRandom(1);
    let sum = 0;
    for (let i = 0; i < 20_000; i++) {
      const value = random.uniform();
      expect(value >= 0 && value < 1).toBe(true);
      sum += value;
    }
    expect(sum / 20_000).toBeCloseTo(0.5, 1.5);
  });

  it('gives integers without bias (chi-squared over 7 classes)', () => {
    const random = new HostRandom(3);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) {
      const value = random.int(7);
      counts[value] = (counts[value] as number) + 1;
    }
    const chiSquared = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chiSquared).toBeLessThan(22.46); // 6 degrees of freedom, p = 0.001
  });

  it('takes the whole range of int', () => {
    const random = new HostRandom(3);
    expect(random.int(1)).toBe(0);
    const same = new HostRandom(9);
    const full = new HostRandom(9);
    expect(full.int(0x100000000)).toBe(same.uint32());
    for (const n of [0, -1, 1.5, NaN, 2 ** 33]) expect(() => random.int(n)).toThrow(FoveaError);
  });

  it('goes on from a restored state', () => {
    const random = new HostRandom(5, [2, 3]);
    for (let i = 0; i < 5; i++) random.uint32();
    const state = JSON.parse(JSON.stringify(random.state)) as typeof random.state;
    const expected = Array.from({ length: 9 }, () => random.uint32());
    const other = new HostRandom(0);
    other.uint32();
    other.restore(state);
    expect(Array.from({ length: 9 }, () => other.uint32())).toEqual(expected);
    expect(() => other.restore({ key: [1.5, 0], drawn: 0 })).toThrow(FoveaError);
    expect(() => other.restore({ key: [1, 0], drawn: -1 })).toThrow(/expected a state/);
  });

  it('has independent streams by path, and refuses seeds that are no integers', () => {
    const first = (path: number[]) => new HostRandom(7, path).uint32();
    expect(new Set([first([]), first([0]), first([1]), first([0, 0]), first([0, 1]), first([1, 0])]).size).toBe(6);
    expect(first([4])).toBe(first([4]));
    expect(() => new HostRandom(0.5)).toThrow(/expected a seed/);
    expect(new HostRandom(-1).uint32()).toBe(new HostRandom(0xffff_ffff_ffff_ffffn).uint32());
  });
});
