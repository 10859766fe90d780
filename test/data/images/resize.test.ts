import { describe, expect, it } from 'vitest';
import { cropToAspect, type Interpolation, padToAspect, resizePixels } from '../../../lib/data/images/resize.js';
import { unit } from '../../support/fill.js';
import { readGolden } from '../../support/golden.js';

interface Values {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

interface Preprocess {
  readonly resize: {
    readonly image: { readonly shape: readonly [number, number, number, number]; readonly seed: number };
    readonly cases: readonly {
      readonly size: readonly [number, number];
      readonly method: Interpolation;
      readonly antialias: boolean;
      readonly preserveAspectRatio?: boolean;
      readonly expected: Values;
    }[];
  };
  readonly smartResize: {
    readonly cases: readonly { readonly size: readonly [number, number]; readonly expected: Values }[];
  };
}

const { resize, smartResize } = readGolden<Preprocess>('preprocess.json');
const [, height, width, channels] = resize.image.shape;
const data = Uint8Array.from({ length: height * width * channels }, (_, i) =>
  Math.floor(256 * unit(resize.image.seed, i)),
);
const image = { data, height, width, channels };

/** The largest difference, in units of a byte; test/golden/README.md allows 1e-3. */
function off(actual: Float32Array, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!)));
}

describe('resizePixels', () => {
  const cases = resize.cases.filter(({ preserveAspectRatio }) => !preserveAspectRatio);
  it.each(cases)('is tf.image.resize: $size $method, antialias $antialias', ({ size, method, antialias, expected }) => {
    expect(off(resizePixels(image, size, method, antialias), expected.values)).toBeLessThan(1e-3);
  });

  it('keeps one colour one colour, whatever the sizes', () => {
    const grey = { data: new Uint8Array(7 * 5 * 3).fill(77), height: 7, width: 5, channels: 3 };
    for (const method of ['bilinear', 'nearest', 'bicubic', 'area', 'lanczos3', 'lanczos5'] as const) {
      for (const size of [
        [1, 1],
        [3, 9],
        [70, 50],
      ] as const) {
        for (const value of resizePixels(grey, size, method, true)) expect(value).toBeCloseTo(77, 4);
      }
    }
  });
});

describe('proportions', () => {
  it.each(smartResize.cases)("are kept by cropping as Keras's smart_resize does: $size", ({ size, expected }) => {
    expect(off(resizePixels(cropToAspect(image, size), size, 'bilinear'), expected.values)).toBeLessThan(1e-3);
  });

  it('are kept by black borders', () => {
    const padded = padToAspect({ data: new Uint8Array(2 * 6).fill(9), height: 2, width: 6, channels: 1 }, [10, 10]);
    expect([padded.height, padded.width]).toEqual([6, 6]);
    expect(Array.from(padded.data)).toEqual([
      ...Array<number>(12).fill(0),
      ...Array<number>(12).fill(9),
      ...Array<number>(12).fill(0),
    ]);
  });
});
