import { FoveaError } from '../errors.js';

/** Multipliers and Weyl increments of Philox4x32 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers", SC 2011). */
const M0_LOW = 0x1f53;
const M0_HIGH = 0xd251;
const M0 = 0xd2511f53;
const M1_LOW = 0x8d57;
const M1_HIGH = 0xcd9e;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;
const ROUNDS = 10;

/** A Philox counter: four 32-bit words, least significant first. */
export type PhiloxCounter = readonly [number, number, number, number];

/** A Philox key: two 32-bit words, least significant first. */
export type PhiloxKey = readonly [number, number];

/** The upper 32 bits of `a * b`, where `b` arrives split into 16-bit halves. */
function multiplyHigh(a: number, low: number, high: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const middle = aHigh * low + ((aLow * low) >>> 16);
  const other = aLow * high + (middle & 0xffff);
  return aHigh * high + (middle >>> 16) + (other >>> 16);
}

/**
 * One block of Philox4x32-10: a pure function of counter and key, the same on every device.
 *
 * @param counter - four 32-bit words
 * @param key - two 32-bit words
 * @param out - where to put the block; a new array when left out
 * @returns four random 32-bit words
 */
export function philox4x32(counter: PhiloxCounter, key: PhiloxKey, out = new Uint32Array(4)): Uint32Array {
  let [c0, c1, c2, c3] = counter;
  let k0 = key[0] >>> 0;
  let k1 = key[1] >>> 0;
  c0 >>>= 0;
  c2 >>>= 0;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(c0, M0_LOW, M0_HIGH);
    const high1 = multiplyHigh(c2, M1_LOW, M1_HIGH);
    const low0 = Math.imul(c0, M0);
    const low1 = Math.imul(c2, M1);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
  return out;
}

/** Everything a {@link HostRandom} needs to go on where it stood; plain JSON. */
export interface HostRandomState {
  readonly key: PhiloxKey;
  /** How many 32-bit words have been drawn. */
  readonly drawn: number;
}

/** Splits an integer seed into the two words of a key. */
function keyOf(seed: number | bigint): PhiloxKey {
  if (typeof seed === 'number' && !Number.isSafeInteger(seed)) {
    throw new FoveaError(`random: expected a seed that is a safe integer, received ${seed}`, {
      code: 'ERR_ARGUMENT',
      op: 'random',
      expected: 'a safe integer',
      received: seed,
    });
  }
  const bits = BigInt.asUintN(64, BigInt(seed));
  return [Number(bits & 0xffffffffn), Number(bits >> 32n)];
}

/**
 * A stream of random numbers on the host, for shuffles and the like: Philox4x32-10 with the seed as key and a running
 * counter, so its state is three numbers and it can be restored anywhere.
 */
export class HostRandom {
  #key: PhiloxKey;
  #drawn = 0;
  readonly #block = new Uint32Array(4);
  #blockNumber = -1;

  /**
   * @param seed - any safe integer or a bigint (taken modulo 2^64)
   * @param path - numbers that select an independent stream under this seed, e.g. the epoch
   */
  constructor(seed: number | bigint, path: readonly number[] = []) {
    this.#key = keyOf(seed);
    path.forEach((step, depth) => {
      const [low, high] = keyOf(step);
      const [k0, k1] = philox4x32([low, high, depth, 0x666f7665], this.#key);
      this.#key = [k0 as number, k1 as number];
    });
  }

  /** A uniformly distributed integer in [0, 2^32). */
  uint32(): number {
    const block = Math.floor(this.#drawn / 4);
    if (block !== this.#blockNumber) {
      philox4x32([block >>> 0, Math.floor(block / 0x100000000), 0, 0], this.#key, this.#block);
      this.#blockNumber = block;
    }
    return this.#block[this.#drawn++ % 4] as number;
  }

  /** A uniformly distributed double in [0, 1), with 53 random bits. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /**
   * A uniformly distributed integer in [0, n), without modulo bias.
   *
   * @param n - from 1 to 2^32
   */
  int(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 0x100000000) {
      throw new FoveaError(`random.int: expected an integer from 1 to 2^32, received ${n}`, {
        code: 'ERR_ARGUMENT',
        op: 'random.int',
        expected: 'an integer from 1 to 2^32',
        received: n,
      });
    }
    const limit = 0x100000000 - (0x100000000 % n);
    let word = this.uint32();
    while (word >= limit) word = this.uint32();
    return word % n;
  }

  /** Where the stream stands. */
  get state(): HostRandomState {
    return { key: [this.#key[0], this.#key[1]], drawn: this.#drawn };
  }

  /** Puts the stream where `state` stood. */
  restore(state: HostRandomState): void {
    const [k0, k1] = state.key;
    const words = [k0, k1].every((word) => Number.isInteger(word) && word >= 0 && word <= 0xffffffff);
    if (!words || !Number.isSafeInteger(state.drawn) || state.drawn < 0) {
      throw new FoveaError('random.restore: expected a state made by HostRandom, received something else', {
        code: 'ERR_ARGUMENT',
        op: 'random.restore',
        expected: '{ key: [u32, u32], drawn: integer }',
        received: state,
      });
    }
    this.#key = [k0, k1];
    this.#drawn = state.drawn;
    this.#blockNumber = -1;
  }
}
