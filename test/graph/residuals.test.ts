import { describe, expect, test } from 'vitest';
import { buildGraph } from '../../lib/graph/build.js';
import type { Graph, KernelStep, Step } from '../../lib/graph/ir.js';
import { disablePasses, optimize } from '../../lib/graph/passes/index.js';
import { compile, grad, ops, Variable, withDevice, zeros, type Tensor } from '../../lib/index.js';
import { createModel } from '../../models/index.js';
import { describeEachDevice } from '../support/each-device.js';
import { inferenceGraph } from '../support/inference-graph.js';

/** The graph of some outputs, as it is planned. */
function graphOf(make: () => Tensor[]): Graph {
  return withDevice('reference', () => {
    const { graph } = buildGraph({ outputs: make().map((t) => t.value()), updates: [] });
    return optimize(graph);
  });
}

const isResidual = (step: Step): step is KernelStep => step.kind === 'kernel' && step.attributes['residual'] === true;

const kernels = (graph: Graph): string[] =>
  graph.steps.map((s) => {
    if (s.kind !== 'kernel') return s.kind;
    return `${s.kernel}${isResidual(s) ? '+residual' : ''}${s.attributes['activation'] === 'relu' ? '+relu' : ''}`;
  });

const image = (): Tensor => zeros([2, 8, 8, 4]);
const same = (x: Tensor, filters = 4, bias?: Tensor): Tensor =>
  ops.conv2d(x, zeros([3, 3, x.shape[3]!, filters]), { padding: 'same', bias });

describe('a sum with the result of a convolution', () => {
  test.each([
    ['with a bias', zeros([4], { device: 'reference' }), 4],
    ['without', undefined, 3],
  ])('is the convolution with a residual, %s', (_, bias, inputs) => {
    for (const sum of [(x: Tensor, y: Tensor) => ops.add(x, y), (x: Tensor, y: Tensor) => ops.add(y, x)]) {
      const graph = graphOf(() => [ops.relu(sum(image(), same(image(), 4, bias)))]);
      expect(kernels(graph)).toEqual(['conv2d+residual+relu']);
      expect(graph.steps[0]!.inputs).toHaveLength(inputs);
    }
    expect(kernels(graphOf(() => [ops.add(same(image(), 4, bias), image())]))).toEqual(['conv2d+residual']);
  });

  test('of two convolutions the later one adds the result of the other', () => {
    const graph = graphOf(() => {
      const x = image();
      return [ops.relu(ops.add(same(same(x, 6), 5), ops.conv2d(x, zeros([1, 1, 4, 5]))))];
    });
    expect(kernels(graph)).toEqual(['conv2d', 'conv2d', 'conv2d+residual+relu']);
    expect(graph.steps[2]!.inputs).toContain(graph.steps[1]!.outputs[0]);
  });

  test('sums of sums: each of three convolutions but the first adds what there is', () => {
    const graph = graphOf(() => [same(image()), same(image(), 4), same(image())].slice(0, 1));
    expect(kernels(graph)).toEqual(['conv2d']);
    const three = graphOf(() => [
      ops.add(ops.add(same(image()), same(ops.softmax(image()))), same(ops.square(image()))),
    ]);
    expect(kernels(three).filter((k) => k.startsWith('conv2d'))).toEqual([
      'conv2d',
      'conv2d+residual',
      'conv2d+residual',
    ]);
  });

  test('stays where the other value does not exist yet', () => {
    const graph = graphOf(() => {
      const y = same(image());
      return [ops.add(y, ops.softmax(ops.mul(ops.mean(y, { axes: [1, 2], keepDims: true }), image().add(1))))];
    });
    expect(kernels(graph).filter((k) => k.includes('residual'))).toEqual([]);
    const twice = graphOf(() => {
      const y = same(image());
      return [ops.softmax(ops.add(y, y))];
    });
    expect(kernels(twice)).toEqual(['conv2d', 'elementwise', 'softmax']);
  });

  test.each<[string, (y: Tensor) => Tensor[]]>([
    ['somebody else reads the convolution', (y) => [ops.add(y, image()), ops.softmax(y)]],
    ['the caller wants the convolution', (y) => [ops.add(y, image()), y]],
    ['the other value is a row that is repeated', (y) => [ops.softmax(ops.add(y, zeros([8, 4])))]],
    ['ReLU comes before the sum', (y) => [ops.softmax(ops.add(ops.relu(y), image()))]],
    ['the sum is of another shape', (y) => [ops.softmax(ops.add(y, zeros([3, 2, 8, 8, 4])))]],
  ])('stays where %s', (_, make) => {
    expect(kernels(graphOf(() => make(same(image())))).filter((k) => k.includes('residual'))).toEqual([]);
  });

  test('stays in the elementwise program that alone reads it, and saves that nothing', () => {
    expect(kernels(graphOf(() => [ops.softmax(ops.sigmoid(ops.add(same(image()), image())))]))).toEqual([
      'conv2d',
      'elementwise',
      'softmax',
    ]);
    // Stored anyway, for the next block: the convolution adds.
    const graph = graphOf(() => {
      const sum = ops.add(same(image()), image());
      return [ops.softmax(ops.sigmoid(sum)), ops.softmax(sum)];
    });
    expect(kernels(graph)).toContain('conv2d+residual');
  });

  test('in training the gradient of ReLU reads what the kernel leaves', () => {
    const w = withDevice('reference', () => new Variable(zeros([3, 3, 4, 4])));
    const graph = graphOf(() => {
      const loss = (k: Tensor): Tensor =>
        ops.sum(ops.square(ops.relu(ops.add(ops.conv2d(image(), k, { padding: 'same' }), image()))));
      return [grad(loss)(w.value)];
    });
    expect(kernels(graph)).toContain('conv2d+residual+relu');
  });

  test('a float32 value that is narrowed for the sum is handed over narrow', () => {
    const graph = graphOf(() => {
      const residual = ops.cast(ops.softmax(image()), 'bfloat16');
      const x = ops.mul(ops.cast(image(), 'bfloat16'), residual); // so that it is there before the convolution
      const kernel = ops.cast(ops.softmax(zeros([3, 3, 4, 4])), 'bfloat16');
      return [ops.add(ops.conv2d(x, kernel, { padding: 'same' }), residual)];
    });
    const step = graph.steps.find(isResidual)!;
    expect(graph.values[step.inputs[1]!]!.dtype).toBe('float32');
    expect(graph.values[step.inputs[2]!]!.dtype).toBe('bfloat16');
  });
});

