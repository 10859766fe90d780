import { describe, expect, it } from 'vitest';
import { emitPlan } from '../../lib/graph/emit.js';
import type { Graph } from '../../lib/graph/ir.js';
import { sizeOf } from '../../lib/tensor/shape.js';
import { forCases, type RandomValues } from '../support/random-values.js';
import { expectPlanned, Sketch } from './sketch.js';

describe('storage of values', () => {
  it('an update in place', () => {
    const s = new Sketch();
    const [w, g] = [s.external(), s.external()];
    expectPlanned(s.graph([], [{ target: w, value: s.op('sub', [6], w, g) }]));
    const plan = emitPlan(s.graph([], [{ target: w, value: s.steps[0]!.outputs[0]! }]));
    expect(plan.arenaBytes).toBe(0);
    expect(plan.steps.map((step) => step.kernel)).toEqual(['elementwise']);
  });

  it('an update whose old value is read later, or given back', () => {
    const s = new Sketch();
    const [w, g] = [s.external(), s.external()];
    const value = s.op('sub', [6], w, g);
    const later = s.kernel('reverse', w)[0]!;
    expectPlanned(s.graph([later, w, value], [{ target: w, value }]));
  });

  it('two variables that change places, and three in a circle', () => {
    const s = new Sketch();
    const [a, b, c] = [s.external(), s.external(), s.external()];
    expectPlanned(
      s.graph(
        [],
        [
          { target: a, value: b },
          { target: b, value: a },
        ],
      ),
    );
    expectPlanned(
      s.graph(
        [a],
        [
          { target: a, value: b },
          { target: b, value: c },
          { target: c, value: a },
        ],
      ),
    );
    expectPlanned(s.graph([b, a], [{ target: a, value: a }]));
  });

  it('two variables that change places through computed values', () => {
    const s = new Sketch();
    const [a, b] = [s.external(), s.external()];
    const [na, nb] = [s.op('neg', [6], b), s.op('neg', [6], a)];
    expectPlanned(
      s.graph(
        [],
        [
          { target: a, value: na },
          { target: b, value: nb },
        ],
      ),
    );
  });

  it('one value for two variables and twice as output', () => {
    const s = new Sketch();
    const [a, b] = [s.external(), s.external()];
    const value = s.op('add', [6], a, b);
    expectPlanned(
      s.graph(
        [value, value, a],
        [
          { target: a, value },
          { target: b, value },
        ],
      ),
    );
  });

  it('outputs that are inputs, aliases of inputs and aliases of outputs', () => {
    const s = new Sketch();
    const a = s.external();
    const view = s.alias([2, 3], a);
    const sum = s.op('add', [2, 3], view, view);
    expectPlanned(s.graph([a, view, s.alias([3, 2], sum), sum, s.alias([6], s.alias([1, 6], sum))]));
  });

  it('an update with an alias of another variable, and of itself', () => {
    const s = new Sketch();
    const [a, b] = [s.external([2, 3]), s.external([6])];
    const [va, vb] = [s.alias([6], a), s.alias([2, 3], b)];
    expectPlanned(
      s.graph(
        [va],
        [
          { target: a, value: vb },
          { target: b, value: va },
        ],
      ),
    );
    expectPlanned(s.graph([va], [{ target: b, value: s.alias([6], s.alias([1, 6], b)) }]));
  });

  it('an elementwise step does not write over an operand that it broadcasts', () => {
    const s = new Sketch();
    const [a, row] = [s.external([2, 3]), s.external([1, 3])];
    const small = s.op('neg', [1, 3], row);
    const sum = s.op('add', [2, 3], a, small);
    expectPlanned(s.graph([s.op('mul', [2, 3], sum, small)]));
  });

  it('a chain without branches uses one block', () => {
    const s = new Sketch();
    let x = s.kernel('reverse', s.external())[0]!;
    for (let i = 0; i < 5; i++) x = s.op('neg', [6], x);
    const graph = s.graph([s.kernel('reverse', x)[0]!]);
    expectPlanned(graph);
    expect(emitPlan(graph).arenaBytes).toBe(64);
  });

  it('outputs of a kernel that nobody reads have a place of their own', () => {
    const s = new Sketch();
    const a = s.external();
    const [one] = s.kernel('both', a, 2);
    expectPlanned(s.graph([one!, s.kernel('reverse', one!)[0]!]));
  });

  it('random graphs', async () => {
    await forCases('assign-storage', 600, (r) => expectPlanned(randomGraph(r)));
  });
});

/** Up to 25 steps over variables and inputs, with aliases, scalars, updates (swaps too) and outputs of all kinds. */
function randomGraph(r: RandomValues): Graph {
  const s = new Sketch();
  const shapes = [[2, 3], [6], [3, 2], [1, 6], [3], []];
  for (let i = r.integer(1, 5); i > 0; i--) s.external(r.pick(shapes));
  if (r.chance(0.3)) s.scalar(2);
  const any = (): number => r.integer(0, s.values.length - 1);
  const fitting = (shape: readonly number[]): number[] =>
    s.values.flatMap((v, id) => (broadcasts(v.shape, shape) ? [id] : []));
  for (let i = r.integer(0, 25); i > 0; i--) {
    // The last values most of the time, so that there are chains.
    const x = r.chance(0.5) ? s.values.length - 1 : any();
    const value = s.values[x]!;
    const kind = r.unit();
    if (value.kind === 'scalar') s.op('neg', [], x);
    else if (kind < 0.2 && sizeOf(value.shape) === 6) s.alias(r.pick(shapes.slice(0, 4)), x);
    else if (kind < 0.35) s.kernel('reverse', x);
    else if (kind < 0.4) s.kernel('both', x, 2);
    else if (kind < 0.55) s.op(r.pick(['neg', 'relu']), value.shape, x);
    else
      s.op(
        r.pick(['add', 'sub', 'mul']),
        value.shape,
        ...(r.chance() ? [x, r.pick(fitting(value.shape))] : [r.pick(fitting(value.shape)), x]),
      );
  }
  const updates = s.externals.flatMap((target) => {
    const { shape } = s.values[target]!;
    const alike = s.values.flatMap((v, id) => (v.shape.join() === shape.join() && v.kind !== 'scalar' ? [id] : []));
    return r.chance(0.6) ? [{ target, value: r.pick(alike) }] : [];
  });
  const outputs = Array.from({ length: r.integer(0, 4) }, any);
  return s.graph(outputs, updates);
}

function broadcasts(from: readonly number[], to: readonly number[]): boolean {
  return from.length <= to.length && from.every((d, i) => d === 1 || d === to[to.length - from.length + i]);
}
