import { expect } from 'vitest';
import { emitPlan } from '../../lib/graph/emit.js';
import type { Graph, IrValue, Step, Update } from '../../lib/graph/ir.js';
import { optimize } from '../../lib/graph/passes/index.js';
import type { DType } from '../../lib/tensor/dtype.js';
import { sizeOf } from '../../lib/tensor/shape.js';
import { evaluateNaively, interpretPlan } from './plan-interpreter.js';

/** Builds graphs in a few words. */
export class Sketch {
  readonly values: IrValue[] = [];
  readonly steps: Step[] = [];
  readonly externals: number[] = [];

  external(shape: readonly number[] = [6], dtype: DType = 'float64'): number {
    this.externals.push(this.#value({ shape, dtype, kind: 'external' }));
    return this.externals.at(-1)!;
  }

  scalar(scalar: number): number {
    return this.#value({ shape: [], dtype: 'float64', kind: 'scalar', scalar });
  }

  op(opcode: string, shape: readonly number[], ...inputs: number[]): number {
    const out = this.#value({ shape, dtype: 'float64', kind: 'computed' });
    const instructions = [{ opcode, args: inputs.map((_, i) => i), params: [0, 0] }];
    const program = { compute: 'float' as const, instructions, results: [inputs.length] };
    this.steps.push({ kind: 'elementwise', inputs, outputs: [out], op: opcode, layer: '', program });
    return out;
  }

  kernel(kernel: string, x: number, count = 1): number[] {
    const { shape, dtype } = this.values[x]!;
    const outputs = Array.from({ length: count }, () => this.#value({ shape, dtype, kind: 'computed' }));
    this.steps.push({ kind: 'kernel', kernel, attributes: {}, inputs: [x], outputs, op: kernel, layer: '' });
    return outputs;
  }

  alias(shape: readonly number[], x: number): number {
    const out = this.#value({ shape, dtype: 'float64', kind: 'computed' });
    this.steps.push({ kind: 'alias', inputs: [x], outputs: [out], op: 'reshape', layer: '' });
    return out;
  }

  graph(outputs: readonly number[], updates: readonly Update[] = []): Graph {
    return { values: this.values, steps: this.steps, externals: this.externals, outputs, updates };
  }

  #value(value: IrValue): number {
    return this.values.push(value) - 1;
  }
}

/** Runs a graph's plan, optimized and not, and expects what the graph means. */
export function expectPlanned(graph: Graph): void {
  const externals = graph.externals.map((id, k) =>
    Array.from({ length: sizeOf(graph.values[id]!.shape) }, (_, i) => 10 * (k + 1) + i),
  );
  const expected = evaluateNaively(graph, externals);
  for (const [how, g] of [
    ['optimized', optimize(graph)],
    ['as it is', withoutScalars(graph)],
  ] as const) {
    if (!g) continue;
    const buffers = externals.map((x) => Float64Array.from(x));
    const outputs = graph.outputs.map((id) => new Float64Array(sizeOf(graph.values[id]!.shape)).fill(Number.NaN));
    interpretPlan(emitPlan(g), [...buffers, ...outputs]);
    expect(
      outputs.map((o) => Array.from(o)),
      `outputs, ${how}`,
    ).toEqual(expected.outputs);
    expect(
      buffers.map((b) => Array.from(b)),
      `variables, ${how}`,
    ).toEqual(expected.after);
  }
}

/** Plans hold no scalars before `inlineScalars` has run. */
function withoutScalars(graph: Graph): Graph | undefined {
  return graph.values.some((v) => v.kind === 'scalar') ? undefined : graph;
}
