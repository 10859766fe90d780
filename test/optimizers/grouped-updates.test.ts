import { afterEach, expect, it } from 'vitest';
import { disablePasses } from '../../lib/graph/passes/index.js';
import {
  compile,
  layers,
  losses,
  ops,
  optimizers,
  Sequential,
  tensor,
  valueAndGrad,
  Variable,
  withLayer,
  zeros,
  type Tensor,
} from '../../lib/index.js';
import type { Optimizer } from '../../lib/optimizers/index.js';
import { describeEachDevice } from '../support/each-device.js';

// Updates of several variables in one step compute what they compute one by one, bit for bit: it is the same program.

afterEach(() => disablePasses());

const kinds: readonly [string, () => Optimizer][] = [
  ['SGD', () => optimizers.sgd({ learningRate: 0.1 })],
  [
    'SGD with momentum and decay',
    () => optimizers.sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
  ],
  ['RMSprop, centered', () => optimizers.rmsprop({ centered: true, momentum: 0.5 })],
  ['Adam', () => optimizers.adam({ learningRate: 0.05 })],
  ['Adam, amsgrad', () => optimizers.adam({ amsgrad: true })],
  ['AdamW, some without decay', () => optimizers.adamw({ learningRate: 0.05 }).excludeFromWeightDecay('b')],
  ['Nadam', () => optimizers.nadam()],
  ['Adagrad', () => optimizers.adagrad()],
  ['Adadelta', () => optimizers.adadelta()],
  ['Adamax', () => optimizers.adamax()],
  ['Lion', () => optimizers.lion()],
  ['Ftrl', () => optimizers.ftrl()],
  ['Lamb', () => optimizers.lamb()],
  ['clipped by each norm', () => optimizers.adam({ clipnorm: 0.1 })],
  ['clipped by the norm of all', () => optimizers.sgd({ globalClipnorm: 0.1 })],
  ['clipped by value', () => optimizers.adam({ clipvalue: 0.01 })],
  ['averages', () => optimizers.sgd({ useEma: true, emaMomentum: 0.9 })],
  ['averages that overwrite', () => optimizers.adam({ useEma: true, emaOverwriteFrequency: 2 })],
];

const x = (): Tensor => ops.randomNormal([6, 5], 3);
const y = (): Tensor => ops.randomNormal([6, 2], 4);

/** All numbers after four steps of a small network, and how many steps of the plan wrote variables. */
async function trained(make: () => Optimizer): Promise<{ numbers: number[]; updates: number }> {
  const w1 = new Variable(ops.randomNormal([5, 7], 1), { name: 'w1' });
  const w2 = new Variable(ops.randomNormal([7, 2], 2), { name: 'w2' });
  const variables = [w1, new Variable(zeros([7]), { name: 'b1' }), w2, new Variable(zeros([2]), { name: 'b2' })];
  const scale = new Variable(tensor(1.5), { name: 'scale' });
  variables.push(scale);
  const optimizer = make();
  const step = compile((a: Tensor, b: Tensor): Tensor => {
    const { value, grads } = valueAndGrad(() => {
      const hidden = ops.tanh(ops.add(ops.matmul(a, w1.value), variables[1]!.value));
      const out = ops.mul(ops.add(ops.matmul(hidden, w2.value), variables[3]!.value), scale.value);
      return ops.mean(ops.square(ops.sub(out, b)));
    });
    optimizer.apply(grads);
    return value;
  });
  const numbers: number[] = [];
  for (let i = 0; i < 4; i++) numbers.push(await step(x(), y()).item());
  for (const v of [...variables, ...optimizer.variables]) numbers.push(...(await v.data()).map(Number));
  const profile = await step.profile(x(), y());
  step.dispose();
  return { numbers, updates: profile.filter((p) => p.kernel.startsWith('elementwise')).length };
}

describeEachDevice('grouped updates', () => {
  it.each(kinds)('%s', async (_, make) => {
    disablePasses('groupUpdates');
    const alone = await trained(make);
    disablePasses();
    const together = await trained(make);
    expect(together.numbers).toEqual(alone.numbers);
    expect(together.numbers.every(Number.isFinite)).toBe(true);
    expect(together.updates).toBeLessThan(alone.updates);
  });

  it.each(['float32', 'mixed_bfloat16'] as const)('a network with batch normalization in %s', async (dtype) => {
    const run = async (): Promise<number[]> => {
      const block = (filters: number) => [
        layers.conv2d({ filters, kernelSize: 3, padding: 'same', dtype, kernelInitializer: 'ones' }),
        layers.batchNormalization({ dtype }),
        layers.activation({ activation: 'relu', dtype }),
      ];
      const model = new Sequential([
        layers.input({ shape: [6, 6, 3] }),
        ...block(4),
        ...block(6),
        layers.flatten(),
        layers.dense({ units: 3, dtype, kernelInitializer: 'ones' }),
      ]);
      const optimizer = optimizers.adam({ learningRate: 0.01 });
      const loss = losses.sparseCategoricalCrossentropy({ fromLogits: true });
      const step = compile((images: Tensor, labels: Tensor): Tensor => {
        const { value, grads } = valueAndGrad(() => loss.apply(labels, model.apply(images, { training: true })));
        optimizer.apply(grads);
        return value;
      });
      const given = [ops.randomNormal([4, 6, 6, 3], 5), tensor(Int32Array.of(0, 1, 2, 1))] as const;
      const numbers: number[] = [];
      for (let i = 0; i < 3; i++) numbers.push(await step(...given).item());
      for (const v of [...model.weights, ...optimizer.variables]) numbers.push(...(await v.data()).map(Number));
      step.dispose();
      return numbers;
    };
    disablePasses('groupUpdates');
    const alone = await run();
    disablePasses();
    expect(await run()).toEqual(alone);
  });

  it('profiles name the layer that all updates are of, or how many layers', async () => {
    const make = (): Variable => new Variable(zeros([3]));
    const [a, b, c] = [make(), make(), make()];
    const step = compile((g: Tensor) => {
      withLayer('net', () => {
        withLayer('one', () => a.assign(ops.add(a.value, g)));
        withLayer('two', () => b.assign(ops.add(b.value, g)));
      });
      withLayer('other', () => c.assign(ops.mul(c.value, g)));
      return [];
    });
    const profile = await step.profile(ops.onesLike(a.value));
    const lines = profile.map(({ kernel, op, layer, flops }) => ({ kernel, op, layer, flops }));
    expect(lines).toContainEqual({ kernel: 'elementwiseGroup', op: 'add', layer: 'net', flops: 6 });
    expect(lines).toContainEqual({ kernel: 'elementwise', op: 'mul', layer: 'other', flops: 3 });
    expect(profile.every((p) => p.bytes > 0)).toBe(true);
    step.dispose();
  });
});
