import { backendOf, currentDevice } from '../backends/registry.js';
import type { DeviceBuffer, ExecutablePlan, StepProfile } from '../backends/backend.js';
import { FoveaError, mismatch } from '../errors.js';
import { fromStorage } from '../tensor/create.js';
import type { DType } from '../tensor/dtype.js';
import { formatShape, sizeOf } from '../tensor/shape.js';
import { Storage } from '../tensor/storage.js';
import { Tensor, tensorOf } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { buildGraph } from './build.js';
import { evaluateValues } from './evaluate.js';
import { specOf, type GraphNode, type Value } from './node.js';
import { disabledPasses } from './passes/index.js';
import { cloneBuffer, makeSplitPlan } from './plan-cache.js';
import type { PlanMemory } from './plan-memory.js';
import { noteWrite, Prepared } from './prepared.js';
import { currentTrace, Trace, withTrace } from './trace.js';
import { flattenTree } from './tree.js';

export interface CompileOptions {
  /** Appears in errors; the function's own name by default. */
  name?: string;
  /** The most traces kept; more than that many argument shapes is most often a mistake. */
  maxTraces?: number;
}

/** Why and how often a compiled function was traced. */
export interface CompileStatistics {
  readonly traces: number;
  readonly runs: number;
  /** One line a trace: the argument shapes that made it necessary. */
  readonly reasons: readonly string[];
}

/** A function whose calls run a plan. */
export interface CompiledFunction<A extends readonly unknown[], R> {
  (...args: A): R;
  readonly statistics: CompileStatistics;
  /** Runs once with a clock around every kernel. */
  profile(...args: A): Promise<StepProfile[]>;
  /** What the plan for arguments of these shapes takes; computes nothing. */
  memory(...args: A): PlanMemory;
  /** Frees the plans. */
  dispose(): void;
}

/** One traced call, ready to run again. */
interface Traced {
  readonly plan: ExecutablePlan;
  readonly flops: readonly number[];
  readonly memory: PlanMemory;
  /** What the plan takes ready-made, if anything. */
  readonly prepared: Prepared | undefined;
  readonly device: string;
  readonly trace: Trace;
  /** The variables the plan reads or writes, in the order of their buffers. */
  readonly variables: readonly { readonly variable: Variable; readonly written: boolean }[];
  readonly constants: readonly Value[];
  readonly hostBuffers: { buffer: DeviceBuffer; value: number | Float32Array }[];
  readonly outputs: readonly { readonly shape: readonly number[]; readonly dtype: DType }[];
  /** Puts output tensors back into the structure the function returned. */
  readonly rebuild: (tensors: readonly Tensor[]) => unknown;
}

/**
 * Makes a function that is traced once for each combination of argument shapes and types, and afterwards costs one
 * native call. Arguments and results are tensors, or arrays and records of them; plain numbers in the arguments are
 * inputs too (float32), so changing them traces nothing anew; other values are part of the trace's signature.
 *
 * The function may read and assign variables, draw random numbers and close over tensors (constants of the trace). It
 * must not wait for or read values. Calls return at once with tensors that are being computed; an error of the
 * computation is thrown by whoever reads them.
 *
 * @example
 * const step = compile((x: Tensor, y: Tensor) => {
 *   const { value, grads } = valueAndGrad(() => loss(model.apply(x), y));
 *   optimizer.apply(grads);
 *   return value;
 * });
 */
