import { describe, expect, it } from 'vitest';
import type { Attributes, Backend } from '../../lib/backends/backend.js';
import { backendOf } from '../../lib/backends/registry.js';
import type { DType, TypedArray } from '../../lib/tensor/dtype.js';
import { sizeOf } from '../../lib/tensor/shape.js';
import { runKernel, valueOf, type Type, type Value } from '../backends/reference/run-kernel.js';
import { largestMagnitude } from '../support/golden.js';
import { testDevices } from '../support/devices.js';
import { forCases, type RandomValues } from '../support/random-values.js';

/** The kernel that no op makes by itself: random groups of a random program, on each device against the reference. */

interface Call {
  readonly attributes: Attributes;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Type[];
  readonly shared: number;
  readonly perGroup: number;
}

// Nothing that a rounding decides, and few instructions: a chain of squares would grow beyond float32.
const FLOAT = ['add', 'sub', 'mul', 'maximum', 'neg', 'tanh', 'sqrt', 'const'] as const;
const WHOLE = ['add', 'sub', 'mul', 'maximum', 'neg', 'select', 'const'] as const;
const ARITY: Readonly<Record<string, number>> = { const: 0, neg: 1, tanh: 1, sqrt: 1, select: 3 };

function drawCall(r: RandomValues): Call {
  const whole = r.chance(0.2);
  const dtype = (): DType => (whole ? 'int32' : r.chance(0.7) ? 'float32' : 'bfloat16');
  const inputs = Array.from({ length: r.integer(0, 5) }, dtype);
  const outputs = Array.from({ length: r.integer(1, 3) }, dtype);
  const shared = r.integer(0, inputs.length);
  const opcodes: string[] = [];
  const args: number[] = [];
  const params: number[] = [];
  for (let n = r.integer(1, 5); n > 0; n--) {
    const registers = inputs.length + opcodes.length;
    const opcode = registers === 0 ? 'const' : r.pick(whole ? WHOLE : FLOAT);
    const arity = ARITY[opcode] ?? 2;
    opcodes.push(opcode);
    for (let a = 0; a < 3; a++) args.push(a < arity ? r.integer(0, registers - 1) : -1);
    params.push(r.integer(-2, 2), 0);
  }
  const results = outputs.map(() => r.integer(0, inputs.length + opcodes.length - 1));
  const value = (type: DType, shape: readonly number[]): Value =>
    valueOf(type, shape, r.floats(shape, -2, 2).map(type === 'int32' ? Math.round : Number));
  const given = inputs.slice(0, shared).map((type) => value(type, []));
  const made: Type[] = [];
  for (let groups = r.chance(0.05) ? 130 : r.integer(1, 9); groups > 0; groups--) {
    const shape = r.shape(r.integer(0, 3), r.chance(0.1) ? 0 : 1, r.chance(0.2) ? 20 : 6);
    for (const type of inputs.slice(shared)) {
      const own = r.chance(0.7) ? shape : shape.slice(r.integer(0, shape.length)).map((d) => (r.chance(0.5) ? d : 1));
      given.push(value(type, own));
    }
    for (const type of outputs) made.push({ dtype: type, shape });
  }
  const attributes = { compute: whole ? 'int32' : 'float', opcodes, args, params, results, shared };
  return { attributes, inputs: given, outputs: made, shared, perGroup: outputs.length };
}

function expectClose(received: readonly TypedArray[], expected: readonly TypedArray[], { outputs }: Call): void {
  received.forEach((y, k) => {
    const [e, { dtype }] = [expected[k]!, outputs[k]!];
    const relative = dtype === 'int32' ? 0 : dtype === 'bfloat16' ? 2 ** -7 : 1e-4;
    const allowed = relative * Math.max(1, largestMagnitude(Array.from(e).filter(Number.isFinite)));
    for (let i = 0; i < e.length; i++) {
      const [a, b] = [y[i]!, e[i]!];
      if (Object.is(a, b) || Math.abs(a - b) <= allowed) continue;
      expect.fail(`output ${k}[${i}] of ${dtype}: expected ${b}, received ${a} (allowed ${allowed})`);
    }
  });
}

/** Each group by itself, as a call of `elementwise`. */
function alone({ attributes, inputs, outputs, shared, perGroup }: Call, backend: Backend): TypedArray[] {
  const { shared: _, ...program } = attributes;
  const groups = outputs.length / perGroup;
  const own = (inputs.length - shared) / groups;
  return Array.from({ length: groups }, (_, g) => {
    const mine = inputs.slice(shared + g * own, shared + (g + 1) * own);
    const made = outputs.slice(g * perGroup, (g + 1) * perGroup);
    return runKernel('elementwise', program, [...inputs.slice(0, shared), ...mine], made, backend);
  }).flat();
}