describe('predictions of residual networks', () => {
  test.each([
    ['resnet50_keras', 16],
    ['resnet18', 8],
    ['resnet34_book', 16],
    ['resnet50', 16],
  ])('%s: every sum is part of a convolution, and no elementwise step is left', (name, blocks) => {
    const graph = withDevice('reference', () => inferenceGraph(createModel(name), 2));
    expect(graph.steps.filter(isResidual)).toHaveLength(blocks);
    expect(graph.steps.filter((s) => s.kind === 'elementwise')).toEqual([]);
  });

  // Before the first block of a stack and the end, ResNet V2 stores no sum: it is part of the next normalization.
  test.each([
    ['resnet50v2', 12],
    ['mobilenet_v2', 10],
  ])('%s: every sum that is stored is part of a convolution', (name, blocks) => {
    const graph = withDevice('reference', () => inferenceGraph(createModel(name), 2));
    expect(graph.steps.filter(isResidual)).toHaveLength(blocks);
  });
});

describeEachDevice('a block with a projection computes the same with and without the pass', () => {
  test.each(['float32', 'bfloat16'] as const)('%s', async (dtype) => {
    const made = (shape: number[], seed: number): Tensor => ops.cast(ops.randomNormal(shape, seed), dtype);
    const [first, second, projection] = [
      new Variable(made([3, 3, 8, 8], 1)),
      new Variable(made([3, 3, 8, 16], 2)),
      new Variable(made([1, 1, 8, 16], 3)),
    ];
    const x = made([2, 9, 9, 8], 4);
    const block = (y: Tensor): Tensor => {
      const inner = ops.relu(ops.add(ops.conv2d(y, first.value, { padding: 'same' }), y));
      const a = ops.conv2d(inner, second.value, { padding: 'same', strides: 2 });
      return ops.cast(ops.relu(ops.add(a, ops.conv2d(y, projection.value, { strides: 2 }))), 'float32');
    };
    const run = async (): Promise<number[]> => {
      const f = compile(block);
      const y = Array.from(await f(x).data(), Number);
      f.dispose();
      return y;
    };
    const fused = await run();
    disablePasses('fuseEpilogues');
    try {
      const plain = await run();
      const largest = plain.reduce((m, v) => Math.max(m, v), 0);
      const off = plain.reduce((m, v, i) => Math.max(m, Math.abs(v - fused[i]!)), 0);
      expect(off / largest).toBeLessThan(dtype === 'float32' ? 1e-5 : 2e-2);
    } finally {
      disablePasses();
    }
  });
});
