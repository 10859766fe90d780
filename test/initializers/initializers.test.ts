import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compile } from '../../lib/graph/compile.js';
import * as initializers from '../../lib/initializers/index.js';
import { nextSeed, randomSeedState, restoreRandomSeed, setRandomSeed } from '../../lib/random/seed.js';
import { withDevice } from '../../lib/backends/registry.js';
import { mul } from '../../lib/ops/index.js';
import { tensor } from '../../lib/tensor/create.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { Variable } from '../../lib/tensor/variable.js';
import { describeEachDevice } from '../support/each-device.js';

interface Moments {
  mean: number;
  deviation: number;
  largest: number;
}

function moments(t: Tensor): Moments {
  const data = Array.from(t.dataSync());
  const mean = data.reduce((a, b) => a + b, 0) / data.length;
  const square = data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length;
  return { mean, deviation: Math.sqrt(square), largest: Math.max(...data.map(Math.abs)) };
}

const KERNEL = [3, 3, 32, 64]; // fan in 288, fan out 576
const CUT = 0.87962566103423978;

describeEachDevice('initializers', (device) => {
  it('fills with constants', async () => {
    expect(await initializers.zeros().call([2]).array()).toEqual([0, 0]);
    expect(await initializers.ones().call([2]).array()).toEqual([1, 1]);
    expect(await initializers.constant(0.5).call([2], { dtype: 'float32' }).array()).toEqual([0.5, 0.5]);
    expect(await initializers.constant([1, 2, 3, 4]).call([2, 2]).array()).toEqual([[1, 2], [3, 4]]); // prettier-ignore
    expect(await initializers.identity({ gain: 2 }).call([2, 3]).array()).toEqual([[2, 0, 0], [0, 2, 0]]); // prettier-ignore
    expect(initializers.ones().call([2], { dtype: 'int32' }).dtype).toBe('int32');
  });

  it.each<[string, number, number, number]>([
    // name, deviation, largest magnitude possible, and whether it is a uniform distribution
    ['glorotUniform', Math.sqrt(2 / 864), Math.sqrt(6 / 864), 1],
    ['glorotNormal', Math.sqrt(2 / 864), (2 * Math.sqrt(2 / 864)) / CUT, 0],
    ['heUniform', Math.sqrt(2 / 288), Math.sqrt(6 / 288), 1],
    ['heNormal', Math.sqrt(2 / 288), (2 * Math.sqrt(2 / 288)) / CUT, 0],
    ['lecunUniform', Math.sqrt(1 / 288), Math.sqrt(3 / 288), 1],
    ['lecunNormal', Math.sqrt(1 / 288), (2 * Math.sqrt(1 / 288)) / CUT, 0],
  ])('%s has the moments of its fans', (name, deviation, limit) => {
    const found = moments(initializers.get({ className: name, config: { seed: 3 } }).call(KERNEL));
    const count = 3 * 3 * 32 * 64;
    expect(Math.abs(found.mean)).toBeLessThan((4 * deviation) / Math.sqrt(count));
    expect(found.deviation / deviation).toBeCloseTo(1, 1.7);
    expect(found.largest).toBeLessThanOrEqual(limit * (1 + 1e-6));
    expect(found.largest).toBeGreaterThan(limit * 0.98);
  });

  it('draws plain distributions', () => {
    const uniform = moments(initializers.randomUniform({ minval: 1, maxval: 3, seed: 1 }).call([20_000]));
    expect(uniform.mean).toBeCloseTo(2, 1.5);
    expect(uniform.deviation).toBeCloseTo(2 / Math.sqrt(12), 1.5);
    const normal = moments(initializers.randomNormal({ mean: -1, stddev: 0.5, seed: 1 }).call([20_000]));
    expect(normal.mean).toBeCloseTo(-1, 1.5);
    expect(normal.deviation).toBeCloseTo(0.5, 1.5);
    const cut = moments(initializers.truncatedNormal({ stddev: 2, seed: 1 }).call([20_000]));
    expect(cut.deviation).toBeCloseTo(2 * CUT, 1.3);
    expect(cut.largest).toBeLessThan(4);
    const untruncated = initializers.varianceScaling({ scale: 4, distribution: 'untruncatedNormal', seed: 1 });
    expect(moments(untruncated.call([100, 200])).deviation).toBeCloseTo(0.2, 2);
  });

  it.each([[[64, 16]], [[16, 64]], [[3, 3, 2, 8]], [[5, 5]]])('orthogonal rows or columns of %j', (shape) => {
    const values = initializers.orthogonal({ gain: 2, seed: 5 }).call(shape).dataSync();
    const columns = shape.at(-1)!;
    const rows = values.length / columns;
    const at = (i: number, k: number): number => values[rows >= columns ? k * columns + i : i * columns + k]!;
    for (let i = 0; i < Math.min(rows, columns); i++) {
      for (let j = 0; j <= i; j++) {
        let dot = 0;
        for (let k = 0; k < Math.max(rows, columns); k++) dot += at(i, k) * at(j, k);
        expect(dot).toBeCloseTo(i === j ? 4 : 0, 5);
      }
    }
  });

  it('gives the same numbers for the same seed, on every device', () => {
    for (const name of ['glorotUniform', 'heNormal', 'orthogonal', 'randomNormal']) {
      const make = (seed: number): number[] => [
        ...initializers.get({ className: name, config: { seed } }).call([8, 9]).dataSync(),
      ];
      expect(make(7)).toEqual(make(7));
      expect(make(7)).not.toEqual(make(8));
      const specified = withDevice('reference', () => make(7));
      const near = (x: number): unknown => (device === 'reference' ? x : expect.closeTo(x, 6));
      expect(make(7)).toEqual(specified.map(near));
    }
  });

  it('draws another seed at each call without one, all fixed by setRandomSeed', () => {
    const draw = (): number[][] => {
      const he = initializers.heNormal();
      return [[...he.call([4]).dataSync()], [...he.call([4]).dataSync()]];
    };
    setRandomSeed(1);
    const [a, b] = draw();
    expect(a).not.toEqual(b);
    setRandomSeed(1);
    expect(draw()).toEqual([a, b]);
    setRandomSeed(2);
    expect(draw()[0]).not.toEqual(a);
  });

  it('makes variables inside a trace', () => {
    let made: Variable | undefined;
    const run = compile((x: Tensor) => {
      made ??= new Variable(initializers.heNormal({ seed: 1 }).call([2]));
      return mul(made.value, x);
    });
    const [a] = run(tensor([1])).dataSync();
    expect(a).toBeCloseTo(initializers.heNormal({ seed: 1 }).call([2]).dataSync()[0]!, 6);
  });

  it('refuses dtypes and shapes that make no sense', () => {
    expect(() => initializers.heNormal().call([2], { dtype: 'int32' })).toThrow(
      'heNormal: expected dtype float32, received int32',
    );
    expect(() => initializers.orthogonal().call([2])).toThrow(
      'orthogonal: expected a shape of at least two dimensions, received [2]',
    );
    expect(() => initializers.identity().call([2])).toThrow(
      'identity: expected a shape of two dimensions, received [2]',
    );
    expect(() => initializers.constant([1, 2]).call([3])).toThrow(
      'constant: expected 3 values for shape [3], received 2',
    );
    expect(() => initializers.zeros().call([-1])).toThrow(/shape of whole numbers/);
  });
});

