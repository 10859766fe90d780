import { afterEach, describe, expect, it, vi } from 'vitest';
import { backendOf } from '../../lib/backends/registry.js';
import type { PlanDescription } from '../../lib/backends/backend.js';
import { emitPlan } from '../../lib/graph/emit.js';
import { rootsOf, type ElementwiseGroupStep, type Graph, type Step } from '../../lib/graph/ir.js';
import { groupUpdates } from '../../lib/graph/passes/group-updates.js';
import { disablePasses, optimize } from '../../lib/graph/passes/index.js';
import { layers, Model, optimizers, withDevice, type SymbolicTensor } from '../../lib/index.js';
import { sizeOf } from '../../lib/tensor/shape.js';
import { BLOCKS, residualBlock } from '../../models/resnet.js';
import { conv, norm, relu } from '../../models/torch-blocks.js';
import { forCases, type RandomValues } from '../support/random-values.js';
import { groupsOf } from './plan-interpreter.js';
import { expectPlanned, Sketch } from './sketch.js';

afterEach(() => disablePasses());

const MEBI = 1 << 20;
const isGroup = (step: Step): step is ElementwiseGroupStep => step.kind === 'elementwiseGroup';
const kinds = (graph: Graph): string[] =>
  graph.steps.map((s) => (s.kind === 'kernel' ? s.kernel : isGroup(s) ? `group of ${countOf(s)}` : s.op));
const countOf = (step: ElementwiseGroupStep): number => step.outputs.length / step.program.results.length;

/** w = w - rate * gradient for variables of these shapes; each gradient is made by a kernel, one after the other. */
function training(shapes: readonly (readonly number[])[]): { graph: Graph; rate: number } {
  const s = new Sketch();
  const rate = s.external([]);
  const updates = shapes.map((shape) => {
    const [w, x] = [s.external(shape), s.external(shape)];
    const gradient = s.kernel('reverse', x)[0]!;
    const value = s.op('sub', shape, w, s.op('mul', shape, rate, gradient));
    return { target: w, value };
  });
  return { rate, graph: s.graph([], updates) };
}

