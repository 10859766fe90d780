import { isFloat } from '../../tensor/dtype.js';
import type { ElementwiseStep, Graph, Instruction, IrValue, Step } from '../ir.js';

/**
 * Numbers known at trace time become `const` instructions of the programs that use them, and constant buffers (a
 * program without inputs) for other kernels.
 */
export function inlineScalars(graph: Graph): Graph {
  const isScalar = (id: number): boolean => graph.values[id]!.kind === 'scalar';
  const values: IrValue[] = [...graph.values];
  const steps: Step[] = [];
  const buffers = new Map<number, number>();

  /** The computed value that holds scalar `id`, made at its first use. */
  const materialize = (id: number, layer: string): number => {
    let made = buffers.get(id);
    if (made === undefined) {
      const { shape, dtype, scalar } = graph.values[id]!;
      values.push({ shape, dtype, kind: 'computed' });
      made = values.length - 1;
      buffers.set(id, made);
      const compute = isFloat(dtype) ? 'float' : 'int32';
      const instructions = [{ opcode: 'const', args: [], params: [scalar!, 0] }];
      steps.push({
        kind: 'elementwise',
        inputs: [],
        outputs: [made],
        op: 'scalar',
        layer,
        program: { compute, instructions, results: [0] },
      });
    }
    return made;
  };
  for (const step of graph.steps) {
    if (!step.inputs.some(isScalar)) steps.push(step);
    else if (step.kind === 'elementwise') steps.push(inlineInto(step, graph.values));
    else steps.push({ ...step, inputs: step.inputs.map((i) => (isScalar(i) ? materialize(i, step.layer) : i)) });
  }
  const fix = (id: number): number => (isScalar(id) ? materialize(id, '') : id);
  const outputs = graph.outputs.map(fix);
  const updates = graph.updates.map((u) => ({ target: u.target, value: fix(u.value) }));
  return { ...graph, values, steps, outputs, updates };
}

function inlineInto(step: ElementwiseStep, values: readonly IrValue[]): ElementwiseStep {
  const inputs: number[] = [];
  const constants: Instruction[] = [];
  const register: number[] = [];
  const scalars = step.inputs.filter((id) => values[id]!.kind === 'scalar').length;
  const kept = step.inputs.length - scalars;
  for (const id of step.inputs) {
    const value = values[id]!;
    if (value.kind === 'scalar') {
      register.push(kept + constants.length);
      constants.push({ opcode: 'const', args: [], params: [value.scalar!, 0] });
    } else {
      register.push(inputs.length);
      inputs.push(id);
    }
  }
  // The count of registers before the first instruction's result stays the same: inputs became constants one for one.
  const move = (r: number): number => (r < step.inputs.length ? register[r]! : r);
  const instructions = step.program.instructions.map((i) => ({ ...i, args: i.args.map(move) }));
  return {
    ...step,
    inputs,
    program: {
      ...step.program,
      instructions: [...constants, ...instructions],
      results: step.program.results.map(move),
    },
  };
}
