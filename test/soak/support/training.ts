/**
 * A training data stream for the long tests: the Fashion-MNIST CNN fit on random images, with a callback a batch.
 */
import { data, LambdaCallback, type Logs } from '../../../lib/index.js';
import { fashionCnn } from '../../../models/index.js';

/** Trains the chapter's CNN for `steps` steps of batch 32, calling `onStep` after each. */
export async function trainFor(steps: number, onStep: (step: number, logs: Logs) => void): Promise<void> {
  const images = { data: new Float32Array(512 * 784).map(() => Math.random()), shape: [512, 28, 28, 1] };
  const labels = { data: Int32Array.from({ length: 512 }, (_, i) => i % 10), shape: [512] };
  const model = fashionCnn();
  model.compile({ optimizer: 'nadam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  let step = 0;
  await model.fit(data.fromArrays(images, labels).shuffle(512).repeat().batch(32).prefetch(2), {
    epochs: 1,
    stepsPerEpoch: steps,
    verbose: 0,
    callbacks: [new LambdaCallback({ onTrainBatchEnd: (_batch, logs) => onStep(++step, logs ?? {}) })],
  });
}
