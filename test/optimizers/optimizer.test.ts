import { describe, expect, it } from 'vitest';
import { valueAndGrad } from '../../lib/autograd/grad.js';
import { compile } from '../../lib/graph/compile.js';
import * as ops from '../../lib/ops/index.js';
import * as optimizers from '../../lib/optimizers/index.js';
import * as schedules from '../../lib/schedules/index.js';
import { tensor } from '../../lib/tensor/create.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { Variable } from '../../lib/tensor/variable.js';
import { camelCase } from '../../lib/util/options.js';
import { describeEachDevice } from '../support/each-device.js';

const variable = (values: number[], name = 'w'): Variable => new Variable(tensor(values), { name });
const rounded = (v: Variable): number[] => Array.from(v.dataSync(), (x) => Number(x.toFixed(5)));

/** A state as it comes back from a file. */
function throughJson(state: optimizers.OptimizerState): optimizers.OptimizerState {
  const text = JSON.stringify(state, (_, x: unknown) => (x instanceof Float32Array ? Array.from(x) : x));
  return JSON.parse(text, (key, x: unknown) => (key === 'data' ? Float32Array.from(x as number[]) : x)) as never;
}

describeEachDevice('Optimizer', (device) => {
  it('updates at once outside a trace, and makes one plan for a list of variables', () => {
    const [a, b] = [variable([1, 2], 'a'), variable([3], 'b')];
    const sgd = optimizers.sgd({ learningRate: 0.5 });
    for (let i = 0; i < 3; i++) {
      const { grads } = valueAndGrad(() => ops.add(ops.sum(ops.square(a.value)), ops.sum(b.value)));
      sgd.apply(grads);
    }
    expect(rounded(a)).toEqual([0, 0]);
    expect(rounded(b)).toEqual([1.5]);
    expect(sgd.iterations).toBe(3);
  });

  it('leaves tensors that were read before an update as they were', () => {
    const w = variable([1, 2]);
    const before = w.value;
    optimizers.sgd({ learningRate: 1 }).apply([[w, w.value]]);
    expect([...before.dataSync()]).toEqual([1, 2]);
    expect([...w.dataSync()]).toEqual([0, 0]);
  });

  it('makes slots inside a trace, named after their variable', () => {
    const w = variable([1, 2], 'conv2d/kernel');
    const adam = optimizers.adam();
    const step = compile((g: Tensor) => {
      adam.apply([[w, g]]);
      return w.value;
    });
    step(tensor([1, -1])).dataSync();
    step(tensor([1, -1])).dataSync();
    expect(adam.variables.map((v) => v.name)).toEqual(['adam/momentum/conv2d/kernel', 'adam/velocity/conv2d/kernel']);
    expect(adam.variables.every((v) => !v.trainable)).toBe(true);
    expect(adam.slot(w, 'momentum')!.dataSync()[0]).toBeCloseTo(0.19, 6);
  });

  it('keeps slots of variables of one name apart', () => {
    const [a, b] = [variable([1], 'kernel'), variable([2], 'kernel')];
    const sgd = optimizers.sgd({ momentum: 0.9 });
    sgd.apply([
      [a, tensor([1])],
      [b, tensor([1])],
    ]);
    expect(sgd.variables.map((v) => v.name)).toEqual(['sgd/momentum/kernel', 'sgd/momentum/kernel_1']);
  });

  it('counts two updates in one trace as two steps', () => {
    const expected = variable([1, 2]);
    const eager = optimizers.nadam({ learningRate: 0.1 });
    const w = variable([1, 2]);
    const traced = optimizers.nadam({ learningRate: 0.1 });
    const g = tensor([0.5, -1]);
    const twice = compile((gradient: Tensor) => {
      traced.apply([[w, gradient]]);
      traced.apply([[w, gradient]]);
      return w.value;
    });
    for (let i = 0; i < 2; i++) {
      eager.apply([[expected, g]]);
      eager.apply([[expected, g]]);
      twice(g);
    }
    expect(traced.iterations).toBe(4);
    expect(rounded(w)).toEqual(rounded(expected));
  });

  it('takes a new learning rate without tracing anew', () => {
    const w = variable([10]);
    const sgd = optimizers.sgd({ learningRate: 1 });
    const step = compile((g: Tensor) => {
      sgd.apply([[w, g]]);
      return w.value;
    });
    expect(step(tensor([1])).itemSync()).toBe(9);
    sgd.learningRate = 3;
    expect(step(tensor([1])).itemSync()).toBe(6);
    sgd.learningRate = schedules.piecewiseConstantDecay({ boundaries: [2], values: [4, 0.5] });
    expect(sgd.learningRate).toBe(4);
    expect(step(tensor([1])).itemSync()).toBe(2);
    expect(step(tensor([1])).itemSync()).toBe(1.5);
    expect(step.statistics.traces).toBe(1);
  });

  it('follows the legacy decay', () => {
    const w = variable([1]);
    const sgd = optimizers.sgd({ learningRate: 0.1, decay: 1 });
    sgd.apply([[w, tensor([1])]]);
    sgd.apply([[w, tensor([1])]]);
    expect(w.dataSync()[0]).toBeCloseTo(1 - 0.1 - 0.05, 6);
    expect(sgd.getConfig().learningRate).toMatchObject({ className: 'InverseTimeDecay' });
  });

  it('clips by the norm of all gradients together, leaving small ones alone', () => {
    const [a, b] = [variable([0], 'a'), variable([0], 'b')];
    const sgd = optimizers.sgd({ learningRate: 1, globalClipnorm: 1 });
    sgd.apply([
      [a, tensor([3])],
      [b, tensor([4])],
    ]);
    expect(rounded(a)).toEqual([-0.6]);
    expect(rounded(b)).toEqual([-0.8]);
    sgd.apply([[a, tensor([0])]]);
    expect(rounded(a)).toEqual([-0.6]);
  });

  it('decays weights but for those left out', () => {
    const [a, b, c] = [variable([1], 'conv/kernel'), variable([1], 'conv/bias'), variable([1], 'bn/gamma')];
    const sgd = optimizers.sgd({ learningRate: 0.5, weightDecay: 0.5 }).excludeFromWeightDecay('bias', /gamma$/);
    sgd.apply([a, b, c].map((v) => [v, tensor([0])] as const));
    expect([a, b, c].map((v) => v.dataSync()[0])).toEqual([0.75, 1, 1]);
  });

  it('overwrites variables by their averages every so often', () => {
    const w = variable([0]);
    const sgd = optimizers.sgd({ learningRate: 1, useEma: true, emaMomentum: 0.5, emaOverwriteFrequency: 2 });
    const seen = [1, 2, 3, 4].map(() => {
      sgd.apply([[w, tensor([-1])]]);
      return w.dataSync()[0];
    });
    // averages: 1, 1.5 (written), (1.5 + 2.5) / 2 = 2, (2 + 3.5) / 2 = 2.75 (written)
    expect(seen).toEqual([1, 1.5, 2.5, 2.75]);
  });

  it.each(['nadam', 'adam', 'rmsprop'])(
    '%s resumes from a state bit for bit, before or after its slots are made',
    async (name) => {
      const gradients = Array.from({ length: 6 }, (_, i) => tensor([Math.sin(i), Math.cos(2 * i)]));
      const run = (optimizer: optimizers.Optimizer, w: Variable, list: Tensor[]): void => {
        for (const g of list) optimizer.apply([[w, g]]);
      };
      const first = optimizers.get(name);
      const w = variable([1, 2]);
      run(first, w, gradients.slice(0, 3));
      const state = await first.state();
      const values = await w.data();
      run(first, w, gradients.slice(3));
      for (const built of [false, true]) {
        const again = optimizers.get(name);
        const v = new Variable(tensor(values), { name: 'w' });
        if (built) again.build([v]);
        again.restore(throughJson(state));
        expect(again.iterations).toBe(3);
        run(again, v, gradients.slice(3));
        // The reference keeps float64 between steps, of which a state holds the float32.
        const near = (x: number): unknown => (device === 'reference' ? expect.closeTo(x, 6) : x);
        expect([...v.dataSync()]).toEqual(Array.from(w.dataSync(), near));
      }
    },
  );

  it('refuses a state that does not fit, and changes nothing', async () => {
    const w = variable([1, 2]);
    const sgd = optimizers.sgd({ momentum: 0.9 });
    sgd.apply([[w, tensor([1, 1])]]);
    const state = await sgd.state();
    const wrong = {
      ...state,
      iterations: 7,
      slots: { 'sgd/momentum/w': { shape: [1], dtype: 'float32', data: new Float32Array(1) } },
    } as const;
    expect(() => sgd.restore(wrong)).toThrow(/sgd: expected sgd\/momentum\/w of float32 \[2\], received float32 \[1\]/);
    expect(() => sgd.restore({ ...state, slots: { other: state.slots['sgd/momentum/w']! } })).toThrow(
      /the state to hold sgd\/momentum\/w/,
    );
    expect(() => sgd.restore({ ...state, iterations: -1 })).toThrow(/iterations/);
    expect(sgd.iterations).toBe(1);
    sgd.restore({ iterations: 0, learningRate: 0.25, slots: {} });
    expect([...sgd.variables[0]!.dataSync()]).toEqual([0, 0]);
    expect(sgd.learningRate).toBe(0.25);
  });

  it('updates frozen variables that are given, and skips those without a gradient', () => {
    const frozen = new Variable(tensor([1]), { trainable: false });
    const other = variable([5]);
    optimizers.sgd({ learningRate: 1 }).apply([
      [frozen, tensor([1])],
      [other, null],
    ]);
    expect(frozen.dataSync()[0]).toBe(0);
    expect(other.dataSync()[0]).toBe(5);
  });

  it('refuses gradients that do not fit, naming the variable', () => {
    const w = variable([1, 2], 'dense/kernel');
    const sgd = optimizers.sgd();
    expect(() => sgd.apply([])).toThrow(/^sgd: expected at least one gradient, received none/);
    expect(() => sgd.apply([[w, undefined]])).toThrow(/at least one gradient/);
    expect(() => sgd.apply([[w, tensor([1])]])).toThrow(
      'sgd "dense/kernel": expected a gradient of shape [2], received [1]',
    );
    expect(() => sgd.apply([[w, tensor([1, 2], [2], { dtype: 'int32' })]])).toThrow(/dtype float32, received int32/);
    expect(() => sgd.apply([[w, [1, 2] as never]])).toThrow(/a tensor as gradient/);
    const g = tensor([1, 1]);
    expect(() => sgd.apply([[w, g], [w, g]])).toThrow(/one gradient a variable/); // prettier-ignore
    expect(sgd.iterations).toBe(0);
    expect([...w.dataSync()]).toEqual([1, 2]);
  });
});

