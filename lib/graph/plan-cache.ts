import type { DeviceBuffer, ExecutablePlan } from '../backends/backend.js';
import { backendOf } from '../backends/registry.js';
import { bytesPerElement, type DType } from '../tensor/dtype.js';
import { sizeOf } from '../tensor/shape.js';
import { signatureOf } from './build.js';
import { emitPlan } from './emit.js';
import type { Graph } from './ir.js';
import { largestPair, type PlanMemory } from './plan-memory.js';
import { planFlops } from './profile.js';
import { disabledPasses, optimize, optimizeSplit } from './passes/index.js';

/** Plans kept for graphs that may come again; the one used longest ago goes first. */
const CAPACITY = 256;
const cache = new Map<string, ExecutablePlan>();

/** The plan of a graph on a device, from the cache when an equal graph was planned before. */
export function planFor(device: string, graph: Graph): ExecutablePlan {
  const key = `${device}|${disabledPasses()}|${signatureOf(graph)}`;
  let plan = cache.get(key);
  if (plan) cache.delete(key);
  else plan = makePlan(device, graph);
  cache.set(key, plan);
  if (cache.size > CAPACITY) {
    const [oldest, old] = cache.entries().next().value!;
    cache.delete(oldest);
    old.dispose();
  }
  return plan;
}

/** A plan that the caller keeps and disposes. */
export function makePlan(device: string, graph: Graph): ExecutablePlan {
  return backendOf(device).preparePlan(emitPlan(optimize(graph)));
}

/** The plan of a graph with steady values, and the one that makes what it can take ready-made. */
export interface SplitPlan {
  readonly main: ExecutablePlan;
  /** Multiplications and additions of each step of the main plan. */
  readonly flops: readonly number[];
  readonly memory: PlanMemory;
  readonly setup?: {
    readonly plan: ExecutablePlan;
    /** Which of the graph's externals the setup reads. */
    readonly sources: readonly number[];
    /** What it makes: the main plan's externals behind the graph's. */
    readonly made: readonly { readonly dtype: DType; readonly size: number }[];
  };
}

/**
 * Plans that the caller keeps and disposes.
 *
 * @param isArgument - whether an external of the graph holds data, and not a variable or constant
 */
export function makeSplitPlan(device: string, graph: Graph, isArgument: (external: number) => boolean): SplitPlan {
  const backend = backendOf(device);
  const { main, setup } = optimizeSplit(graph);
  const description = emitPlan(main);
  const plan = backend.preparePlan(description);
  const flops = planFlops(description);
  const outputsFrom = main.externals.length;
  const pair = largestPair(description, (index) => index >= outputsFrom || isArgument(index));
  const own = { arenaBytes: description.arenaBytes, workspaceBytes: plan.workspaceBytes, largestPair: pair };
  if (!setup) return { main: plan, flops, memory: { ...own, preparedBytes: 0 } };
  const place = new Map(graph.externals.map((id, i) => [id, i]));
  const made = setup.outputs.map((id) => ({ dtype: setup.values[id]!.dtype, size: sizeOf(setup.values[id]!.shape) }));
  const preparedBytes = made.reduce((sum, { dtype, size }) => sum + size * bytesPerElement(dtype), 0);
  return {
    main: plan,
    flops,
    memory: { ...own, preparedBytes },
    setup: {
      plan: backend.preparePlan(emitPlan(setup)),
      sources: setup.externals.map((id) => place.get(id)!),
      made,
    },
  };
}

/** A copy of a buffer, made after all work enqueued before. */
export function cloneBuffer(device: string, source: DeviceBuffer): DeviceBuffer {
  const value = { shape: [source.size], dtype: source.dtype, kind: 'external' } as const;
  const graph: Graph = { values: [value], steps: [], externals: [0], outputs: [0], updates: [] };
  const target = backendOf(device).createBuffer(source.dtype, source.size);
  planFor(device, graph)
    .run([source, target], 1)
    .catch(() => undefined);
  return target;
}
