import { expect, test } from 'vitest';
import { fastestSteps, perfettoTrace, profileTable } from '../../lib/graph/profile.js';
import { compile, ops, valueAndGrad, Variable, withLayer, type StepProfile, type Tensor } from '../../lib/index.js';

const step = (layer: string, milliseconds: number, rest: Partial<StepProfile> = {}): StepProfile => ({
  kernel: 'conv2d',
  implementation: 'own',
  op: 'conv2d',
  layer,
  milliseconds,
  bytes: 2e6,
  flops: 8e6,
  ...rest,
});

test('FLOPs come from the shapes', async () => {
  const kernel = new Variable(ops.randomNormal([3, 3, 4, 8], 1));
  const weights = new Variable(ops.randomNormal([8, 5], 2));
  const train = compile((x: Tensor) => {
    const apply = (): Tensor => {
      const y = withLayer('conv', () => ops.conv2d(x, kernel.value, { padding: 'same' }));
      return ops.sum(withLayer('dense', () => ops.matmul(ops.globalAvgPool2d(ops.square(y)), weights.value)));
    };
    const { grads } = valueAndGrad(apply);
    return [...grads.values()];
  });
  const steps = await train.profile(ops.randomNormal([2, 6, 6, 4], 3));
  const flopsOf = (name: string): number[] => steps.filter((s) => s.kernel === name).map((s) => s.flops!);
  const conv = 2 * (2 * 6 * 6 * 8) * (3 * 3 * 4);
  expect(flopsOf('conv2d')).toEqual([conv]);
  expect(flopsOf('conv2dBackwardKernel')).toEqual([conv]);
  expect(flopsOf('matmul')).toContain(2 * 2 * 8 * 5);
  // Gradients carry the layer whose gradients they are.
  expect(steps.find((s) => s.kernel === 'conv2dBackwardKernel')?.layer).toBe('conv');
  train.dispose();
});

test('the table sums by layer and by kernel, slowest first', () => {
  const table = profileTable([step('a', 1), step('b', 2, { implementation: 'winograd' }), step('a', 3), step('', 4)]);
  const lines = table.split('\n').map((line) => line.split(/ {2,}/));
  expect(lines[0]).toEqual(['layer', 'calls', 'ms', 'share', 'GFLOP/s', 'GB/s']);
  expect(lines[1]).toEqual(['a', '2', '4.000', '40.0%', '4.0', '1.0']);
  expect(lines[2]).toEqual(['(conv2d)', '1', '4.000', '40.0%', '2.0', '0.5']);
  expect(lines[3]![0]).toBe('b');
  expect(lines[5]![0]).toBe('kernel');
  expect(lines[6]).toEqual(['conv2d own', '3', '8.000', '80.0%', '3.0', '0.8']);
  expect(table).toContain('total 10.000 ms in 4 steps');
  expect(profileTable([])).toContain('total 0.000 ms in 0 steps');
});

test('the trace is what Perfetto reads: complete events one after the other', () => {
  const { traceEvents } = JSON.parse(perfettoTrace([step('a', 1), step('b', 2)])) as {
    traceEvents: { ph: string; name: string; ts: number; dur: number; cat: string; args: object }[];
  };
  const events = traceEvents.filter((e) => e.ph === 'X');
  expect(events.map(({ name, ts, dur, cat }) => ({ name, ts, dur, cat }))).toEqual([
    { name: 'conv2d', ts: 0, dur: 1000, cat: 'a' },
    { name: 'conv2d', ts: 1000, dur: 2000, cat: 'b' },
  ]);
  expect(events[0]!.args).toEqual({ implementation: 'own', op: 'conv2d', layer: 'a', bytes: 2e6, flops: 8e6 });
});

test('the fastest of several runs, step by step', () => {
  const runs = [
    [step('a', 3), step('b', 1)],
    [step('a', 2), step('b', 4)],
  ];
  expect(fastestSteps(runs).map((s) => s.milliseconds)).toEqual([2, 1]);
});