describe('fans', () => {
  it.each([
    [[], 1, 1],
    [[5], 5, 5],
    [[7, 3], 7, 3],
    [[3, 3, 16, 32], 144, 288],
    [[5, 16, 32], 80, 160],
  ])('of %j are those of Keras', (shape, fanIn, fanOut) => {
    expect(initializers.computeFans(shape)).toEqual({ fanIn, fanOut });
  });
});

describe('initializer configurations', () => {
  it.each(initializers.initializerRegistry.names)('%s survives a round trip', (className) => {
    const random = !['Zeros', 'Ones', 'Constant', 'Identity'].includes(className);
    const made = initializers.get({ className, config: random ? { seed: 11 } : {} });
    const again = initializers.get(JSON.parse(JSON.stringify(initializers.serialize(made))) as never);
    expect(again.className).toBe(className);
    expect(again.getConfig()).toEqual(made.getConfig());
    if (random) expect(made.getConfig().seed).toBe(11);
    const shape = [4, 4];
    expect([...again.call(shape).dataSync()]).toEqual([...made.call(shape).dataSync()]);
  });

  it("reads Keras's names", () => {
    const config = { scale: 2, mode: 'fan_out', distribution: 'truncated_normal', seed: null };
    const scaling = initializers.get({ class_name: 'VarianceScaling', config, module: 'keras.initializers' });
    expect(scaling.getConfig()).toEqual({ scale: 2, mode: 'fanOut', distribution: 'truncatedNormal' });
    expect(initializers.get('glorot_uniform').className).toBe('GlorotUniform');
    expect(
      initializers.get({ className: 'VarianceScaling', config: { distribution: 'normal' } }).getConfig(),
    ).toMatchObject({ distribution: 'truncatedNormal' });
  });

  it.each<[string, () => unknown, string]>([
    ['a seed', () => initializers.heNormal({ seed: 0.5 }), 'heNormal: expected seed to be a whole number'],
    [
      'a deviation',
      () => initializers.randomNormal({ stddev: -1 }),
      'randomNormal: expected stddev to be a finite number of at least 0, received -1',
    ],
    [
      'bounds',
      () => initializers.randomUniform({ minval: 1, maxval: 0 }),
      'randomUniform: expected minval <= maxval, received 1 and 0',
    ],
    [
      'a mode',
      () => initializers.varianceScaling({ mode: 'fan' as never }),
      'varianceScaling: expected mode to be one of fanIn, fanOut, fanAvg, received "fan"',
    ],
    ['a name', () => initializers.get('xavier'), 'initializer: unknown name xavier; there are: Zeros, Ones'],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ name: 'FoveaError' }));
  });
});

describe('global seeds', () => {
  let state: ReturnType<typeof randomSeedState>;
  beforeEach(() => void (state = randomSeedState()));
  afterEach(() => restoreRandomSeed(state));

  it('are whole numbers, differ, and can be fixed and restored', () => {
    setRandomSeed(42);
    const kept = [nextSeed(), nextSeed()];
    const middle = randomSeedState();
    const rest = [nextSeed(), nextSeed()];
    expect(new Set([...kept, ...rest]).size).toBe(4);
    expect(kept.every((s) => Number.isSafeInteger(s) && s >= 0)).toBe(true);
    setRandomSeed(42);
    expect([nextSeed(), nextSeed()]).toEqual(kept);
    restoreRandomSeed(middle);
    expect([nextSeed(), nextSeed()]).toEqual(rest);
    expect(() => setRandomSeed(0.5)).toThrow(/a seed that is a safe integer, received 0.5/);
  });
});
