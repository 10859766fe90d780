/** Makes tensors that nobody disposes, collects garbage, and prints the device's memory: run by lifetime.test.ts. */
import { ops, setDevice, tensor } from '../../lib/index.js';
import { backendOf } from '../../lib/backends/registry.js';

const device = process.argv[2]!;
setDevice(device);
const memory = (): { bytes: number; buffers: number } => {
  const { bytes, buffers } = backendOf(device).memory();
  return { bytes, buffers };
};

async function work(): Promise<void> {
  const x = tensor(new Float32Array(10_000));
  const y = ops.relu(x.mul(2).add(1)); // the handles in the middle are never seen again
  await y.data();
}

async function collect(): Promise<void> {
  for (let i = 0; i < 10; i++) {
    globalThis.gc!();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

await work();
await collect();
const before = memory();
const kept = Array.from({ length: 100 }, () => tensor(new Float32Array(10_000)));
const results = kept.map((x) => x.add(1));
for (const y of results) await y.data();
const full = memory();
kept.length = 0;
results.length = 0;
for (let i = 0; i < 20; i++) await work();
await collect();
console.log(JSON.stringify({ before, full, after: memory() }));
