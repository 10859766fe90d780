import { backendOf } from '../backends/registry.js';
import { allocateTyped } from '../tensor/dtype.js';
import { sizeOf } from '../tensor/shape.js';
import { Storage } from '../tensor/storage.js';
import { buildGraph } from './build.js';
import { specOf, type Value } from './node.js';
import { planFor } from './plan-cache.js';
import { isRecording } from './trace.js';

/**
 * Sees to it that values have storages: plans and enqueues what is not computed yet, without waiting for it. Failures
 * of the work are thrown to whoever reads the storages.
 */
export function evaluateValues(values: readonly Value[]): void {
  const pending = values.filter(
    (v, i) => !v.node.storages[v.index] && values.findIndex((w) => w.node === v.node && w.index === v.index) === i,
  );
  for (const value of pending) if (value.node.leaf?.kind === 'scalar') resolveScalar(value, value.node.leaf.value);
  const computed = pending.filter((v) => !v.node.leaf);
  for (const device of new Set(computed.map((v) => v.node.device))) {
    run(
      device,
      computed.filter((v) => v.node.device === device),
    );
  }
}

function run(device: string, outputs: readonly Value[]): void {
  const { graph, externals } = buildGraph({ outputs, updates: [] });
  const plan = planFor(device, graph);
  const backend = backendOf(device);
  const sources = externals.map(({ node, index }) => node.storages[index]!);
  const targets = outputs.map((v) => {
    const { dtype, shape } = specOf(v);
    return backend.createBuffer(dtype, sizeOf(shape));
  });
  const buffers = [...sources.map((s) => s.buffer), ...targets];
  plan.run(buffers, sources.length).catch(() => undefined); // readers of the targets get the error
  outputs.forEach((v, i) => {
    v.node.resolve(v.index, new Storage(targets[i]!), isRecording());
  });
}

function resolveScalar(value: Value, number: number): void {
  const { dtype } = specOf(value);
  const buffer = backendOf(value.node.device).createBuffer(dtype, 1, allocateTyped(dtype, 1).fill(number));
  value.node.resolve(value.index, new Storage(buffer), true);
}
