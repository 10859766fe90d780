import { describe, expect, test } from 'vitest';
import { buildGraph } from '../../lib/graph/build.js';
import { emitPlan } from '../../lib/graph/emit.js';
import type { Graph } from '../../lib/graph/ir.js';
import { disablePasses, optimize, PASS_NAMES } from '../../lib/graph/passes/index.js';
import { compile, ops, tensor, valueAndGrad, Variable, withDevice, zeros, type Tensor } from '../../lib/index.js';

/** The graph of some outputs, as it is planned. */
function graphOf(make: () => Tensor[]): Graph {
  return withDevice('reference', () => {
    const { graph } = buildGraph({ outputs: make().map((t) => t.value()), updates: [] });
    return optimize(graph);
  });
}

const kernels = (graph: Graph): string[] =>
  graph.steps.map((s) =>
    s.kind === 'kernel'
      ? `${s.kernel}${s.attributes['activation'] === 'relu' ? '+relu' : ''}/${s.inputs.length}`
      : s.kind,
  );

const image = (): Tensor => zeros([2, 8, 8, 3]);

describe('epilogues', () => {
  test('conv2d takes its bias and relu with it', () => {
    const graph = graphOf(() => [ops.relu(ops.conv2d(image(), zeros([3, 3, 3, 4]), { bias: zeros([4]) }))]);
    expect(kernels(graph)).toEqual(['conv2d+relu/3']);
  });

  test('a value somebody else wants is not swallowed', () => {
    const graph = graphOf(() => {
      const y = ops.conv2d(image(), zeros([3, 3, 3, 4]), { bias: zeros([4]) });
      return [ops.relu(y), y];
    });
    expect(kernels(graph)).toEqual(['conv2d/3', 'elementwise']);
  });

  test('the gradient of a bias comes out of the kernel gradient', () => {
    const kernel = withDevice('reference', () => new Variable(zeros([3, 3, 3, 4])));
    const bias = withDevice('reference', () => new Variable(zeros([4])));
    const graph = graphOf(() => {
      const { grads } = valueAndGrad(() => ops.sum(ops.relu(ops.conv2d(image(), kernel.value, { bias: bias.value }))));
      return [...grads.values()];
    });
    const gradient = graph.steps.find((s) => s.kind === 'kernel' && s.kernel === 'conv2dBackwardKernel');
    expect(gradient?.outputs).toHaveLength(2);
    expect(graph.steps.some((s) => s.kind === 'kernel' && s.kernel === 'reduce')).toBe(false);
  });

  test('batch normalization and relu are one kernel forward and back', () => {
    const gamma = withDevice('reference', () => new Variable(zeros([3])));
    const x = withDevice('reference', () => new Variable(image()));
    const graph = graphOf(() => {
      const { value, grads } = valueAndGrad(
        () => ops.sum(ops.square(ops.relu(ops.batchNorm(x.value, gamma.value, zeros([3])).y))),
        [x, gamma],
      );
      return [value, ...grads.values()];
    });
    const names = kernels(graph);
    expect(names).toContain('batchNorm+relu/3');
    expect(names).toContain('batchNormBackward/6');
  });
});

describe('elementwise', () => {
  test('a chain with scalars and a broadcast vector is one program', () => {
    const graph = graphOf(() => [
      image()
        .mul(2)
        .add(zeros([3]))
        .tanh()
        .sub(1),
    ]);
    expect(kernels(graph)).toEqual(['elementwise']);
  });

  test('a value read by another kernel in between stays where it is', () => {
    const graph = graphOf(() => {
      const a = zeros([4, 4]).add(1);
      const m = ops.matmul(a, a);
      return [a.mul(m)];
    });
    expect(kernels(graph)).toEqual(['elementwise', 'matmul/2', 'elementwise']);
  });

  test('an optimizer step is one program that writes its variables in place', async () => {
    await withDevice('reference', async () => {
      const [w, m] = [new Variable(tensor([1, 2])), new Variable(zeros([2]))];
      const step = compile((g: Tensor) => {
        m.assign(m.value.mul(0.9).add(g));
        w.assign(w.value.sub(m.value.mul(0.1)));
        return [];
      });
      step(tensor([1, 1]));
      const profile = await step.profile(tensor([1, 1]));
      expect(profile.map((p) => p.kernel)).toEqual(['elementwise']);
    });
  });
});

describe('common subexpressions and dead code', () => {
  test('equal steps are done once', () => {
    const graph = graphOf(() => {
      const x = image();
      return [ops.softmax(x), ops.sum(ops.softmax(x))];
    });
    expect(kernels(graph)).toEqual(['softmax/1', 'reduce/1']);
  });

  test('what nobody reads is not computed', () => {
    const graph = graphOf(() => [ops.batchNorm(image(), zeros([3]), zeros([3])).mean]);
    expect(kernels(graph)).toEqual(['batchNorm/3']);
    const none = graphOf(() => [image()]);
    expect(none.steps).toEqual([]);
  });
});

test('every pass can be switched off', () => {
  const make = (): Tensor[] => [
    ops
      .relu(ops.conv2d(image(), zeros([3, 3, 3, 4]), { bias: zeros([4]) }))
      .mul(2)
      .add(1),
  ];
  try {
    disablePasses(...PASS_NAMES);
    expect(kernels(graphOf(make))).toEqual(['conv2d/2', 'elementwise', 'elementwise', 'elementwise', 'elementwise']);
  } finally {
    disablePasses();
  }
  expect(kernels(graphOf(make))).toEqual(['conv2d+relu/3', 'elementwise']);
});

test('elementwise steps write over inputs that die', () => {
  const graph = graphOf(() => {
    const h = ops.softmax(image().add(1));
    return [ops.softmax(h.mul(3))];
  });
  const plan = emitPlan(graph);
  const scaled = plan.steps[2]!;
  expect(scaled.kernel).toBe('elementwise');
  expect(plan.slots[scaled.outputs[0]!]!.storage).toBe(plan.slots[scaled.inputs[0]!]!.storage);
});