export function compile<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  options: CompileOptions = {},
): CompiledFunction<A, R> {
  const name = options.name ?? (fn.name || 'anonymous');
  const maxTraces = options.maxTraces ?? 64;
  const traces = new Map<string, Traced>();
  const reasons: string[] = [];
  let runs = 0;

  const tracedFor = (args: A): { traced: Traced; leaves: readonly unknown[] } => {
    const { leaves, key } = flattenTree(args);
    const device = deviceOf(name, leaves);
    const signature = `${device}|${disabledPasses()}|${key}`;
    let traced = traces.get(signature);
    if (!traced) {
      if (traces.size >= maxTraces) dropOldest(traces);
      traced = traceCall(name, device, fn, args);
      traces.set(signature, traced);
      reasons.push(key);
    }
    return { traced, leaves };
  };
  const prepare = (args: A): { traced: Traced; buffers: DeviceBuffer[]; temporary: DeviceBuffer[] } => {
    const { traced, leaves } = tracedFor(args);
    return { traced, ...collectBuffers(traced, leaves) };
  };

  const call = (...args: A): R => {
    if (currentTrace()) return fn(...args);
    const { traced, buffers, temporary } = prepare(args);
    runs++;
    return launch(traced, buffers, temporary) as R;
  };
  return Object.defineProperties(call, {
    name: { value: name },
    statistics: { get: (): CompileStatistics => ({ traces: reasons.length, runs, reasons: [...reasons] }) },
    profile: {
      value: async (...args: A): Promise<StepProfile[]> => {
        const { traced, buffers, temporary } = prepare(args);
        const outputs = makeOutputs(traced);
        try {
          const steps = await traced.plan.profile([...buffers, ...outputs]);
          return steps.map((step, i) => ({ ...step, flops: traced.flops[i]! }));
        } finally {
          for (const buffer of [...temporary, ...outputs]) buffer.dispose();
        }
      },
    },
    memory: { value: (...args: A): PlanMemory => tracedFor(args).traced.memory },
    dispose: {
      value: (): void => {
        while (traces.size > 0) dropOldest(traces);
      },
    },
  }) as CompiledFunction<A, R>;
}

function dropOldest(traces: Map<string, Traced>): void {
  const [key, traced] = traces.entries().next().value!;
  traces.delete(key);
  traced.plan.dispose();
  traced.prepared?.dispose();
  for (const { buffer } of traced.hostBuffers) buffer.dispose();
}

/** Runs `fn` on placeholders and plans what it did. */
function traceCall<A extends readonly unknown[]>(
  name: string,
  device: string,
  fn: (...args: A) => unknown,
  args: A,
): Traced {
  const trace = new Trace(name, device);
  const argumentNodes: GraphNode[] = [];
  const { rebuild: rebuildArgs, leaves } = flattenTree(args);
  const placeholders = leaves.map((leaf) => {
    const spec =
      leaf instanceof Tensor ? { shape: leaf.shape, dtype: leaf.dtype } : { shape: [], dtype: 'float32' as const };
    const node = trace.placeholder(spec);
    argumentNodes.push(node);
    return tensorOf(node);
  });
  const result = withTrace(trace, () => fn(...(rebuildArgs(placeholders) as A)));
  if (result instanceof Promise) {
    throw new FoveaError(`compile: expected ${name} to return tensors at once, received a promise`, { op: 'compile' });
  }
  const out = flattenTree(result);
  const outputs = out.leaves.map((leaf) => {
    if (!(leaf instanceof Tensor))
      throw mismatch('ERR_ARGUMENT', { op: 'compile' }, `tensors from ${name}`, typeof leaf);
    return leaf.value('compile');
  });
  const updates = [...trace.assigned].map(([variable, tensor]) => ({
    target: { node: trace.variables.get(variable)!, index: 0 },
    value: tensor.value('compile'),
  }));
  const variables = [...trace.variables];
  const first: Value[] = [
    ...argumentNodes,
    ...variables.map(([, node]) => node),
    ...trace.hostInputs.map((h) => h.node),
  ].map((node) => ({ node, index: 0 }));
  const { graph, externals } = buildGraph({ outputs, updates }, first);
  const constants = externals.slice(first.length);
  for (const { node, index } of constants) {
    if (node.leaf?.kind === 'placeholder') {
      throw new FoveaError(`compile: ${name} uses a tensor that belongs to another traced function`, { op: 'compile' });
    }
    node.retain(index);
  }
  const isWritten = variables.map(([variable]) => trace.assigned.has(variable));
  const steady = graph.externals.filter((_, i) => {
    const variable = i - argumentNodes.length;
    return i >= first.length || (variable >= 0 && isWritten[variable] === false);
  });
  const isArgument = (external: number): boolean => external < argumentNodes.length;
  const { main, flops, memory, setup } = makeSplitPlan(device, { ...graph, steady }, isArgument);
  return {
    plan: main,
    flops,
    memory,
    prepared: setup && new Prepared(backendOf(device), setup),
    device,
    trace,
    variables: variables.map(([variable]) => ({ variable, written: trace.assigned.has(variable) })),
    constants,
    hostBuffers: trace.hostInputs.map(({ node }) => {
      const size = sizeOf(node.outputs[0]!.shape);
      return { buffer: backendOf(device).createBuffer('float32', size), value: 0 };
    }),
    outputs: outputs.map(specOf),
    rebuild: out.rebuild,
  };
}

