import { afterEach, describe, expect, test } from 'vitest';
import { buildGraph } from '../../lib/graph/build.js';
import { emitPlan } from '../../lib/graph/emit.js';
import type { Graph } from '../../lib/graph/ir.js';
import { disablePasses, optimize, PASS_NAMES, type PassName } from '../../lib/graph/passes/index.js';
import { Trace, withTrace } from '../../lib/graph/trace.js';
import {
  compile,
  currentDevice,
  ones,
  ops,
  optimizers,
  setDevice,
  tensor,
  valueAndGrad,
  Variable,
  zeros,
  type Tensor,
} from '../../lib/index.js';

// Passes that save memory by changing when things are computed: the results stay what they are.

const usual = currentDevice();
afterEach(() => {
  disablePasses();
  setDevice(usual);
});

/** A residual network with normalization, overlapping pooling and a branch that a ReLU feeds twice. */
function network() {
  const variables: Variable[] = [];
  let seed = 0;
  const make = (initial: Tensor): Variable => {
    variables.push(new Variable(initial));
    return variables.at(-1)!;
  };
  const conv = (i: number, o: number, size: number) => {
    const w = make(ops.mul(ops.randomNormal([size, size, i, o], ++seed), 0.3));
    const [gamma, beta] = [make(ones([o])), make(zeros([o]))];
    return (x: Tensor): Tensor => ops.batchNorm(ops.conv2d(x, w.value, { padding: 'same' }), gamma.value, beta.value).y;
  };
  const stem = conv(3, 8, 3);
  const blocks = Array.from({ length: 3 }, () => [conv(8, 8, 3), conv(8, 8, 3), conv(8, 8, 1)] as const);
  const head = make(ops.randomNormal([8, 4], ++seed));
  const apply = (x: Tensor): Tensor => {
    let y = ops.maxPool2d(ops.relu(stem(x)), { poolSize: 3, strides: 2, padding: 'same' });
    for (const [a, b, skip] of blocks) y = ops.relu(ops.add(b(ops.relu(a(y))), skip(y)));
    return ops.matmul(ops.globalAvgPool2d(y), head.value);
  };
  return { variables, apply };
}

function training() {
  const { variables, apply } = network();
  const optimizer = optimizers.sgd({ learningRate: 0.05, momentum: 0.9 });
  const step = compile((x: Tensor, y: Tensor): Tensor => {
    const { value, grads } = valueAndGrad(() => ops.mean(ops.sparseSoftmaxCrossEntropy(apply(x), y)));
    optimizer.apply(grads);
    return value;
  });
  return { variables, step };
}

const image = (): Tensor => ops.randomNormal([4, 16, 16, 3], 99);
const labels = (): Tensor => tensor(Int32Array.of(0, 1, 2, 3));

async function trained(steps: number, ...off: PassName[]): Promise<number[]> {
  disablePasses(...off);
  const { variables, step } = training();
  const results: number[] = [];
  for (let i = 0; i < steps; i++) results.push(Number((await step(image(), labels()).data())[0]));
  for (const v of variables) results.push(...(await v.data()).map(Number));
  step.dispose();
  return results;
}

describe.each(['reference', 'cpu'])('%s', (device) => {
  test('a training step gives the same with each pass off, and with all off', async () => {
    setDevice(device);
    const plain = await trained(3, ...PASS_NAMES);
    for (const off of [[], ...PASS_NAMES.map((name) => [name])]) {
      const results = await trained(3, ...off);
      results.forEach((v, i) => {
        expect(v).toBeCloseTo(plain[i]!, 3);
      });
    }
  });

  test('a second computation is the first one bit for bit', async () => {
    setDevice(device);
    const rest = PASS_NAMES.filter((name) => name !== 'recompute');
    expect(await trained(2, ...rest)).toEqual(await trained(2, ...PASS_NAMES));
  });

  test('a step that fails leaves every variable alone', async () => {
    setDevice(device);
    const { variables, step } = training();
    await step(image(), labels()).data();
    const before = await Promise.all(variables.map((v) => v.data()));
    await expect(step(image(), tensor(Int32Array.of(0, 1, 9, 3))).data()).rejects.toThrow(/label|9/);
    expect(await Promise.all(variables.map((v) => v.data()))).toEqual(before);
    step.dispose();
  });
});

describe('the plan', () => {
  /** The optimized graph of one training step. */
  function planned(...off: PassName[]): Graph {
    setDevice('reference');
    const { apply } = network();
    const optimizer = optimizers.sgd({ learningRate: 0.05, momentum: 0.9 });
    const [x, y] = [image(), labels()];
    const trace = new Trace('step', 'reference');
    const loss = withTrace(trace, () => {
      const { value, grads } = valueAndGrad(() => ops.mean(ops.sparseSoftmaxCrossEntropy(apply(x), y)));
      optimizer.apply(grads);
      return value;
    });
    const updates = [...trace.assigned].map(([variable, t]) => ({
      target: { node: trace.variables.get(variable)!, index: 0 },
      value: t.value(),
    }));
    const { graph } = buildGraph({ outputs: [loss.value()], updates });
    disablePasses(...off);
    return optimize(graph);
  }
  const count = (graph: Graph, kernel: string): number =>
    graph.steps.filter((s) => s.kind === 'kernel' && s.kernel === kernel).length;

  test('needs less memory with each of the passes', () => {
    const [both, late, kept] = [planned(), planned('earlyUpdates'), planned('recompute')];
    expect(emitPlan(both).arenaBytes).toBeLessThan(emitPlan(late).arenaBytes + 1);
    expect(emitPlan(both).arenaBytes).toBeLessThan(emitPlan(kept).arenaBytes);
    expect(count(both, 'batchNorm')).toBeGreaterThan(count(kept, 'batchNorm'));
    expect(count(kept, 'batchNorm')).toBe(10);
  });

  test('updates a variable right after its gradient, behind what can fail', () => {
    const { steps, updates, values } = planned('groupUpdates');
    const head = updates.find((u) => values[u.target]!.shape.join() === '8,4')!;
    const at = steps.findIndex((s) => s.outputs.includes(head.value));
    const failing = steps.findLastIndex((s) => s.kind === 'kernel' && s.kernel.startsWith('sparseSoftmax'));
    const firstKernelGradient = steps.findIndex((s) => s.kind === 'kernel' && s.kernel === 'conv2dBackwardKernel');
    expect(at).toBeGreaterThan(failing);
    expect(at).toBeLessThan(firstKernelGradient);
    // Nobody reads the old value afterwards.
    expect(steps.slice(at + 1).some((s) => s.inputs.includes(head.target))).toBe(false);
  });
});

test("the gradient of VGG-16's first dense layer, 411 MB, never takes more than a strip of them", () => {
  setDevice('cpu');
  const w = new Variable(zeros([25_088, 4096]));
  const optimizer = optimizers.sgd({ learningRate: 0.01, momentum: 0.9 });
  const step = compile((x: Tensor): Tensor => {
    const { value, grads } = valueAndGrad(() => ops.mean(ops.square(ops.matmul(x, w.value))), [w]);
    optimizer.apply(grads);
    return value;
  });
  const arena = (...off: PassName[]): number => {
    disablePasses(...off);
    return step.memory(zeros([8, 25_088])).arenaBytes;
  };
  expect(arena('updatesInStrips')).toBeGreaterThan(25_088 * 4096 * 4);
  expect(arena()).toBeLessThan(20 << 20);
  step.dispose();
});
