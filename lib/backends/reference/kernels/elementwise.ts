import { broadcastShapes, formatShape, sameShape, sizeOf } from '../../../tensor/shape.js';
import type { Shape } from '../../../tensor/shape.js';
import { storeAs, toInt32 } from '../convert.js';
import { describeType } from './kernel.js';
import type { KernelCall, ReferenceKernel, TensorType } from './kernel.js';
import { FLOAT_OPERATIONS, INT32_OPERATIONS } from './opcodes.js';
import type { Operation } from './opcodes.js';
import { forEachIndex, broadcastStrides } from './strides.js';

/** Elements are computed in blocks: a program runs over a block, instruction by instruction. */
const BLOCK = 1024;

interface Instruction {
  readonly operation: Operation;
  readonly params: readonly [number, number];
  readonly args: readonly number[];
}

/** Reads the program and verifies that every register is written before it is read. */
function readProgram(call: KernelCall, compute: 'float' | 'int32'): Instruction[] {
  const opcodes = call.strings('opcodes');
  const args = call.numbers('args');
  const params = call.numbers('params');
  if (args.length !== 3 * opcodes.length) throw call.invalid(`args of ${3 * opcodes.length} numbers`, `${args.length}`);
  if (params.length !== 2 * opcodes.length) {
    throw call.invalid(`params of ${2 * opcodes.length} numbers`, `${params.length}`);
  }
  const table = compute === 'float' ? FLOAT_OPERATIONS : INT32_OPERATIONS;
  return opcodes.map((opcode, i) => {
    const operation = Object.hasOwn(table, opcode) ? table[opcode] : undefined;
    if (operation === undefined) throw call.invalid(`an opcode of compute ${compute}`, opcode);
    const all = args.slice(3 * i, 3 * i + 3);
    const used = all.slice(0, operation.arity);
    const registers = call.inputs.length + i;
    if (!used.every((r) => isRegister(r, registers)) || !all.slice(operation.arity).every((r) => r === -1)) {
      throw call.invalid(
        `${operation.arity} registers below ${registers} for ${opcode} (instruction ${i}), then -1`,
        JSON.stringify(all),
      );
    }
    return { operation, params: [params[2 * i]!, params[2 * i + 1]!], args: used };
  });
}

function isRegister(value: number, count: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < count;
}

/** A straight-line program over broadcast inputs. */
export const elementwise: ReferenceKernel = {
  inPlace: () => true,
  prepare(call) {
    call.count([0, Infinity], [1, Infinity]);
    const compute = call.word('compute', 'float', 'int32');
    const { shape } = call.output(0);
    for (const output of call.outputs) call.shape('every output', output, shape);
    for (const input of call.inputs) checkBroadcast(call, input, shape);
    const program = readProgram(call, compute);
    const registers = call.inputs.length + program.length;
    const results = call.numbers('results');
    if (results.length !== call.outputs.length || !results.every((r) => isRegister(r, registers))) {
      throw call.invalid(`results of ${call.outputs.length} registers below ${registers}`, JSON.stringify(results));
    }

    const size = sizeOf(shape);
    const gathers = call.inputs.map((input) => gatherOf(input, shape));
    const blocks = Array.from({ length: registers }, () => new Float64Array(Math.min(BLOCK, size)));
    const run = program.map((instruction, i) => runner(instruction, blocks, blocks[call.inputs.length + i]!));
    return (inputs, outputs) => {
      for (let start = 0; start < size; start += BLOCK) {
        const count = Math.min(BLOCK, size - start);
        gathers.forEach((gather, k) => {
          gather(inputs[k]!, start, count, blocks[k]!);
          if (compute === 'int32') for (let e = 0; e < count; e++) blocks[k]![e] = toInt32(blocks[k]![e]!);
        });
        for (const instruction of run) instruction(count);
        results.forEach((register, j) => {
          const { dtype } = call.output(j);
          for (let e = 0; e < count; e++) outputs[j]![start + e] = storeAs(dtype, blocks[register]![e]!);
        });
      }
    };
  },
};

function checkBroadcast(call: KernelCall, input: TensorType, shape: Shape): void {
  const together = broadcastShapes(input.shape, shape);
  if (together === undefined || !sameShape(together, shape)) {
    throw call.invalid(`inputs that broadcast to ${formatShape(shape)}`, describeType(input));
  }
}

/** How a block of an input, broadcast to `shape`, is brought into its register. */
type Gather = (from: Float64Array, start: number, count: number, into: Float64Array) => void;

function gatherOf(input: TensorType, shape: Shape): Gather {
  if (sizeOf(input.shape) === sizeOf(shape)) {
    return (from, start, count, into) => into.set(from.subarray(start, start + count));
  }
  if (sizeOf(input.shape) === 1) return (from, _start, count, into) => into.fill(from[0]!, 0, count);
  const strides = broadcastStrides(input.shape, shape);
  return (from, start, count, into) => {
    forEachIndex(shape, strides, (i, offset) => (into[i - start] = from[offset]!), start, start + count);
  };
}

/** One instruction over the first `count` elements of its registers. */
function runner(
  { operation, params, args }: Instruction,
  blocks: readonly Float64Array[],
  out: Float64Array,
): (count: number) => void {
  const [a, b, c] = args.map((register) => blocks[register]!);
  switch (operation.arity) {
    case 0: {
      const f = operation.make(params);
      return (count) => out.fill(f(), 0, count);
    }
    case 1: {
      const f = operation.make(params);
      return (count) => {
        for (let e = 0; e < count; e++) out[e] = f(a![e]!);
      };
    }
    case 2: {
      const f = operation.make(params);
      return (count) => {
        for (let e = 0; e < count; e++) out[e] = f(a![e]!, b![e]!);
      };
    }
    case 3: {
      const f = operation.make(params);
      return (count) => {
        for (let e = 0; e < count; e++) out[e] = f(a![e]!, b![e]!, c![e]!);
      };
    }
  }
}
