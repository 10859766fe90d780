import { FoveaError, mismatch } from '../errors.js';
import { currentTrace } from '../graph/trace.js';
import { add } from '../ops/binary.js';
import { tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { Variable } from '../tensor/variable.js';
import { HostRandom, type HostRandomState } from './philox.js';

/** The library's own seeds: whatever is not given a seed asks here for one. */
let global: HostRandom | undefined;

/** Whole numbers that a double holds exactly. */
const SEEDS = 2 ** 53;

function globalRandom(): HostRandom {
  global ??= new HostRandom(Math.floor(Math.random() * SEEDS));
  return global;
}

/**
 * Fixes all seeds that are not given: initial weights, dropout, shuffles. Two programs that set the same number and do
 * the same things in the same order draw the same numbers, on every device.
 *
 * @param seed - a safe integer
 */
export function setRandomSeed(seed: number): void {
  global = new HostRandom(seed);
}

/** The next of the seeds that {@link setRandomSeed} fixed: a whole number in 0..2^53 - 1. */
export function nextSeed(): number {
  return Math.floor(globalRandom().uniform() * SEEDS);
}

/** Where the global seeds stand, for checkpoints. */
export function randomSeedState(): HostRandomState {
  return globalRandom().state;
}

/** Puts the global seeds where a state was taken. */
export function restoreRandomSeed(state: HostRandomState): void {
  globalRandom().restore(state);
}

/** The words of a seed as random ops take them: key low, key high, and two upper words of the counter. */
function wordsOf(seed: number): Int32Array {
  return Int32Array.from([seed | 0, Math.floor(seed / 2 ** 32) | 0, 0, 0]);
}

export interface SeedGeneratorOptions {
  /** One of the global seeds when left out. */
  seed?: number | undefined;
  /** Of the state variable. */
  name?: string;
}

/**
 * A row of seeds for random ops, as state on the device: works in traced functions, and a checkpoint that keeps it
 * resumes bit for bit.
 *
 * @example
 * const seeds = new SeedGenerator({ seed: 1 });
 * ops.dropout(x, 0.5, seeds.next());
 */
export class SeedGenerator {
  /** What it was made from, if it was given. */
  readonly seed: number | undefined;
  readonly name: string;
  readonly #start: number;
  #state: Variable | undefined;

  constructor({ seed, name = 'seed_generator' }: SeedGeneratorOptions = {}) {
    if (seed !== undefined && !Number.isSafeInteger(seed)) {
      throw mismatch('ERR_ARGUMENT', { op: 'SeedGenerator' }, 'seed to be a safe integer', String(seed));
    }
    this.seed = seed;
    this.name = name;
    this.#start = seed ?? nextSeed();
  }

  /** int32 [4]; made at its first use, on the device in use then. */
  get state(): Variable {
    if (!this.#state) {
      const device = currentTrace()?.device;
      const value = tensor(wordsOf(this.#start), [4], device === undefined ? {} : { device });
      this.#state = new Variable(value, { name: `${this.name}/state`, trainable: false });
    }
    return this.#state;
  }

  /** The seed for one random op; the next call gives another one. */
  next(): Tensor {
    const state = this.state;
    const value = state.value;
    state.assign(add(value, tensor(Int32Array.of(0, 0, 1, 0), [4], { device: state.device })));
    return value;
  }

  /** The four words, for checkpoints. */
  async read(): Promise<Int32Array> {
    return Int32Array.from(await this.state.data());
  }

  /** Goes on where `words` were read. */
  restore(words: ArrayLike<number>): void {
    const list = Array.from(words);
    if (list.length !== 4 || !list.every((w) => Number.isInteger(w) && (w | 0) === w)) {
      throw new FoveaError('SeedGenerator: expected a state of four int32 words, received something else', {
        op: 'SeedGenerator',
        received: list,
      });
    }
    this.state.assign(tensor(Int32Array.from(list), [4], { device: this.state.device }));
  }
}
