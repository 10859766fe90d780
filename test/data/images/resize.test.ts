import { describe, expect, it } from 'vitest';
import { type HostTensor, hostTensor } from '../../../lib/data/host-tensor.js';
import { type Interpolation, padToAspect, resizePixels } from '../../../lib/data/images/resize.js';
import { cropToAspect } from '../../../lib/vision/crop.js';
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
const image = hostTensor(data, [height, width, channels]);

/** The largest difference, in units of a byte; test/golden/README.md allows 1e-3. */
function off({ shape, data: actual }: HostTensor, expected: Values): number {
  expect(shape).toEqual(expected.shape.slice(-3));
  return Math.max(...expected.values.map((value, i) => Math.abs(value - actual[i]!)));
}

describe('resizePixels', () => {
  const cases = resize.cases.filter(({ preserveAspectRatio }) => !preserveAspectRatio);
  it.each(cases)('is tf.image.resize: $size $method, antialias $antialias', ({ size, method, antialias, expected }) => {
    expect(off(resizePixels(image, size, method, antialias), expected)).toBeLessThan(1e-3);
  });

  it('keeps one colour one colour, whatever the sizes', () => {
    const grey = hostTensor(new Uint8Array(7 * 5 * 3).fill(77), [7, 5, 3]);
    for (const method of ['bilinear', 'nearest', 'bicubic', 'area', 'lanczos3', 'lanczos5'] as const) {
      for (const size of [
        [1, 1],
        [3, 9],
        [70, 50],
      ] as const) {
        for (const value of resizePixels(grey, size, method, true).data) expect(value).toBeCloseTo(77, 4);
      }
    }
  });
});

describe('proportions', () => {
  it.each(smartResize.cases)("are kept by cropping as Keras's smart_resize does: $size", ({ size, expected }) => {
    expect(off(resizePixels(cropToAspect(image, size), size, 'bilinear'), expected)).toBeLessThan(1e-3);
  });

  it('are kept by black borders', () => {
    const padded = padToAspect(hostTensor(new Uint8Array(2 * 6).fill(9), [2, 6, 1]), [10, 10]);
    expect(padded.shape).toEqual([6, 6, 1]);
    expect(Array.from(padded.data)).toEqual([
      ...Array<number>(12).fill(0),
      ...Array<number>(12).fill(9),
      ...Array<number>(12).fill(0),
    ]);
  });
});