/** The buffers of one run, in the plan's order, without outputs. */
function collectBuffers(
  traced: Traced,
  leaves: readonly unknown[],
): { buffers: DeviceBuffer[]; temporary: DeviceBuffer[] } {
  const backend = backendOf(traced.device);
  const temporary: DeviceBuffer[] = [];
  const buffers = leaves.map((leaf) => {
    if (leaf instanceof Tensor) {
      const value = leaf.value(traced.trace.name);
      evaluateValues([value]);
      return value.node.storages[value.index]!.buffer;
    }
    const buffer = backend.createBuffer('float32', 1, new Float32Array([leaf as number]));
    temporary.push(buffer);
    return buffer;
  });
  for (const { variable, written } of traced.variables) {
    if (variable.device !== traced.device) {
      throw mismatch(
        'ERR_DEVICE',
        { op: traced.trace.name, layer: variable.name },
        `a variable on ${traced.device}`,
        variable.device,
      );
    }
    const { storage, exclusive } = variable.storage();
    const buffer = written && !exclusive ? ownCopy(variable, storage, traced.device) : storage.buffer;
    if (written) noteWrite(buffer);
    buffers.push(buffer);
  }
  traced.trace.hostInputs.forEach(({ read }, i) => {
    const host = traced.hostBuffers[i]!;
    const value = read();
    if (typeof value === 'number' && !Number.isFinite(value))
      throw mismatch('ERR_ARGUMENT', { op: traced.trace.name }, 'a finite host value', String(value));
    if (value !== host.value) {
      host.buffer.write(typeof value === 'number' ? new Float32Array([value]) : value);
      host.value = value;
    }
    buffers.push(host.buffer);
  });
  for (const { node, index } of traced.constants) buffers.push(node.storages[index]!.buffer);
  if (traced.prepared) buffers.push(...traced.prepared.buffers(buffers));
  return { buffers, temporary };
}

/** Others may still read the variable's buffer: give it one of its own to be written in place. */
function ownCopy(variable: Variable, storage: Storage, device: string): DeviceBuffer {
  const buffer = cloneBuffer(device, storage.buffer);
  using copy = fromStorage(new Storage(buffer), variable.shape, variable.dtype, device);
  variable.adopt(copy.value());
  return buffer;
}

function makeOutputs(traced: Traced): DeviceBuffer[] {
  return traced.outputs.map(({ shape, dtype }) => backendOf(traced.device).createBuffer(dtype, sizeOf(shape)));
}

function launch(traced: Traced, buffers: readonly DeviceBuffer[], temporary: readonly DeviceBuffer[]): unknown {
  const outputs = makeOutputs(traced);
  for (const effect of traced.trace.effects) effect.commit();
  traced.plan.run([...buffers, ...outputs], buffers.length).catch(() => {
    for (const effect of traced.trace.effects) effect.rollback();
  });
  for (const buffer of temporary) buffer.dispose();
  const tensors = outputs.map((buffer, i) => {
    const { shape, dtype } = traced.outputs[i]!;
    return fromStorage(new Storage(buffer), shape, dtype, traced.device);
  });
  return traced.rebuild(tensors);
}

function deviceOf(name: string, leaves: readonly unknown[]): string {
  let device: string | undefined;
  for (const leaf of leaves) {
    if (!(leaf instanceof Tensor)) continue;
    device ??= leaf.device;
    if (device !== leaf.device) {
      throw mismatch(
        'ERR_DEVICE',
        { op: name },
        `all arguments on ${device}`,
        `one of shape ${formatShape(leaf.shape)} on ${leaf.device}`,
      );
    }
  }
  return device ?? currentDevice();
}
