import type { callbacks, Sequential } from '../../../lib/index.js';
import { linear, sgd, squares } from '../support.js';

type Callback = callbacks.Callback;

/** A model of one weight, compiled. */
export function tiny(learningRate = 0.1): Sequential {
  const model = linear([0]);
  model.compile({ optimizer: sgd(learningRate), loss: squares });
  return model;
}

/** The one weight. */
export async function weightOf(model: Sequential): Promise<number> {
  return Number((await model.weights[0]!.data())[0]);
}

/**
 * Calls a callback as `fit` would, with the logs of epochs as given; the model's weight is the epoch's number meanwhile.
 *
 * @returns the epochs that were run
 */
export async function drive(
  callback: Callback,
  model: Sequential,
  epochs: readonly Record<string, number>[],
  after?: (epoch: number) => void,
): Promise<number> {
  callback.attach(model, { epochs: epochs.length, steps: 1, verbose: 0 });
  model.stopTraining = false;
  await callback.onTrainBegin({});
  let run = 0;
  for (const [epoch, logs] of epochs.entries()) {
    await callback.onEpochBegin(epoch, {});
    model.setWeights([[[epoch]]]);
    await callback.onTrainBatchEnd(0, logs, 1);
    await callback.onEpochEnd(epoch, { ...logs });
    run++;
    after?.(epoch);
    if (model.stopTraining) break;
  }
  await callback.onTrainEnd({});
  return run;
}