describe('updates with the same program', () => {
  it('are one step where the last of them was, in place and without copies', () => {
    const { graph, rate } = training([[6], [2, 3], [1], []]);
    expectPlanned(graph);
    const grouped = optimize(graph);
    expect(kinds(grouped)).toEqual(['reverse', 'reverse', 'reverse', 'reverse', 'group of 4']);
    const step = grouped.steps.at(-1) as ElementwiseGroupStep;
    expect(step).toMatchObject({ shared: 1, op: 'sub', layer: '' });
    expect(step.inputs[0]).toBe(rate);
    const plan = emitPlan(grouped);
    expect(plan.steps.map((p) => p.kernel)).toEqual([...new Array<string>(4).fill('reverse'), 'elementwiseGroup']);
    const storageOf = (slot: number): number => plan.slots[slot]!.storage;
    const { inputs, outputs } = plan.steps.at(-1)!;
    groupsOf(inputs, outputs, 1, 1).forEach((g) => expect(g.inputs.map(storageOf)).toContain(storageOf(g.outputs[0]!)));
  });

  it('are left alone when the pass is off, and alone when others differ', () => {
    const { graph } = training([[6], [6]]);
    disablePasses('groupUpdates');
    expect(kinds(optimize(graph))).toEqual(['reverse', 'sub', 'reverse', 'sub']);
    disablePasses();
    const s = new Sketch();
    const [a, b, c] = [s.external(), s.external(), s.external([6], 'float32')];
    const updates = [
      { target: a, value: s.op('neg', [6], a) },
      { target: b, value: s.op('relu', [6], b) },
      { target: c, value: s.op('neg', [6], c) },
    ];
    expect(kinds(optimize(s.graph([], updates)))).toEqual(['neg', 'relu', 'neg']);
  });

  it('wait for each other only as long as their gradients are small together', () => {
    const small = [MEBI / 8 / 4]; // a quarter of a mebibyte of float64
    const shapes = new Array<number[]>(40).fill(small);
    const names = kinds(optimize(training(shapes).graph));
    // Sixteen are the limit; the one that goes beyond it takes all with it.
    expect(names.filter((n) => n.startsWith('group'))).toEqual(['group of 17', 'group of 17', 'group of 6']);
    const large = [MEBI]; // eight mebibytes: long enough alone
    expect(kinds(optimize(training([large, large, small, large]).graph))).toEqual([
      'reverse',
      'sub',
      'reverse',
      'sub',
      'reverse',
      'sub',
      'reverse',
      'sub',
    ]);
  });

  it('never have more than the limit waiting while another step runs', () => {
    const { graph } = training(Array.from({ length: 30 }, (_, i) => [((i * 7) % 11) * 40_000 + 1]));
    const { steps } = optimize(graph);
    const made = new Map<number, number>();
    steps.forEach((step, i) => step.outputs.forEach((o) => made.set(o, i)));
    const most = steps.map((step, i) => {
      if (step.kind !== 'kernel') return 0;
      const waiting = new Set(
        steps.slice(i).flatMap((s) => s.inputs.filter((id) => made.has(id) && made.get(id)! < i)),
      );
      return [...waiting].reduce((sum, id) => sum + 8 * sizeOf(graph.values[id]!.shape), 0);
    });
    expect(Math.max(...most)).toBeLessThanOrEqual(4 * MEBI);
    expect(Math.max(...most)).toBeGreaterThan(2 * MEBI);
    expect(steps.filter(isGroup).length).toBeGreaterThan(5);
  });

  it('wait for as long as they like where nothing else runs', () => {
    const s = new Sketch();
    const updates = Array.from({ length: 12 }, () => {
      const [w, g] = [s.external([MEBI]), s.external([MEBI])];
      return { target: w, value: s.op('sub', [MEBI], w, g) };
    });
    expect(kinds(optimize(s.graph([], updates)))).toEqual(['group of 12']);
  });

  it('stay behind what can fail', () => {
    // As they come, without the passes that put them behind it all: none passes a step that can fail.
    const s = new Sketch();
    const variables = [s.external(), s.external(), s.external()];
    const updates = variables.map((target) => {
      const value = s.op('neg', [6], target);
      s.kernel('scatterAdd', s.external());
      return { target, value };
    });
    expect(kinds(groupUpdates(s.graph([], updates)))).toEqual([
      'neg',
      'scatterAdd',
      'neg',
      'scatterAdd',
      'neg',
      'scatterAdd',
    ]);
  });

  it('that go on from others are steps behind them, not one by one', () => {
    // Each gradient is scaled by a number of its own, as clipping by each norm does.
    const s = new Sketch();
    const updates = [[6], [2, 3], [3]].map((shape) => {
      const [w, x, norm] = [s.external(shape), s.external(shape), s.external([])];
      const scale = s.op('neg', [], s.kernel('reverse', norm)[0]!);
      const gradient = s.kernel('reverse', x)[0]!;
      return { target: w, value: s.op('sub', shape, w, s.op('mul', shape, gradient, scale)) };
    });
    const graph = s.graph([], updates);
    expectPlanned(graph);
    expect(kinds(optimize(graph)).filter((n) => n !== 'reverse')).toEqual(['group of 3', 'group of 3']);
  });

  it('that read what others write are no company for them', () => {
    const s = new Sketch();
    const [a, b, c] = [s.external(), s.external(), s.external()];
    // a takes -b and b takes -a; c has nothing to do with them.
    const updates = [
      { target: a, value: s.op('neg', [6], b) },
      { target: b, value: s.op('neg', [6], a) },
      { target: c, value: s.op('neg', [6], c) },
    ];
    const graph = s.graph([], updates);
    expectPlanned(graph);
    const groups = optimize(graph).steps.filter(isGroup);
    expect(groups.map(countOf)).toEqual([2]);
    expect(groups[0]!.inputs).toContain(c);
  });

  it('have the path that all are under as their layer, or how many layers there are', () => {
    const layerOf = (...layers: string[]): string => {
      const { graph } = training(layers.map(() => [3]));
      let next = 0;
      const named = graph.steps.map((step) => (step.op === 'sub' ? { ...step, layer: layers[next++]! } : step));
      return optimize({ ...graph, steps: named }).steps.find(isGroup)!.layer;
    };
    expect(layerOf('net/a/bn', 'net/a/conv')).toBe('net/a');
    expect(layerOf('net/bn', 'net/bn')).toBe('net/bn');
    expect(layerOf('bn1', 'bn2', 'bn2')).toBe('2 layers');
    expect(layerOf('', '')).toBe('');
  });

  it('random graphs keep their meaning, and the rules', async () => {
    let groups = 0;
    await forCases('group-updates', 400, (r) => {
      const graph = randomTraining(r);
      expectPlanned(graph);
      const optimized = optimize(graph);
      groups += optimized.steps.filter(isGroup).length;
      checkRules(optimized);
    });
    expect(groups).toBeGreaterThan(300);
  });
});

