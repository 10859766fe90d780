import { expect, it } from 'vitest';
import { valueAndGrad } from '../../lib/autograd/grad.js';
import { compile } from '../../lib/graph/compile.js';
import * as ops from '../../lib/ops/index.js';
import * as optimizers from '../../lib/optimizers/index.js';
import * as schedules from '../../lib/schedules/index.js';
import { tensor } from '../../lib/tensor/create.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { Variable } from '../../lib/tensor/variable.js';
import { describeEachDevice } from '../support/each-device.js';
import { messageOf } from '../support/message-of.js';

const variable = (values: number[], name = 'w'): Variable => new Variable(tensor(values), { name });
const values = (v: Variable): number[] => [...v.dataSync()];

/** What the reference holds in float64 goes through float32 where it is compared or written down. */
function expectClose(found: Iterable<number>, expected: Iterable<number>, digits = 6): void {
  const list = [...expected];
  [...found].forEach((x, i) => expect(x).toBeCloseTo(list[i]!, digits));
}

/** A traced step that takes scaled gradients of two variables. */
function stepOf(optimizer: optimizers.Optimizer, a: Variable, b: Variable) {
  return compile((g: Tensor, h: Tensor) => {
    optimizer.apply([
      [a, g],
      [b, h],
    ]);
    return [];
  });
}

/** Everything that a skipped step leaves alone. */
const stateOf = (optimizer: optimizers.LossScaleOptimizer, ...own: Variable[]): number[][] => {
  const { stepCounter, dynamicScale } = { stepCounter: 'step_counter', dynamicScale: 'dynamic_scale' };
  const kept = optimizer.variables.filter(({ name }) => !name.endsWith(stepCounter) && !name.endsWith(dynamicScale));
  return [...own, ...kept].map(values);
};

/** Optimizers with all that depends on the number of updates. */
const INNER: Readonly<Record<string, () => optimizers.Optimizer>> = {
  sgd: () => optimizers.sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
  adam: () => optimizers.adam({ learningRate: 0.1, amsgrad: true }),
  'adamw with a schedule': () =>
    optimizers.adamw({
      learningRate: schedules.piecewiseConstantDecay({ boundaries: [2, 5], values: [0.5, 0.1, 0.02] }),
      weightDecay: 0.1,
    }),
  'nadam, clipped': () => optimizers.nadam({ learningRate: 0.1, globalClipnorm: 0.5 }),
  lamb: () => optimizers.lamb({ learningRate: 0.1, clipnorm: 0.5 }),
  'rmsprop with averages': () =>
    optimizers.rmsprop({ learningRate: 0.1, useEma: true, emaMomentum: 0.5, emaOverwriteFrequency: 3 }),
  ftrl: () => optimizers.ftrl({ learningRate: 0.1, clipvalue: 0.3 }),
};

