import { elementwise } from './elementwise.js';
import { KernelCall, describeType } from './kernel.js';
import type { ReferenceKernel, TensorType } from './kernel.js';

/** How the operands of a call are divided into groups. */
interface GroupLayout {
  readonly groups: number;
  /** Inputs of all groups. */
  readonly shared: number;
  /** Inputs and outputs of one group alone. */
  readonly inputs: number;
  readonly outputs: number;
}

function layoutOf(call: KernelCall): GroupLayout {
  const { length: total } = call.inputs;
  const shared = call.integer('shared', 0, total);
  const outputs = call.numbers('results').length;
  const groups = call.outputs.length / outputs;
  if (!Number.isInteger(groups) || groups < 1) {
    throw call.invalid('as many outputs as results for each group', `${call.outputs.length} and ${outputs} results`);
  }
  const inputs = (total - shared) / groups;
  if (!Number.isInteger(inputs)) {
    throw call.invalid(`as many inputs for each of ${groups} groups`, `${total - shared}, and ${shared} shared`);
  }
  return { groups, shared, inputs, outputs };
}

/** The part of a list of operands that one group has. */
function partOf<T>(list: readonly T[], first: number, length: number, group: number): readonly T[] {
  return list.slice(first + group * length, first + (group + 1) * length);
}

/** One program over several groups of operands: for each group what `elementwise` does. */
export const elementwiseGroup: ReferenceKernel = {
  inPlace(call, output, input) {
    const { shared, inputs, outputs } = layoutOf(call);
    return input >= shared && Math.floor((input - shared) / inputs) === Math.floor(output / outputs);
  },
  prepare(call) {
    call.count([0, Infinity], [1, Infinity]);
    const { groups, shared, inputs, outputs } = layoutOf(call);
    const inputsOf = <T>(list: readonly T[], group: number): readonly T[] => [
      ...list.slice(0, shared),
      ...partOf(list, shared, inputs, group),
    ];
    const calls = Array.from(
      { length: groups },
      (_, g) => new KernelCall(call, inputsOf(call.inputs, g), partOf(call.outputs, 0, outputs, g)),
    );
    for (const { inputs: own, outputs: made } of calls) {
      checkTypes(call, own, calls[0]!.inputs);
      checkTypes(call, made, calls[0]!.outputs);
    }
    const kernels = calls.map((each) => elementwise.prepare(each));
    return (from, to) => {
      kernels.forEach((kernel, g) => kernel(inputsOf(from, g), partOf(to, 0, outputs, g)));
    };
  },
};

function checkTypes(call: KernelCall, operands: readonly TensorType[], first: readonly TensorType[]): void {
  operands.forEach((operand, i) => {
    const { dtype } = first[i]!;
    if (operand.dtype !== dtype) {
      throw call.invalid(`the ${dtype} of the first group in all groups`, describeType(operand));
    }
  });
}