describe.each(testDevices().filter((device) => device !== 'reference'))('elementwiseGroup on %s', (device) => {
  it('is what the reference computes', async () => {
    await forCases('elementwise-group', 200, (r) => {
      const call = drawCall(r);
      const { attributes, inputs, outputs } = call;
      const expected = runKernel('elementwiseGroup', attributes, inputs, outputs);
      expectClose(runKernel('elementwiseGroup', attributes, inputs, outputs, backendOf(device)), expected, call);
    });
  });

  it('is what elementwise makes of each group, bit for bit', async () => {
    await forCases('elementwise-group alone', 100, (r) => {
      const call = drawCall(r);
      const together = runKernel('elementwiseGroup', call.attributes, call.inputs, call.outputs, backendOf(device));
      expect(together).toEqual(alone(call, backendOf(device)));
    });
  });

  it('writes over inputs of the same group only', () => {
    const backend = backendOf(device);
    const attributes: Attributes = {
      compute: 'float',
      opcodes: ['mul', 'sub'],
      args: [0, 2, -1, 1, 3, -1],
      params: [0, 0, 0, 0],
      results: [4],
      shared: 1,
    };
    const data = [[2], [10, 20, 30], [1, 2, 3], [40, 50, 60], [4, 5, 6]];
    /** The rate, w and gradient of one variable and of another; w -= rate * gradient, stored to these operands. */
    const prepare = (outputs: readonly number[]) =>
      backend.preparePlan({
        storages: data.map((_, index) => ({ kind: 'external' as const, index })),
        slots: data.map((x, storage) => ({ storage, dtype: 'float32' as const, shape: [x.length] })),
        steps: [{ kernel: 'elementwiseGroup', attributes, inputs: [0, 1, 2, 3, 4], outputs, op: 'update', layer: '' }],
        arenaBytes: 0,
        externals: data.map((x) => ({ dtype: 'float32' as const, size: x.length })),
      });
    for (const outputs of [
      [1, 3],
      [2, 3],
    ]) {
      const plan = prepare(outputs);
      const buffers = data.map((x) => backend.createBuffer('float32', x.length, Float32Array.from(x)));
      plan.runSync(buffers);
      expect(outputs.map((i) => [...buffers[i]!.readSync()])).toEqual([
        [8, 16, 24],
        [32, 40, 48],
      ]);
      plan.dispose();
      for (const buffer of buffers) buffer.dispose();
    }
    expect(() => prepare([3, 1])).toThrow(
      /update: .*output 0 overlaps input 3; in place expects .* no other group reads/,
    );
    expect(() => prepare([1, 2])).toThrow(/output 1 overlaps input 2; in place expects .* no other group reads/);
  });

  it('shares long groups and many short ones among the threads', () => {
    const sizes = [1, 200_003, 64, 0, 5000, 1, 77_777, ...new Array<number>(200).fill(33)];
    const attributes: Attributes = {
      compute: 'float',
      opcodes: ['mul', 'sub', 'tanh'],
      args: [0, 2, -1, 1, 3, -1, 4, -1, -1],
      params: [0, 0, 0, 0, 0, 0],
      results: [4, 5],
      shared: 1,
    };
    const ramp = (size: number, by: number): Value =>
      valueOf(
        'float32',
        [size],
        Array.from({ length: size }, (_, i) => Math.sin(by * i)),
      );
    const call: Call = {
      attributes,
      inputs: [valueOf('float32', [], [0.1]), ...sizes.flatMap((n) => [ramp(n, 0.3), ramp(n, 0.7)])],
      outputs: sizes.flatMap((n) => [
        { dtype: 'float32' as const, shape: [n] },
        { dtype: 'float32' as const, shape: [n] },
      ]),
      shared: 1,
      perGroup: 2,
    };
    const backend = backendOf(device);
    const results = runKernel('elementwiseGroup', attributes, call.inputs, call.outputs, backend);
    expect(results.map((y) => y.length)).toEqual(call.outputs.map((o) => sizeOf(o.shape)));
    const bytes = (list: readonly TypedArray[]): Buffer => Buffer.concat(list.map((y) => new Uint8Array(y.buffer)));
    expect(bytes(results).equals(bytes(alone(call, backend)))).toBe(true);
  });
});