describe('optimizer options', () => {
  // That of loss scaling is another optimizer's; see loss-scale.test.ts.
  const { names } = optimizers.optimizerRegistry;
  const own = names.filter((name) => name !== 'LossScaleOptimizer');

  it.each(own)('%s survives a round trip of its configuration', (className) => {
    const made = optimizers.get({
      className,
      config: { learning_rate: 0.25, clipnorm: 2, use_ema: true, weight_decay: 0.125 },
    });
    const config = made.getConfig();
    expect(config).toMatchObject({ learningRate: 0.25, clipnorm: 2, useEma: true, weightDecay: 0.125 });
    expect(Object.keys(config).every((key) => key === camelCase(key))).toBe(true);
    const again = optimizers.get(JSON.parse(JSON.stringify(optimizers.serialize(made))) as never);
    expect(again.className).toBe(className);
    expect(again.getConfig()).toEqual(config);
    expect(optimizers.get(className.toLowerCase()).className).toBe(className);
  });

  it('keeps a schedule in its configuration', () => {
    const learningRate = schedules.exponentialDecay({ initialLearningRate: 1, decaySteps: 2, decayRate: 0.5 });
    const again = optimizers.get(optimizers.serialize(optimizers.adam({ learningRate })));
    expect(again.schedule!.at(2)).toBe(0.5);
    expect(again.learningRate).toBe(1);
  });

  it('reads the configurations that Keras writes', () => {
    const config = {
      name: 'adam',
      learning_rate: 0.01,
      weight_decay: null,
      clipnorm: null,
      use_ema: false,
      loss_scale_factor: null,
      gradient_accumulation_steps: null,
      beta_1: 0.8,
      jit_compile: true,
    };
    const adam = optimizers.get({ module: 'keras.optimizers', class_name: 'Adam', config, registered_name: null });
    expect(adam.getConfig()).toMatchObject({ learningRate: 0.01, beta1: 0.8, beta2: 0.999 });
  });

  it('passes an instance through', () => {
    const sgd = optimizers.sgd();
    expect(optimizers.get(sgd)).toBe(sgd);
  });

  it.each<[string, () => unknown, string]>([
    [
      'NaN',
      () => optimizers.adam({ learningRate: NaN }),
      'adam: expected learningRate to be a finite number of at least 0, received NaN',
    ],
    [
      'a negative rate',
      () => optimizers.sgd({ learningRate: -1 }),
      'sgd: expected learningRate to be a finite number of at least 0, received -1',
    ],
    [
      'setting NaN',
      () => (optimizers.nadam().learningRate = NaN),
      'nadam: expected learningRate to be a finite number of at least 0, received NaN',
    ],
    [
      'setting infinity',
      () => (optimizers.nadam().learningRate = Infinity),
      'nadam: expected learningRate to be a finite number of at least 0, received Infinity',
    ],
    [
      'momentum',
      () => optimizers.sgd({ momentum: 2 }),
      'sgd: expected momentum to be a finite number of at least 0 and of at most 1, received 2',
    ],
    [
      'beta1',
      () => optimizers.adam({ beta1: 1 }),
      'adam: expected beta1 to be a finite number of at least 0 and below 1, received 1',
    ],
    [
      'two kinds of clipping',
      () => optimizers.sgd({ clipnorm: 1, clipvalue: 1 }),
      'sgd: expected one of clipnorm, globalClipnorm and clipvalue, received clipnorm and clipvalue',
    ],
    [
      'no clipping',
      () => optimizers.sgd({ clipnorm: 0 }),
      'sgd: expected clipnorm to be a finite number above 0, received 0',
    ],
    [
      'a flag',
      () => optimizers.adam({ amsgrad: 1 as never }),
      'adam: expected amsgrad to be true or false, received 1',
    ],
    ['an unknown option', () => optimizers.lion({ momentum: 1 } as never), 'lion: unknown option momentum; expected'],
    [
      'decay of a schedule',
      () =>
        optimizers.sgd({
          decay: 1,
          learningRate: schedules.polynomialDecay({ initialLearningRate: 1, decaySteps: 1 }),
        }),
      'sgd: expected decay to be left out when learningRate is a schedule, received 1',
    ],
    ['an unknown name', () => optimizers.get('adamm'), 'optimizer: unknown name adamm; there are: '],
    [
      'something else',
      () => optimizers.get(7 as never),
      'optimizer: expected a name, { className, config } or an instance, received 7',
    ],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ name: 'FoveaError' }));
  });
});
