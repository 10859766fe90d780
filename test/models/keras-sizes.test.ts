import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { tensor, type Model } from '../../lib/index.js';
import * as zoo from '../../models/index.js';
import { fillSpec } from '../support/fill.js';
import { disposeModel } from '../support/zoo.js';

// Odd sizes, other widths and heads, as Keras itself computes them: keras-sizes.json is made by keras_sizes.py.

interface Sizes {
  readonly seed: number;
  readonly models: readonly {
    readonly model: string;
    readonly options: zoo.ModelOptions;
    readonly params: number;
    readonly layers: number;
    readonly outputShape: readonly number[];
    readonly largest: number;
    readonly first: readonly number[];
    readonly last: readonly number[];
  }[];
}

const { seed, models } = JSON.parse(readFileSync(new URL('keras-sizes.json', import.meta.url), 'utf8')) as Sizes;

/** The rules of keras_sizes.py. */
function bounds(path: string, shape: readonly number[]): readonly [number, number] {
  const name = path.split('/').at(-1)!;
  if (name.includes('kernel')) {
    const depthwise = shape.length === 4 && shape[3] === 1;
    const limit = Math.sqrt(6 / shape.slice(0, depthwise ? 2 : -1).reduce((product, d) => product * d, 1));
    return [-limit, limit];
  }
  if (path.startsWith('normalization/')) return name === 'mean' ? [0.4, 0.5] : [0.05, 0.06];
  if (name === 'moving_variance') return [0.5, 1.5];
  return name === 'gamma' ? [0.5, 1.2] : [-0.1, 0.1];
}

let made: Model | undefined;
afterEach(() => {
  if (made) disposeModel(made);
  made = undefined;
});

describe('Networks at other sizes', () => {
  for (const [number, { model: name, options, ...expected }] of models.entries()) {
    it(`${name} ${JSON.stringify(options)}`, async () => {
      const make = zoo[name as keyof typeof zoo] as (options: zoo.ModelOptions) => Model;
      const model = make(options.includeTop === false ? options : { ...options, classifierActivation: null });
      made = model;
      expect({ params: model.countParams(), layers: model.layers.length }).toEqual({
        params: expected.params,
        layers: expected.layers,
      });
      const values = model.weights.map(({ name: path, shape }, k) => {
        const [lo, hi] = bounds(path, shape);
        return path === 'normalization/count'
          ? new Int32Array(1)
          : fillSpec({ shape, seed: seed + 10_000 * number + k, lo, hi });
      });
      model.setWeights(values);
      const shape = [2, ...(options.inputShape as readonly number[])];
      const [lo, hi] = name.startsWith('efficient') ? [0, 255] : [-1, 1];
      const y = model.apply(tensor(fillSpec({ shape, seed: seed - 1 - number, lo, hi }), shape));
      expect(y.shape).toEqual(expected.outputShape);
      const computed = await y.data();
      const { first, last, largest } = expected;
      const pairs = [
        ...first.map((want, i) => [computed[i]!, want] as const),
        ...last.map((want, i) => [computed[computed.length - last.length + i]!, want] as const),
      ];
      const worst = Math.max(...pairs.map(([have, want]) => Math.abs(have - want)));
      expect(worst / largest).toBeLessThan(2e-5);
    });
  }
});
