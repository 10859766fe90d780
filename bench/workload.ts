/**
 * Times our side of one workload in this process and prints one JSON line, like the peers' scripts:
 * `workload.ts fashion [--steps N] [--batch B]`.
 */
import { fashionCnn } from '../models/index.js';
import { losses, optimizers, ops, tensor } from '../lib/index.js';
import { median, options } from './measure.js';

const [name = 'fashion'] = process.argv.slice(2);
const flags = options(process.argv.slice(3));
const steps = Number(flags.get('steps') ?? 15);
const batch = Number(flags.get('batch') ?? 32);
if (name !== 'fashion') throw new Error(`unknown workload ${name}; there is: fashion`);

// As in bench/peers: SGD with momentum on logits, one fixed batch.
const model = fashionCnn({ classifierActivation: 'linear' });
model.compile({
  optimizer: optimizers.sgd({ learningRate: 1e-3, momentum: 0.9 }),
  loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }),
});
const x = ops.randomNormal([batch, 28, 28, 1], 1);
const y = tensor(Int32Array.from({ length: batch }, (_, i) => i % 10));
await x.data();
for (let i = 0; i < 3; i++) await model.trainOnBatch(x, y);
const times: number[] = [];
for (let i = 0; i < steps; i++) {
  const start = performance.now();
  await model.trainOnBatch(x, y);
  times.push(performance.now() - start);
}
const ms = median(times);
console.log(
  JSON.stringify({
    peer: 'fovea',
    workload: name,
    batch,
    dtype: 'f32',
    ms: Number(ms.toFixed(2)),
    img_s: Number(((1000 * batch) / ms).toFixed(1)),
    peak_mb: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
