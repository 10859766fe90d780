import { philox4x32 } from '../../../random/philox.js';
import type { PhiloxCounter, PhiloxKey } from '../../../random/philox.js';
import type { DType } from '../../../tensor/dtype.js';
import type { KernelCall, ReferenceKernel } from './kernel.js';

const TWO_32 = 2 ** 32;

/** The blocks of one seed: `block(i, attempt)` fills and returns the same four words each time. */
type Blocks = (i: number, attempt?: number) => Uint32Array;

/** Reads seed int32 [4] as key (seed 0, 1) and the upper half of the counter (seed 2, 3). */
function blocksOf(seed: Float64Array): Blocks {
  const [s0, s1, s2, s3] = Array.from(seed, (word) => word >>> 0) as [number, number, number, number];
  const key: PhiloxKey = [s0, s1];
  const words = new Uint32Array(4);
  return (i, attempt = 0) => {
    const counter: PhiloxCounter = [i >>> 0, Math.floor(i / TWO_32) >>> 0, s2, (s3 + attempt) >>> 0];
    return philox4x32(counter, key, words);
  };
}

/** Calls `visit(e, u)` with the uniform number in [0, 1) of every element: word e & 3 of block e >> 2, 24 bits. */
function forEachUniform(seed: Float64Array, size: number, visit: (e: number, u: number) => void): void {
  const block = blocksOf(seed);
  let words = new Uint32Array(4);
  for (let e = 0; e < size; e++) {
    if (e % 4 === 0) words = block(e / 4) as Uint32Array<ArrayBuffer>;
    visit(e, (words[e % 4]! >>> 8) * 2 ** -24);
  }
}

/** A standard normal number from two words (Box and Muller). */
function gaussian(a: number, b: number): number {
  return Math.sqrt(-2 * Math.log((a + 1) / TWO_32)) * Math.cos((2 * Math.PI * b) / TWO_32);
}

/** The first number within two deviations: both pairs of a block, then of the blocks of further attempts. */
function truncatedGaussian(block: Blocks, e: number): number {
  for (let attempt = 0; ; attempt++) {
    const [r0, r1, r2, r3] = block(e, attempt) as unknown as [number, number, number, number];
    const first = gaussian(r0, r1);
    if (Math.abs(first) < 2) return first;
    const second = gaussian(r2, r3);
    if (Math.abs(second) < 2) return second;
  }
}

/** Rounds to what the dtype can hold: random numbers are the same on every device, bit for bit. */
function rounding(dtype: DType): (value: number) => number {
  return dtype === 'float32' ? Math.fround : (value) => value;
}

/** The next number of a float dtype below `value`. */
export function nextBelow(dtype: DType, value: number): number {
  if (value === 0) return dtype === 'float32' ? -(2 ** -149) : -Number.MIN_VALUE;
  const step = value > 0 ? -1 : 1;
  if (dtype === 'float32') {
    const float = new Float32Array([value]);
    new Int32Array(float.buffer)[0]! += step;
    return float[0]!;
  }
  const double = new Float64Array([value]);
  new BigInt64Array(double.buffer)[0]! += BigInt(step);
  return double[0]!;
}

function checkSeed(call: KernelCall, index: number): void {
  call.dtype(call.input(index), 'int32');
  call.shape('the seed', call.input(index), [4]);
}

/** y = x / (1 - rate) where u >= rate, else 0. */
export const dropout: ReferenceKernel = {
  inPlace: () => true,
  prepare(call) {
    call.count(2, 1);
    const [x, y] = [call.input(0), call.output(0)];
    call.float(x, y);
    call.shape('y', y, x.shape);
    checkSeed(call, 1);
    const rate = call.number('rate', 0, 1);
    if (rate === 1) throw call.invalid('a rate below 1', '1');
    return ([xs, seed], [ys]) => {
      forEachUniform(seed!, ys!.length, (e, u) => (ys![e] = u >= rate ? xs![e]! / (1 - rate) : 0));
    };
  },
};

/** Uniform in [a, b), normal of mean a and deviation b, or the same within two deviations. */
export const random: ReferenceKernel = {
  prepare(call) {
    call.count(1, 1);
    const { dtype } = call.output(0);
    call.float(call.output(0));
    checkSeed(call, 0);
    const a = call.number('a');
    const b = call.number('b');
    const distribution = call.word('distribution', 'uniform', 'normal', 'truncatedNormal');
    const round = rounding(dtype);
    return ([seed], [y]) => {
      if (distribution === 'uniform') {
        const top = round(b);
        forEachUniform(seed!, y!.length, (e, u) => {
          const value = round(a + (b - a) * u);
          y![e] = value >= top && a < b ? nextBelow(dtype, top) : value;
        });
        return;
      }
      const block = blocksOf(seed!);
      for (let e = 0; e < y!.length; e++) {
        if (distribution === 'normal') {
          const words = block(e);
          y![e] = round(a + b * gaussian(words[0]!, words[1]!));
        } else {
          y![e] = round(a + b * truncatedGaussian(block, e));
        }
      }
    };
  },
};
