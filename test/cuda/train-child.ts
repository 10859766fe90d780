/**
 * Trains a small network on cuda:0 for some steps and prints what happened as one line of JSON: losses and errors.
 * Run by recording.test.ts in a process of its own, because faults are part of the environment.
 *
 *     tsx test/cuda/train-child.ts '{"steps":6,"device":"cuda:0"}'
 */
import {
  layers,
  optimizers,
  Sequential,
  setDevice,
  setPolicy,
  setRandomSeed,
  tensor,
  type PolicyName,
} from '../../lib/index.js';
import { FoveaError } from '../../lib/errors.js';

interface Wish {
  readonly steps?: number;
  readonly device?: string;
  /** Numbers per image side; large ones use up a small memory. */
  readonly size?: number;
  readonly batch?: number;
  /** The policy of types, such as 'mixed_float16'. */
  readonly policy?: PolicyName;
  /** A label that is not a class, in this step. */
  readonly badLabelAt?: number;
}

const wish = JSON.parse(process.argv[2] ?? '{}') as Wish;
const { steps = 8, device = 'cuda:0', size = 8, batch = 4, policy = 'float32' } = wish;
const outcome: { losses: number[]; errors: object[] } = { losses: [], errors: [] };

async function train(): Promise<void> {
  setDevice(device);
  setPolicy(policy);
  setRandomSeed(7);
  const model = new Sequential([
    layers.conv2d({
      filters: 8,
      kernelSize: 3,
      strides: 2,
      padding: 'same',
      activation: 'relu',
      inputShape: [size, size, 3],
    }),
    layers.maxPooling2d(),
    layers.batchNormalization(),
    layers.flatten(),
    layers.dense({ units: 3, activation: 'softmax' }),
  ]);
  model.compile({
    optimizer: optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }),
    loss: 'sparseCategoricalCrossentropy',
  });
  for (let step = 0; step < steps; step++) {
    const pixels = Float32Array.from({ length: batch * size * size * 3 }, (_, i) => Math.sin(i * 0.7 + step));
    const labels = Int32Array.from({ length: batch }, (_, i) => (step === wish.badLabelAt && i === 1 ? 9 : i % 3));
    try {
      const x = tensor(pixels, [batch, size, size, 3]);
      const result = await model.trainOnBatch(x, tensor(labels, [batch]));
      outcome.losses.push(Object.values(result)[0] as number);
    } catch (error) {
      outcome.errors.push(
        error instanceof FoveaError
          ? { step, code: error.code, op: error.op, layer: error.layer, message: error.message }
          : { step, message: String(error) },
      );
    }
  }
}

try {
  await train();
} catch (error) {
  outcome.errors.push({
    message: (error as Error).message,
    ...(error instanceof FoveaError ? { code: error.code } : {}),
  });
}
console.log(JSON.stringify(outcome));