/** Many variables with updates of few kinds, some of which read each other's variables or what another update made. */
function randomTraining(r: RandomValues): Graph {
  const s = new Sketch();
  const rate = s.external([]);
  const shapes = [[6], [2, 3], [3], [1], []];
  const variables = Array.from({ length: r.integer(2, 10) }, () => s.external(r.pick(shapes)));
  const alike = (shape: readonly number[], list: readonly number[]): number[] =>
    list.filter((id) => s.values[id]!.shape.join() === shape.join());
  const made: number[] = [];
  const outputs: number[] = [];
  const updates = variables.map((target) => {
    const { shape } = s.values[target]!;
    const source = r.chance(0.2) ? r.pick(alike(shape, variables)) : target;
    const gradient = r.chance(0.9) ? s.kernel('reverse', r.pick(alike(shape, variables)))[0]! : target;
    const step = r.chance(0.8) ? s.op('mul', shape, rate, gradient) : s.op('neg', shape, gradient);
    const before = alike(shape, made);
    const from = before.length > 0 && r.chance(0.2) ? r.pick(before) : source;
    const value = s.op(r.chance(0.8) ? 'sub' : 'add', shape, from, step);
    made.push(value);
    if (r.chance(0.1)) outputs.push(value);
    if (r.chance(0.2)) outputs.push(s.kernel('reverse', r.pick(variables))[0]!);
    return { target, value };
  });
  return s.graph(outputs, updates);
}

/** Of a graph whose updates were grouped: no group reads what another one of the step writes or makes. */
function checkRules(graph: Graph): void {
  const root = rootsOf(graph);
  const targets = new Map(graph.updates.map((u) => [root[u.value]!, u.target]));
  for (const step of graph.steps) {
    if (!isGroup(step)) continue;
    const groups = groupsOf(step.inputs, step.outputs, step.program.results.length, step.shared);
    for (const group of groups) {
      const touched = group.outputs.flatMap((o) => [o, targets.get(root[o]!) ?? o]);
      for (const other of groups) {
        if (other !== group) expect(other.inputs.filter((i) => touched.includes(root[i]!))).toEqual([]);
      }
    }
  }
}

describe('a training step of a residual network', { timeout: 60_000 }, () => {
  /** ResNet-18, with an eighth of the filters. */
  function network(): Model {
    const input = layers.input({ shape: [16, 16, 3] });
    let x: SymbolicTensor = relu(norm(conv(input, 'conv1', 8, 3), 'bn1'), 'relu');
    [8, 16, 32, 64].forEach((filters, stage) => {
      for (const block of [0, 1]) {
        const strides = stage > 0 && block === 0 ? 2 : 1;
        x = residualBlock(x, `layer${stage + 1}.${block}`, filters, strides, BLOCKS.basic);
      }
    });
    const pooled = layers.globalAveragePooling2d().apply(x);
    return new Model({ inputs: input, outputs: layers.dense({ units: 10 }).apply(pooled) });
  }

  function planned(): PlanDescription {
    return withDevice('reference', () => {
      const plans = vi.spyOn(backendOf('reference'), 'preparePlan');
      try {
        const model = network();
        model.compile({ optimizer: optimizers.adam(), loss: 'sparseCategoricalCrossentropy' });
        model.memoryReport({ batchSize: 4, training: true, printFn: () => undefined });
        return plans.mock.calls.map(([plan]) => plan).reduce((a, b) => (b.steps.length > a.steps.length ? b : a));
      } finally {
        plans.mockRestore();
      }
    });
  }

  /** Steps that write variables: nothing but updates writes externals that are read too. */
  const updatesOf = (plan: PlanDescription): string[] => {
    const externals = (slots: readonly number[]): number[] =>
      slots.flatMap((i) => {
        const storage = plan.storages[plan.slots[i]!.storage]!;
        return storage.kind === 'external' ? [storage.index] : [];
      });
    const read = new Set(plan.steps.flatMap((step) => externals(step.inputs)));
    return plan.steps.filter((step) => externals(step.outputs).some((e) => read.has(e))).map((step) => step.kernel);
  };

  it('has few update launches, and no more memory than a bucket on top', () => {
    disablePasses('groupUpdates');
    const before = planned();
    disablePasses();
    const after = planned();
    // 20 kernels, 20 normalizations with two parameters and two moving averages each, a dense layer, the mean loss.
    expect(updatesOf(before)).toEqual(new Array<string>(20 + 4 * 20 + 2 + 1).fill('elementwise'));
    // The moving averages, the trained variables, and the mean loss.
    expect(updatesOf(after).sort()).toEqual(['elementwise', 'elementwiseGroup', 'elementwiseGroup']);
    expect(after.steps.length).toBe(before.steps.length - 100);
    expect(after.arenaBytes).toBeLessThanOrEqual(before.arenaBytes + 4 * MEBI);
  });
});