describeEachDevice('loss scaling', (device) => {
  it.each(Object.entries(INNER))('makes the updates of %s, without those it skips', (_, make) => {
    const [a, b, c, d] = [variable([1, 2], 'a'), variable([3], 'b'), variable([1, 2], 'a'), variable([3], 'b')];
    const plain = make();
    const scaled = optimizers.lossScale(make(), { initialScale: 4, dynamicGrowthSteps: 4 });
    const [once, step] = [stepOf(plain, a, b), stepOf(scaled, c, d)];
    let scale = 4;
    let good = 0;
    for (let i = 0; i < 14; i++) {
      const [g, h] = [[0.5 - i / 8, -0.25], [Math.sin(i)]];
      const times = (list: number[]): Tensor => tensor(list.map((x) => Math.fround(x) * scale));
      // Now and then one number is not finite: the whole step is skipped.
      const bad = { 3: Infinity, 4: NaN, 9: -Infinity }[i];
      if (bad !== undefined) {
        const before = stateOf(scaled, c, d);
        step(i === 9 ? tensor([bad, 1]) : times(g), i === 9 ? times(h) : tensor([bad]));
        expect(stateOf(scaled, c, d)).toEqual(before);
        [scale, good] = [scale / 2, 0];
      } else {
        once(tensor(g), tensor(h));
        step(times(g), times(h));
        if (++good === 4) [scale, good] = [scale * 2, 0];
      }
      expect(scaled.dynamicScale).toBe(scale);
      expect(scaled.iterations).toBe(plain.iterations);
      expect(scaled.learningRate).toBe(plain.learningRate);
    }
    expect(scale).toBe(2);
    expect([values(c), values(d)]).toEqual([values(a), values(b)]); // bit for bit: the factors are powers of two
    expect(step.statistics.traces).toBe(1);
  });

  it('scales the loss, not what is reported, and gives gradients their size back', () => {
    const w = variable([2, -3]);
    const optimizer = optimizers.lossScale(optimizers.sgd({ learningRate: 1 }), { initialScale: 1024 });
    const { value, grads } = valueAndGrad(() => {
      const plain = ops.sum(ops.square(w.value));
      return { loss: optimizer.scaleLoss(plain), plain };
    });
    expect([value.plain.dataSync()[0], value.loss.dataSync()[0]]).toEqual([13, 13 * 1024]);
    expect([...grads.get(w)!.dataSync()]).toEqual([4 * 1024, -6 * 1024]);
    optimizer.apply(grads);
    expect(values(w)).toEqual([-2, 3]);
    expect(optimizer.iterations).toBe(1);
  });

  it('keeps gradients that float16 alone would lose', () => {
    const w = variable([1]);
    const tiny = 2 ** -27; // less than half of the smallest number of float16
    const slope = (scaleLoss: (loss: Tensor) => Tensor): number => {
      const { grads } = valueAndGrad(() => {
        const narrow = ops.mul(ops.cast(w.value, 'float16'), 1);
        return scaleLoss(ops.mul(ops.sum(ops.cast(narrow, 'float32')), tiny));
      });
      return grads.get(w)!.dataSync()[0]!;
    };
    const optimizer = optimizers.lossScale(optimizers.sgd());
    expect(slope((loss) => loss)).toBe(0);
    expect(slope((loss) => optimizer.scaleLoss(loss))).toBe(tiny * 2 ** 15);
  });

  it('counts right however far the host is ahead, also when the rate changes', async () => {
    const make = (): optimizers.Optimizer => optimizers.adam({ learningRate: 0.01 });
    const [a, b, c, d] = [variable([1, 2], 'a'), variable([3], 'b'), variable([1, 2], 'a'), variable([3], 'b')];
    const [plain, scaled] = [make(), optimizers.lossScale(make(), { initialScale: 1 })];
    const [once, step] = [stepOf(plain, a, b), stepOf(scaled, c, d)];
    const [g, h, inf] = [tensor([0.5, -0.25]), tensor([0.125]), tensor([Infinity])];
    for (let i = 0; i < 200; i++) {
      if (i === 150) plain.learningRate = scaled.learningRate = 0.1;
      if (i % 7 === 2) step(g, inf);
      else {
        once(g, h);
        // The factor is the smaller the more was skipped; what is handed over is scaled by 2^-skipped.
        step(ops.mul(g, 2 ** -Math.ceil((i - 2) / 7)), ops.mul(h, 2 ** -Math.ceil((i - 2) / 7)));
      }
      if (i === 100) await c.data(); // lets answers come in
    }
    expect(scaled.iterations).toBe(plain.iterations);
    expect((await scaled.state()).iterations).toBe(plain.iterations);
    expectClose([...values(c), ...values(d)], [...values(a), ...values(b)], 5);
  });

  it('has no factor that is 0 or infinite, whatever comes', () => {
    const w = variable([1]);
    const low = optimizers.lossScale(optimizers.sgd(), { initialScale: 2 ** -125 });
    const high = optimizers.lossScale(optimizers.sgd(), { initialScale: 2 ** 125, dynamicGrowthSteps: 1 });
    for (let i = 0; i < 4; i++) {
      low.apply([[w, tensor([NaN])]]);
      high.apply([[w, tensor([0])]]);
    }
    expect([low.dynamicScale, high.dynamicScale]).toEqual([2 ** -126, 2 ** 126]);
    low.apply([[w, tensor([0])]]);
    expect(values(w)).toEqual([1]);
  });

  it('goes on from a state, before and after there are variables', async () => {
    const run = (optimizer: optimizers.Optimizer, v: Variable, from: number, to: number): void => {
      for (let i = from; i < to; i++) optimizer.apply([[v, tensor([i === 3 ? NaN : i + 1, -1])]]);
    };
    const make = (): optimizers.LossScaleOptimizer =>
      optimizers.lossScale(optimizers.adam({ learningRate: 0.1 }), { initialScale: 8, dynamicGrowthSteps: 3 });
    const [whole, first, second] = [variable([1, 2]), variable([1, 2]), variable([0, 0])];
    const [uninterrupted, before, after] = [make(), make(), make()];
    run(uninterrupted, whole, 0, 8);
    run(before, first, 0, 5);
    const state = await before.state();
    expect(state.iterations).toBe(4);
    expect(Object.keys(state.slots)).toEqual([
      ...['adam/momentum/w', 'adam/velocity/w', 'loss_scale_optimizer/step_counter'],
      'loss_scale_optimizer/dynamic_scale',
    ]);
    second.assign(first.value);
    after.restore(state);
    expect([after.iterations, after.dynamicScale]).toEqual([4, 8]);
    run(after, second, 5, 8);
    expectClose(values(second), values(whole));
    const [made, expected] = [await after.state(), await uninterrupted.state()];
    expect(made.iterations).toBe(expected.iterations);
    for (const [name, { data }] of Object.entries(expected.slots)) expectClose(made.slots[name]!.data, data);
    // Back to where the state was taken, with variables in place.
    second.assign(first.value);
    after.restore(state);
    run(after, second, 5, 8);
    expectClose(values(second), values(whole));
    after.restore({ iterations: 0, learningRate: 0.1, slots: {} });
    expect([after.iterations, after.dynamicScale]).toEqual([0, 8]);
    const { 'loss_scale_optimizer/dynamic_scale': _, ...less } = state.slots;
    expect(messageOf(() => after.restore({ ...state, slots: less }))).toBe(
      'loss_scale_optimizer: expected the state to hold the number loss_scale_optimizer/dynamic_scale, received none',
    );
  });

  if (device === 'reference') {
    it('is written down and made again, also from what Keras writes', () => {
      const made = optimizers.lossScale(optimizers.adam({ beta1: 0.8 }), { initialScale: 2, dynamicGrowthSteps: 7 });
      const again = optimizers.get(optimizers.serialize(made)) as optimizers.LossScaleOptimizer;
      expect(optimizers.serialize(again)).toEqual(optimizers.serialize(made));
      const keras = {
        module: 'keras.optimizers',
        class_name: 'LossScaleOptimizer',
        config: {
          name: 'loss_scale_optimizer',
          inner_optimizer: { class_name: 'Adam', config: { learning_rate: 0.25, beta_1: 0.8 } },
          initial_scale: 32768.0,
          dynamic_growth_steps: 2000,
        },
      };
      const read = optimizers.get(keras) as optimizers.LossScaleOptimizer;
      expect([read.initialScale, read.dynamicGrowthSteps, read.learningRate]).toEqual([32768, 2000, 0.25]);
      expect(read.innerOptimizer).toBeInstanceOf(optimizers.Adam);
    });

    it('says what it does not take', () => {
      const wrap = (options: object): string => messageOf(() => optimizers.lossScale(optimizers.sgd(), options));
      expect(wrap({ clipnorm: 1 })).toBe('lossScale: expected clipnorm on the inner optimizer, received it here');
      expect(wrap({ initialScale: 0 })).toMatch(/^lossScale: expected initialScale to be a finite number of at least/);
      expect(wrap({ initialScal: 2 })).toMatch(/^lossScale: unknown option initialScal/);
      const inner = optimizers.lossScale(optimizers.sgd());
      expect(messageOf(() => optimizers.lossScale(inner))).toMatch(/one that scales the loss itself/);
      expect(messageOf(() => optimizers.get('lossScaleOptimizer'))).toMatch(/needs an innerOptimizer/);
      expect(messageOf(() => optimizers.lossScale('adam' as never))).toBe(
        'lossScale: expected an optimizer to wrap, received string',
      );
    });
  }
});
